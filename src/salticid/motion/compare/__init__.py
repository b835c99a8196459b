"""A clip beside a person's own: what is usual, how far off one is, and where the line is drawn."""

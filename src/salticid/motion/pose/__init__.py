"""A video to the joints of one person over time."""

"""What a score says, for people and for programs."""

"""Meaning: images, video and cameras -> a class for every pixel."""

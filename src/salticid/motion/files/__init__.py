"""Keypoints, tables and joint angles in the formats of others, and motion capture."""

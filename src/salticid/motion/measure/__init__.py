"""Keypoints to strides, features and curves."""

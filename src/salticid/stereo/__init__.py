"""Depth: stereo pairs -> disparity, depth, point cloud."""

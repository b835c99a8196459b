"""A simulated person whose motion is known exactly."""

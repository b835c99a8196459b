"""Real-time vision on the hardware people have."""

__version__ = "0.1.0"

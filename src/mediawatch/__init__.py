"""mediawatch: drop files into a folder and see them published on Instagram."""

__version__ = "0.1.0"

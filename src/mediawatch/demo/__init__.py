"""The whole river on loopback, to look at."""

"""Door 1: the folder."""

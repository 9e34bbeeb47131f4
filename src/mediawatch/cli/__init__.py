"""Door 3: the command line."""

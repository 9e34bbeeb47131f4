"""Pictures: what a file is, what Instagram takes, and the way from one to the other."""

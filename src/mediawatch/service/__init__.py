"""How the daemon lives where an administrator puts it."""

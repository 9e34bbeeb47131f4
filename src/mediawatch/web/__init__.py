"""Door 2: the HTTP API."""

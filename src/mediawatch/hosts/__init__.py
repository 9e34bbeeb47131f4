"""Web hosts that Meta can fetch media from."""

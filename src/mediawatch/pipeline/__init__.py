"""Out to Instagram: convert, upload, publish, archive."""

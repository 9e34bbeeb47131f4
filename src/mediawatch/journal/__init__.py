"""The truth: posts, items and attempts, in SQLite."""

"""Everything that may be asked of mediawatch, whichever door the asker came through."""

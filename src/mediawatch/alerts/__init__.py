"""Telling the owner, by Apprise: where to, and whether it went."""

"""Carries "work on post N"; the truth is in the journal."""

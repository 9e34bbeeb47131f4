"""The first set-up: questions, each answer tried at once, and the files that come of it."""

"""Housekeepers, one run_once() each."""

"""mediawatch on Windows: tests that run in a Windows Python, on Linux under Wine."""

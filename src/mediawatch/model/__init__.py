"""The words of the trade, pure: no input, no output, no library."""

"""One sealed file that holds all that cannot be made anew, and the way back from it."""

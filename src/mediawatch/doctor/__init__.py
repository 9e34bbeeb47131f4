"""Tries everything for real, and says what to do about what is not well."""

"""Recordings: reading, windows, features and synthesis."""

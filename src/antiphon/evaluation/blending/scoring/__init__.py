"""Exact areas of score matrices and of many blends at once."""

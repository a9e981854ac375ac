"""Precision and recall of a whole archive from a sample of it with known chances."""

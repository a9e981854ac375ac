"""Weights and steps, judged where they were not chosen."""

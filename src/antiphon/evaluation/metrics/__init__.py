"""Metrics, one subject a file."""

"""Metrics, intervals and grouped cross-validation."""

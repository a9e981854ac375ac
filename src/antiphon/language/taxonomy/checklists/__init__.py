"""Readers of published checklists: each turns its files into batches of one schema."""

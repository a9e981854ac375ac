"""Embeddings of items, kept on disk."""

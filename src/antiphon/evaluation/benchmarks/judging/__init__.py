"""Embeddings through the protocols of a family."""

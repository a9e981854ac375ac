"""Geometry of embeddings that strategies share: spaces, distances, clusters, diverse subsets."""

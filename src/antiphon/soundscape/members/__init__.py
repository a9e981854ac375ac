"""The scorers of an ensemble: networks and heads on embeddings, under one protocol."""

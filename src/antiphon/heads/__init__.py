"""Small models on top of embeddings: linear, MLP, calibration, thresholds, detector files."""

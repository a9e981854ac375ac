"""Sets to rehearse selection on: simulated embeddings, and real sounds mixed into soundscapes."""

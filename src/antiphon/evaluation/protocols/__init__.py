"""What an encoder's embeddings are good for: probe, retrieval, clustering, detection."""

"""Detection networks: which classes sound in a clip, and when."""

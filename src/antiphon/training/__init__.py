"""Training with PyTorch; its imports stay inside functions."""

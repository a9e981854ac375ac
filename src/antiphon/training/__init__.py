"""Training of encoders with PyTorch (extra ``train``): self-supervised, supervised, exported."""

"""Networks from features to tokens: vision transformers, convolutional networks, EfficientAT."""

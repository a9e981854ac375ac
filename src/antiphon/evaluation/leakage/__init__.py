"""What a training side and a test side share that they must not."""

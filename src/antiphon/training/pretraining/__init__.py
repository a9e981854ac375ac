"""Stage one: encoders that learn from audio without labels."""

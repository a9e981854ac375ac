"""Data sets on which encoders are compared, and the runner that compares them."""

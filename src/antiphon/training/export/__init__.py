"""Trained models as ONNX files with the front end inside, and what they lose on the way."""

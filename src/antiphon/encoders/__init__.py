"""Encoders behind one protocol and one registry."""

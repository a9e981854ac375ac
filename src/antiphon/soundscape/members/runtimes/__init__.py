"""Runtimes behind one switch: each opens a model file as a session."""

"""Run an ensemble over a folder of recordings so that a complete file exists at every moment."""

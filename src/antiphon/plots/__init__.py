"""Charts and spectrograms as self-contained SVG, PNG and HTML."""

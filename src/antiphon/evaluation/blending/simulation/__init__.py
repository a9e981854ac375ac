"""Score files with known truth."""

"""What a run shows: tables, files, one page."""

"""Score files, truth and names of recordings, brought to one order."""

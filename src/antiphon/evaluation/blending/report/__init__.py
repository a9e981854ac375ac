"""The page, its sentences and its numbers as text."""

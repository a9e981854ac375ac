"""Several members brought together: what they are, how they are blended, and what follows."""

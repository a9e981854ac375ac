"""Which models these recordings can judge."""

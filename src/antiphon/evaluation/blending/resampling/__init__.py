"""Questions about recordings, answered from win counts."""

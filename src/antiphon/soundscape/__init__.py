"""Score soundscapes with an ensemble of networks, within a budget of time."""

"""What labelling will bring and cost: predicted learning curves, seconds for each answer."""

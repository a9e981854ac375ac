"""Work in the background: training after each batch of answers, the next windows, the figures."""

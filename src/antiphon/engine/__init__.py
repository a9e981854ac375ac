"""Work as independent items, with retries, progress and failures kept per item."""

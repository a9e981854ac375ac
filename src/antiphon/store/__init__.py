"""The project folder: catalogue, vectors and the journal of what is done."""

"""Choose out of millions of windows: a streamed pass, a shortlist, then any strategy."""

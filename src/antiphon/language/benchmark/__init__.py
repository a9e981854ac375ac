"""Scoring what audio-language models answer: BEANS-Zero's components and labelled folders."""

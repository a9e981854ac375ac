"""Soundscapes with exact truth, standing in for field recordings in the demo, tests and benchmarks.

``species`` is the repertoire, ``soundscape`` makes one recording, ``dataset`` writes a folder of
them with truth tables and metadata.
"""

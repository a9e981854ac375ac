"""Audio and text: corpora of (sound, text) pairs, their tasks and their benchmark.

``schema`` is the table that everything here shares: one row is one sound with all that is known of
it. ``sources`` read what others published into it, ``taxonomy`` settles the names, ``tasks`` make
questions and answers of the rows, ``benchmark`` scores the answers of any model.
"""

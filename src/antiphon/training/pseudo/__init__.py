"""Pseudo-labels: teachers score unlabelled soundscapes, students learn from what they say.

``teachers`` score, ``out_of_fold`` says who may score what, ``transform`` and ``mass`` make targets
of probabilities, ``store`` keeps them, ``labelling`` does all of it for one round and ``rounds``
goes from round to round.
"""

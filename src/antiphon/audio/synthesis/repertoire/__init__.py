"""Thousands of classes of sound that follow from a seed: material to train encoders on.

``classes`` draws the classes and their individuals, ``clip`` mixes them into clips with exact
truth, ``folder`` writes many clips with their labels. A class belongs to a family (``families``),
which draws a recipe (``recipe``, ``modal``, ``texture``); a recipe is rendered by an individual.
"""

from antiphon.audio.synthesis.repertoire.classes import Repertoire, SoundClass
from antiphon.audio.synthesis.repertoire.clip import Clip, ClipEvent

__all__ = ["Clip", "ClipEvent", "Repertoire", "SoundClass"]

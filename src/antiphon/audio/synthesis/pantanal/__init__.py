"""A synthetic Pantanal: five taxa to train on in focal clips and to find in soundscapes.

``fauna`` lists the species, ``voices`` says how they sound, ``places`` where they live; ``scene``
mixes recordings with exact truth, ``plan`` lays out a data set, and ``folder`` writes it in the
layout of the BirdCLEF challenges.
"""

from antiphon.audio.synthesis.pantanal.fauna import FAUNA, PantanalSpecies
from antiphon.audio.synthesis.pantanal.folder import WorldFacts, write_world
from antiphon.audio.synthesis.pantanal.plan import WorldSettings

__all__ = ["FAUNA", "PantanalSpecies", "WorldFacts", "WorldSettings", "write_world"]

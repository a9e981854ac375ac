"""Families of classes: each draws the parameters of one class from a generator."""

from __future__ import annotations

from antiphon.audio.synthesis.repertoire.families.animals import ANIMALS
from antiphon.audio.synthesis.repertoire.families.birds import BIRDS
from antiphon.audio.synthesis.repertoire.families.breaths import BREATHS
from antiphon.audio.synthesis.repertoire.families.family import Domain, Family
from antiphon.audio.synthesis.repertoire.families.impacts import IMPACTS
from antiphon.audio.synthesis.repertoire.families.insects import INSECTS
from antiphon.audio.synthesis.repertoire.families.machines import MACHINES
from antiphon.audio.synthesis.repertoire.families.music import MUSIC
from antiphon.audio.synthesis.repertoire.families.objects import OBJECTS
from antiphon.audio.synthesis.repertoire.families.people import PEOPLE
from antiphon.audio.synthesis.repertoire.families.signals import SIGNALS
from antiphon.audio.synthesis.repertoire.families.small import SMALL
from antiphon.audio.synthesis.repertoire.families.songs import SONGS
from antiphon.audio.synthesis.repertoire.families.weather import WEATHER

BIO: tuple[Family, ...] = (*SONGS, *BIRDS, *ANIMALS, *BREATHS, *SMALL, *INSECTS)
GENERAL: tuple[Family, ...] = (
    *IMPACTS, *OBJECTS, *MACHINES, *SIGNALS, *WEATHER, *PEOPLE, *MUSIC,
)  # fmt: skip

__all__ = ["BIO", "GENERAL", "Domain", "Family"]

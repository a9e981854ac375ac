"""How the species sound: recipes of the repertoire, dialects of places, individuals."""

from __future__ import annotations

from functools import cache

import numpy as np

from antiphon.audio.synthesis.calls import Samples
from antiphon.audio.synthesis.pantanal.fauna import CallKind, PantanalSpecies
from antiphon.audio.synthesis.repertoire.drawing import Individual
from antiphon.audio.synthesis.repertoire.events import trim
from antiphon.audio.synthesis.repertoire.families import BIO, Family
from antiphon.audio.synthesis.repertoire.recipe import Recipe
from antiphon.audio.synthesis.repertoire.score import LONGEST_S

VERSION = 1
"""Raised with every change to what a seed sounds like."""

_FAMILIES = {family.name: family for family in BIO}
_MOST_DRAWS = 10_000
# Of how much individuals of a species differ, what is due to the place and what to the animal.
_DIALECT, _OWN = 0.7, 0.7


def family_of(kind: CallKind) -> Family:
    """Return the family of the repertoire that a kind of call belongs to."""
    return _FAMILIES[kind.family]


@cache
def recipe_of(species: PantanalSpecies, number: int) -> Recipe:
    """Return the recipe of a species' call of that number: it follows from its label alone.

    Raises
    ------
    RuntimeError
        None of many draws lies within the bounds of the call: they do not suit its family.
    """
    kind = species.calls[number]
    rng = np.random.default_rng([VERSION, species.key, number])
    for _ in range(_MOST_DRAWS):
        recipe = family_of(kind).draw(rng)
        if kind.low_hz <= recipe.main_hz <= kind.high_hz:
            return recipe
    raise RuntimeError(f"no {kind.family} lies within the bounds of {species.name}")


def dialect_of(species: PantanalSpecies, seed: int, place: int) -> Individual:
    """Return what all animals of a species have in common at a place of a world."""
    rng = np.random.default_rng([seed, 5, place, species.key])
    return Individual.draw(rng, _DIALECT * species.spread)


def individual_of(species: PantanalSpecies, seed: int, place: int, number: int) -> Individual:
    """Return an individual: the dialect of its place, and what is its own."""
    there = dialect_of(species, seed, place)
    rng = np.random.default_rng([seed, 6, place, species.key, number])
    own = Individual.draw(rng, _OWN * species.spread)
    return Individual(
        pitch=there.pitch * own.pitch,
        tempo=there.tempo * own.tempo,
        length=there.length * own.length,
        tract=there.tract * own.tract,
        timbre=0.5 * (there.timbre + own.timbre),
        dialect=there.dialect + own.dialect,
    )


def render_call(
    species: PantanalSpecies,
    number: int,
    individual: Individual,
    sample_rate: int,
    rng: np.random.Generator,
) -> Samples:
    """Return one call as it sounds close by.

    Parameters
    ----------
    species, number
        Which kind of call.
    individual
        Who.
    sample_rate
        Hz.
    rng
        Draws what differs each time.

    Returns
    -------
    float32 (n,)
        Peak 1, at most about 6 s.
    """
    sound = recipe_of(species, number).render(individual, sample_rate, rng, LONGEST_S)
    return trim(sound[: round(LONGEST_S * sample_rate)], sample_rate)


def draw_kind(species: PantanalSpecies, rng: np.random.Generator) -> int:
    """Draw the number of a kind of call by its share."""
    shares = np.array([kind.share for kind in species.calls])
    return int(rng.choice(len(shares), p=shares / shares.sum()))

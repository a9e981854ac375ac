"""Places: recorder sites with their communities, and the regions of those who record clips."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from antiphon.audio.synthesis.pantanal.fauna import FAUNA, PantanalSpecies
from antiphon.audio.synthesis.sites import Site, make_site

_RING = ("wetland", "forest", "meadow")
# Numbers of regions of focal recordings begin here; no dialect and no animal is shared with a site.
REGION = 1000
_FLOCK = 4
# Share of the species at home in a habitat that do not live at a given place.
_ABSENT = 0.25


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is recorded.

    Parameters
    ----------
    number
        Its place in the world; it decides dialects and individuals.
    site
        Noise, reverberation, recorder.
    seed
        Of the world.
    """

    number: int
    site: Site
    seed: int

    def abundance(self, species: PantanalSpecies) -> float:
        """Return how common a species is here: 0 for absent, around 1 where it is at home.

        Log-normal around its liking for the habitat; drawn for the place and the species alone.
        """
        liking = species.habitats.get(self.site.habitat, 0.0)
        rng = np.random.default_rng([self.seed, 4, self.number, species.key])
        if not liking or rng.random() < _ABSENT:
            return 0.0
        return liking * float(np.exp(0.5 * np.clip(rng.standard_normal(), -2.0, 2.0)))

    def community(self) -> tuple[PantanalSpecies, ...]:
        """Return the species that live here."""
        return tuple(species for species in FAUNA if self.abundance(species))

    def individuals(self) -> range:
        """Return the numbers of the individuals of each species that live here."""
        return range(_FLOCK)


def make_places(seed: int, count: int) -> tuple[Place, ...]:
    """Draw recorder sites ``S01``, ``S02``, ...: wetland, forest and meadow in turn."""
    return tuple(_place(seed, number, f"S{number + 1:02d}") for number in range(count))


def make_regions(seed: int, count: int) -> tuple[Place, ...]:
    """Draw regions ``R01``, ``R02``, ... in which focal clips are recorded."""
    return tuple(_place(seed, REGION + number, f"R{number + 1:02d}") for number in range(count))


def _place(seed: int, number: int, name: str) -> Place:
    rng = np.random.default_rng([seed, 7, number])
    base = make_site(seed, number, _RING[number % len(_RING)])
    # The sites lie together, the regions around them.
    spread = 6.0 if number >= REGION else 0.8
    site = replace(
        base,
        name=name,
        latitude=round(-17.5 + float(rng.uniform(-spread, spread)), 5),
        longitude=round(-57.0 + float(rng.uniform(-spread, spread)), 5),
        reverberation_s=round(base.reverberation_s * float(rng.uniform(0.7, 1.6)), 2),
        floor_db=round(base.floor_db + float(rng.uniform(-1.0, 5.0)), 1),
    )
    return Place(number, site, seed)

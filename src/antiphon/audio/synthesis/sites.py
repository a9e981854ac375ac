"""Sites: what lives there, how loud it is there, and what the recorder adds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from antiphon.audio.synthesis.model import Species
from antiphon.errors import UserError

HABITATS = ("forest", "wetland", "meadow", "marine")
"""Habitats that a site can have; marine sites hold whales only, the others no whales."""

LAND = ("forest", "wetland", "meadow")

# Individuals of a species that live at one site; no two sites share any.
FLOCK = 4


@dataclass(frozen=True, slots=True)
class Site:
    """A place with one recorder.

    Parameters
    ----------
    name
        Such as ``FOREST01``; recordings are named after it.
    index
        Number of the site in its data set; it decides which individuals live there.
    habitat
        One of :data:`HABITATS`.
    latitude, longitude
        Degrees, WGS 84.
    gain_db
        Gain of the recorder, dB.
    floor_db
        Spectral level of steady background and recorder noise above 3 kHz, dB re 20 uPa per Hz
        (re 1 uPa under water).
    slope_db
        What the background rises per octave below 3 kHz, dB.
    exposure
        Factor on the wind.
    hum_hz, hum_db
        Mains frequency and level of its hum; 0 Hz for none.
    reverberation_s
        Time in which scattered sound falls by 60 dB.
    disturbance
        Factor on the rate of sounds that are no species'.
    seed
        Of the data set; abundances are drawn from it.
    """

    name: str
    index: int
    habitat: str
    latitude: float
    longitude: float
    gain_db: float
    floor_db: float
    slope_db: float
    exposure: float
    hum_hz: int
    hum_db: float
    reverberation_s: float
    disturbance: float
    seed: int

    @property
    def in_air(self) -> bool:
        """False under water."""
        return self.habitat != "marine"

    @property
    def full_scale_db(self) -> float:
        """Level of a sine that just fills the recorder's range, dB re 20 uPa or 1 uPa."""
        return (100.0 if self.in_air else 160.0) - self.gain_db

    def abundance(self, species: Species) -> float:
        """Return how common a species is here: 0 for absent, around 1 where it is at home.

        Log-normal around the species' liking for the habitat, so that communities differ
        between sites; drawn for the site and the species alone.
        """
        liking = species.habitats.get(self.habitat, 0.0)
        if not liking:
            return 0.0
        rng = np.random.default_rng(np.random.SeedSequence([self.seed, 2, self.index, species.key]))
        return liking * float(np.exp(0.45 * np.clip(rng.standard_normal(), -2.0, 2.0)))

    def individuals(self) -> range:
        """Return the numbers of the individuals of each species that live here."""
        return range(self.index * FLOCK, (self.index + 1) * FLOCK)


def make_site(seed: int, index: int, habitat: str) -> Site:
    """Draw a site; the same seed, index and habitat give the same site.

    Raises
    ------
    UserError
        Unknown habitat.
    """
    if habitat not in HABITATS:
        raise UserError(f"There is no habitat {habitat!r}. There are: {', '.join(HABITATS)}.")
    rng = np.random.default_rng(np.random.SeedSequence([seed, 1, index]))
    marine = habitat == "marine"
    forest = habitat == "forest"
    return Site(
        name=f"{habitat.upper()}{index + 1:02d}",
        index=index,
        habitat=habitat,
        latitude=round(float(rng.uniform(47.0, 49.0)), 5),
        longitude=round(float(rng.uniform(7.0, 12.0)), 5) - (20.0 if marine else 0.0),
        gain_db=round(float(rng.uniform(-4.0, 6.0)), 1),
        floor_db=round(float(rng.uniform(-6.0, 3.0)), 1) + (62.0 if marine else 0.0),
        slope_db=round(float(rng.uniform(2.5, 5.0)), 1),
        exposure=round(float(rng.uniform(0.5, 0.9) if forest else rng.uniform(0.8, 1.4)), 2),
        hum_hz=50 if not marine and rng.random() < 0.3 else 0,
        hum_db=round(float(rng.uniform(30.0, 44.0)), 1),
        reverberation_s=0.5 if forest else 0.3 if habitat == "wetland" else 0.15,
        disturbance=round(float(rng.uniform(0.5, 1.6)), 2),
        seed=seed,
    )


def make_sites(seed: int, count: int, habitats: Sequence[str] | None = None) -> tuple[Site, ...]:
    """Draw sites whose habitats go round a list, by default the three on land.

    Raises
    ------
    UserError
        No site asked for, or an unknown habitat.
    """
    if count < 1:
        raise UserError(f"A data set needs at least 1 site, not {count}.")
    ring = tuple(habitats or LAND)
    return tuple(make_site(seed, index, ring[index % len(ring)]) for index in range(count))

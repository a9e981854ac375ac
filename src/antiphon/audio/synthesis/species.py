"""The repertoire: every species there is, and single clean calls of them."""

from __future__ import annotations

import numpy as np

from antiphon.audio.synthesis.birds import BIRDS
from antiphon.audio.synthesis.calls import Samples
from antiphon.audio.synthesis.chorus import BATS, FROGS, INSECTS, WHALES
from antiphon.audio.synthesis.model import Species
from antiphon.errors import UserError

SPECIES: tuple[Species, ...] = (*BIRDS, *FROGS, *INSECTS, *BATS, *WHALES)
"""Seventeen species: nine birds, three frogs, three insects, a bat and a whale."""

_BY_NAME = {
    name.casefold(): species
    for species in SPECIES
    for name in (species.name, species.scientific_name, species.code)
}


def species_by_name(name: str) -> Species:
    """Return a species by its English name, scientific name or code, whatever the case.

    Raises
    ------
    UserError
        There is none of that name.
    """
    try:
        return _BY_NAME[name.casefold()]
    except KeyError:
        known = ", ".join(species.name for species in SPECIES)
        raise UserError(f"There is no synthetic species {name!r}. There are: {known}.") from None


def species_at(sample_rate: int) -> tuple[Species, ...]:
    """Return the species whose calls fit below half a sample rate in Hz."""
    return tuple(species for species in SPECIES if species.min_sample_rate <= sample_rate)


def synthesise_call(
    species: Species | str,
    call_type: str,
    individual: int,
    sample_rate: int,
    rng: np.random.Generator,
) -> Samples:
    """Return one call without background, distance or echo, as for a search by example.

    Parameters
    ----------
    species
        A species or its name.
    call_type
        One of the species' call types, such as ``song``.
    individual
        Number of the individual, 0 or more; its voice is the same everywhere.
    sample_rate
        Hz.
    rng
        Draws what differs from call to call.

    Returns
    -------
    float32 (n,)
        Peak 0.5.

    Raises
    ------
    UserError
        Unknown species or call type, or a sample rate too low for the species.
    """
    found = species_by_name(species) if isinstance(species, str) else species
    if sample_rate < found.min_sample_rate:
        raise UserError(
            f"{found.name} needs a sample rate of {found.min_sample_rate} Hz or more, "
            f"not {sample_rate} Hz."
        )
    try:
        call = found.render(call_type, individual, sample_rate, rng)
    except KeyError as error:
        raise UserError(f"{error.args[0]}.") from None
    return call * np.float32(0.5)

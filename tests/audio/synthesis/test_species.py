"""Every call of every species: band, peak, voice."""

from __future__ import annotations

import numpy as np
import pytest

from antiphon.audio.synthesis.model import Species
from antiphon.audio.synthesis.species import (
    SPECIES,
    species_at,
    species_by_name,
    synthesise_call,
)
from antiphon.errors import UserError

KINDS = [(species, kind.name) for species in SPECIES for kind in species.call_types]


def band_share(call: np.ndarray, rate: int, low: float, high: float) -> float:
    power = np.abs(np.fft.rfft(call.astype(np.float64))) ** 2
    f = np.fft.rfftfreq(len(call), 1 / rate)
    return float(power[(f >= low) & (f <= high)].sum() / power.sum())


@pytest.mark.parametrize(("species", "kind"), KINDS, ids=lambda v: getattr(v, "code", v))
def test_calls_lie_in_the_species_band_with_peak_one_half(species: Species, kind: str) -> None:
    rate = species.min_sample_rate
    for individual in (0, 1, 5):
        rng = np.random.default_rng(individual)
        call = synthesise_call(species, kind, individual, rate, rng)
        assert call.dtype == np.float32
        assert np.max(np.abs(call)) == pytest.approx(0.5)
        assert np.isfinite(call).all()
        assert band_share(call, rate, species.low_hz, species.high_hz) > 0.97


def test_there_are_at_least_twelve_species_of_five_groups() -> None:
    assert len(SPECIES) >= 12
    assert {s.group for s in SPECIES} == {"bird", "frog", "insect", "bat", "whale"}
    assert all(len(s.call_types) >= 2 for s in SPECIES)
    assert len({s.code for s in SPECIES}) == len(SPECIES)
    assert all(s.high_hz < s.min_sample_rate / 2 for s in SPECIES)


def test_names_scientific_names_and_codes_find_a_species() -> None:
    for species in SPECIES:
        for name in (species.name, species.scientific_name.upper(), species.code):
            assert species_by_name(name) is species
    with pytest.raises(UserError, match="no synthetic species 'Blackbird'"):
        species_by_name("Blackbird")


def test_an_individual_sounds_like_itself_and_unlike_others() -> None:
    def pitch(individual: int, draw: int) -> float:
        rng = np.random.default_rng(draw)
        call = synthesise_call("Wire Cricket", "song", individual, 32_000, rng)
        return float(np.argmax(np.abs(np.fft.rfft(call))) * 32_000 / len(call))

    own = [pitch(2, draw) for draw in range(6)]
    others = [pitch(individual, 0) for individual in range(8)]
    assert np.std(own) < 0.4 * np.std(others)
    assert len(set(own)) > 1


def test_the_same_generator_gives_the_same_call() -> None:
    calls = [
        synthesise_call("papthr", "song", 1, 32_000, np.random.default_rng(3)) for _ in range(2)
    ]
    np.testing.assert_array_equal(*calls)


def test_a_bat_needs_ultrasound_and_a_whale_does_not() -> None:
    bat, whale = species_by_name("Origami Bat"), species_by_name("Cellar Whale")
    assert bat in species_at(192_000)
    assert bat not in species_at(96_000)
    assert whale in species_at(8000)
    with pytest.raises(UserError, match="192000 Hz"):
        synthesise_call(bat, "search", 0, 48_000, np.random.default_rng(0))
    call = synthesise_call(whale, "moan", 0, 8000, np.random.default_rng(0))
    assert band_share(call, 8000, 80, 500) > 0.95


def test_a_wrong_call_type_names_those_there_are() -> None:
    with pytest.raises(UserError, match="song, rattle, tick"):
        synthesise_call("trilwr", "roar", 0, 32_000, np.random.default_rng(0))


def test_night_species_are_silent_at_noon_and_day_species_at_midnight() -> None:
    for name in ("Zipper Frog", "Bobbin Nightjar", "Wire Cricket", "Origami Bat"):
        activity = species_by_name(name).activity
        assert activity.at(12.0) < 0.01
        assert max(activity.at(h) for h in (20.5, 21.5, 22.0)) > 0.8
    assert species_by_name("Sieve Cicada").activity.at(0.0) < 0.01
    dawn = species_by_name("Synthetic Trillwren").activity
    assert dawn.at(5.2) > 2 * dawn.at(11.0)


def test_activity_goes_round_midnight() -> None:
    for species in SPECIES:
        assert species.activity.at(23.9999) == pytest.approx(species.activity.at(0.0), abs=1e-3)
        assert all(0 <= species.activity.at(h) <= 1 for h in np.arange(0, 24, 0.5))

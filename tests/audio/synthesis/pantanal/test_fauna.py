"""The species: five taxa, labels of both kinds, calls that differ between species."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from antiphon.audio.synthesis.pantanal.fauna import CLASSES, FAUNA, TAXA
from antiphon.audio.synthesis.pantanal.voices import (
    dialect_of,
    individual_of,
    recipe_of,
    render_call,
)
from antiphon.encoders.registry import create_encoder

RATE = 32_000


def test_five_taxa_and_labels_of_both_kinds() -> None:
    assert len(FAUNA) >= 28
    taxa = Counter(species.taxon for species in FAUNA)
    assert set(taxa) == set(TAXA)
    assert min(taxa.values()) >= 2
    numbers = [label for label in CLASSES if label.isdigit()]
    assert 5 <= len(numbers) < len(CLASSES)
    assert len(set(CLASSES)) == len(FAUNA)
    # As text in order: numbers come before codes.
    assert list(CLASSES) == sorted(CLASSES)
    assert CLASSES[: len(numbers)] == tuple(numbers)
    assert sum(-5 <= species.focal <= -2 for species in FAUNA) >= 4


def test_recipes_lie_within_the_bounds_of_their_calls() -> None:
    for species in FAUNA:
        for number, kind in enumerate(species.calls):
            assert kind.low_hz <= recipe_of(species, number).main_hz <= kind.high_hz


@pytest.mark.parametrize("species", FAUNA[::5], ids=lambda s: s.label)
def test_calls_are_heard_and_held_to_their_length(species) -> None:  # type: ignore[no-untyped-def]
    for number in range(len(species.calls)):
        who = individual_of(species, 0, 3, 1)
        call = render_call(species, number, who, RATE, np.random.default_rng(4))
        assert call.dtype == np.float32
        assert np.max(np.abs(call)) == pytest.approx(1.0, abs=1e-5)
        assert 0.01 < len(call) / RATE <= 6.0
        again = render_call(species, number, who, RATE, np.random.default_rng(4))
        np.testing.assert_array_equal(call, again)


def test_animals_of_a_place_have_its_dialect_in_common() -> None:
    species = FAUNA[0]
    pitch = np.array(
        [[individual_of(species, 0, place, n).pitch for n in range(40)] for place in range(40)]
    )
    there = np.array([dialect_of(species, 0, place).pitch for place in range(40)])
    # Means over many animals come near what the place has: what is their own averages out.
    assert np.corrcoef(np.log(pitch).mean(axis=1), np.log(there))[0, 1] > 0.95
    assert np.log(there).std() > 0.02
    assert np.log(pitch).std(axis=1).min() > 0.02
    other = individual_of(species, 1, 0, 0)
    assert other.pitch != individual_of(species, 0, 0, 0).pitch


def test_a_simple_encoder_mostly_tells_the_species_apart() -> None:
    """Nearest neighbours among other individuals of other places; chance is 1 in 32."""
    encoder = create_encoder("spectral")
    rate, n = encoder.spec.sample_rate, encoder.spec.window_samples
    windows, owner, place_of = [], [], []
    for k, species in enumerate(FAUNA):
        for place in range(4):
            rng = np.random.default_rng([k, place])
            call = render_call(species, 0, individual_of(species, 0, place, 0), rate, rng)[:n]
            window = 1e-4 * rng.standard_normal(n)
            at = int(rng.integers(0, n - len(call) + 1))
            window[at : at + len(call)] += call
            windows.append(window)
            owner.append(k)
            place_of.append(place)
    features = encoder.prepare(np.array(windows, np.float32), np.full(len(windows), n))
    vectors = encoder.encode(features).embeddings
    vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    likeness = vectors @ vectors.T
    likeness[np.array(place_of)[:, None] == np.array(place_of)] = -np.inf
    right = float(np.mean(np.array(owner)[likeness.argmax(axis=1)] == owner))
    assert 0.5 < right < 0.999

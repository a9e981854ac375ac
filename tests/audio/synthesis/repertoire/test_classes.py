"""The repertoire: classes, individuals, single events."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from antiphon.audio.synthesis.repertoire import Repertoire
from antiphon.audio.synthesis.repertoire.events import INDIVIDUALS, extent
from antiphon.audio.synthesis.repertoire.families import BIO, GENERAL
from antiphon.errors import UserError

RATE = 32_000
REPERTOIRE = Repertoire(3, 300, 300)


def first_of(family: str) -> list[int]:
    found = [c.index for c in REPERTOIRE.classes if c.family == family]
    return [index for index in found if REPERTOIRE.fits(index, RATE)][:3]


def test_classes_have_ids_names_and_paths_of_their_own() -> None:
    classes = REPERTOIRE.classes
    assert len(classes) == len(REPERTOIRE) == 600
    assert len({c.id for c in classes}) == len({c.path for c in classes}) == 600
    assert [c.index for c in classes] == list(range(600))
    one = classes[12]
    assert one.id == "b00012"
    assert one.path == f"bio/{one.family}/b00012"
    assert classes[300].id == "g00000"


def test_repertoires_of_one_seed_are_nested() -> None:
    small, large = Repertoire(5, 10, 5), Repertoire(5, 40, 20)
    for one in small.classes:
        other = next(c for c in large.classes if c.id == one.id)
        assert (one.family, one.name) == (other.family, other.name)
        a = small.event(one.index, np.random.default_rng(1), RATE)
        b = large.event(other.index, np.random.default_rng(1), RATE)
        np.testing.assert_array_equal(a, b)


def test_families_get_their_shares() -> None:
    for families, domain, count in ((BIO, "bio", 300), (GENERAL, "general", 300)):
        total = sum(f.weight for f in families)
        for family in families:
            found = sum(c.family == family.name and c.domain == domain for c in REPERTOIRE.classes)
            assert abs(found - count * family.weight / total) < 2.5, family.name


def test_an_event_follows_from_seed_class_individual_and_draw() -> None:
    again = pickle.loads(pickle.dumps(Repertoire(3, 300, 300)))
    for index in (0, 50, 310, 590):
        a = REPERTOIRE.event(index, np.random.default_rng([1, index]), RATE)
        b = again.event(index, np.random.default_rng([1, index]), RATE)
        np.testing.assert_array_equal(a, b)
        other = Repertoire(4, 300, 300).event(index, np.random.default_rng([1, index]), RATE)
        assert a.shape != other.shape or not np.array_equal(a, other)
        who = REPERTOIRE.individual(index, 7)
        assert who.pitch == again.individual(index, 7).pitch
        assert who.pitch != REPERTOIRE.individual(index, 8).pitch


def test_no_individual_is_in_two_splits() -> None:
    numbers = [n for first, count in INDIVIDUALS.values() for n in range(first, first + count)]
    assert len(numbers) == len(set(numbers))
    seen = {
        split: {
            REPERTOIRE.draw_individual(5, np.random.default_rng(k), split).pitch for k in range(60)
        }
        for split in ("train", "validation", "test")
    }
    assert len(seen["train"]) > 20
    assert not seen["train"] & seen["validation"]
    assert not seen["validation"] & seen["test"]


def test_classes_held_out_are_a_stated_share_and_stay_out() -> None:
    held = Repertoire(3, 300, 300, held_out=0.25)
    assert len(held.unseen) == pytest.approx(150, abs=35)
    assert not set(held.unseen) & set(held.seen)
    assert sorted([*held.unseen, *held.seen]) == list(range(600))
    more = Repertoire(3, 300, 300, held_out=0.5)
    assert set(held.unseen) <= set(more.unseen)


@pytest.mark.parametrize("family", [f.name for f in (*BIO, *GENERAL)])
def test_every_family_sounds(family: str) -> None:
    for index in first_of(family):
        for draw in range(2):
            rng = np.random.default_rng([draw, index])
            x = REPERTOIRE.event(index, rng, RATE)
            assert x.dtype == np.float32
            assert np.isfinite(x).all()
            assert 0.9 < np.abs(x).max() <= 1.0 + 1e-6
            assert 0.004 < len(x) / RATE < 7.0
            first, last = extent(x)
            assert last - first > 0.5 * len(x) or len(x) < RATE
            power = np.abs(np.fft.rfft(x)) ** 2
            f = np.fft.rfftfreq(len(x), 1 / RATE)
            assert power[f < 18].sum() < 0.2 * power.sum()
            assert power[f > 0.495 * RATE].sum() < 0.08 * power.sum()


@pytest.mark.parametrize(
    ("family", "low_hz", "high_hz"),
    [
        ("cricket", 1300, 15_000),
        ("fish-grunt", 30, 4500),
        ("fish-hum", 40, 5000),
        ("coo", 90, 4000),
        ("whistle", 400, 15_900),
        ("rumble", 15, 6000),
        ("thunder", 15, 5000),
        ("bell", 80, 15_900),
        ("speech", 50, 12_000),
        ("wing-hum", 50, 9000),
    ],
)
def test_families_sound_in_their_band(family: str, low_hz: float, high_hz: float) -> None:
    for index in first_of(family):
        x = REPERTOIRE.event(index, np.random.default_rng([4, index]), RATE)
        power = np.abs(np.fft.rfft(x)) ** 2
        f = np.fft.rfftfreq(len(x), 1 / RATE)
        inside = power[(f > low_hz) & (f < high_hz)].sum() / power.sum()
        assert inside > 0.95, (index, inside)


def test_what_is_too_high_for_a_rate_is_refused_and_never_chosen() -> None:
    high = [c.index for c in REPERTOIRE.classes if not REPERTOIRE.fits(c.index, 8000)]
    assert 20 < len(high) < 450
    with pytest.raises(UserError, match="higher sample rate"):
        REPERTOIRE.event(high[0], np.random.default_rng(0), 8000)
    rng = np.random.default_rng(1)
    chosen = {REPERTOIRE.choose(rng, 8000, range(600)) for _ in range(300)}
    assert not chosen & set(high)
    with pytest.raises(UserError, match="None of the classes"):
        REPERTOIRE.choose(rng, 8000, high[:3])


def test_mistakes_are_named() -> None:
    with pytest.raises(UserError, match="no class 600"):
        REPERTOIRE.event(600, np.random.default_rng(0), RATE)
    with pytest.raises(UserError, match="at least one class"):
        Repertoire(0, 0, 0)
    with pytest.raises(UserError, match="held out"):
        Repertoire(0, 5, 5, held_out=1.0)


def test_a_limit_shortens_an_event() -> None:
    for index in range(0, 600, 29):
        x = REPERTOIRE.event(index, np.random.default_rng(index), RATE, limit_s=0.5)
        # Resonances and strikes may ring on for a moment.
        assert len(x) / RATE < 0.5 + 0.65, REPERTOIRE.classes[index]

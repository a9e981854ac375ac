"""What a world consists of before any of it is made."""

from __future__ import annotations

from collections import Counter

import pytest

from antiphon.audio.synthesis.pantanal.fauna import FAUNA
from antiphon.audio.synthesis.pantanal.places import make_places, make_regions
from antiphon.audio.synthesis.pantanal.plan import (
    WorldSettings,
    focal_counts,
    plan_focal,
    plan_soundscapes,
)
from antiphon.errors import UserError
from antiphon.evaluation.blending.files.sites import site_and_hour

SETTINGS = WorldSettings(seed=3)


def test_focal_clips_have_a_long_tail() -> None:
    counts = focal_counts(600)
    assert sum(counts.values()) == 600
    for species in FAUNA:
        if species.focal <= 0:
            assert counts[species.label] == -species.focal
        else:
            assert counts[species.label] >= 2
    with_clips = sorted(count for count in counts.values() if count)
    assert with_clips[0] == 2
    assert with_clips[-1] > 10 * with_clips[4]
    # Two clips each, and the rest by weight.
    total = sum(s.focal for s in FAUNA if s.focal > 0)
    rare = sum(-s.focal for s in FAUNA if s.focal < 0)
    common = sum(s.focal > 0 for s in FAUNA)
    largest = 2 + (600 - rare - 2 * common) * 10 / total
    assert abs(counts["rivpip1"] - largest) < 1
    assert sum(focal_counts(80).values()) == 80


def test_focal_clips_come_from_regions_that_are_no_sites() -> None:
    plans = plan_focal(SETTINGS)
    assert [plan.number for plan in plans] == list(range(600))
    assert {plan.region.site.name[0] for plan in plans} == {"R"}
    authors = Counter(plan.author for plan in plans)
    assert len(authors) > 10
    assert authors.most_common(1)[0][1] > 5 * min(authors.values())
    # A recordist keeps to one region.
    assert len({(plan.author, plan.region.site.name) for plan in plans}) == len(authors)
    for plan in plans[::50]:
        assert 6.0 <= plan.seconds <= 20.0
        assert plan.species.activity.at(plan.hour) > 0
    assert plan_focal(SETTINGS) == plans
    assert plan_focal(WorldSettings(seed=4)) != plans


def test_soundscapes_are_split_by_site_and_spread_over_the_day() -> None:
    plans = plan_soundscapes(SETTINGS)
    counts = Counter(plan.split for plan in plans)
    assert counts == {"labelled": 45, "unlabelled": 60, "test": 45}
    sites = {
        split: {plan.place.site.name for plan in plans if plan.split == split} for split in counts
    }
    assert sites["labelled"] == {f"S{k:02d}" for k in range(1, 6)}
    assert sites["unlabelled"] == {f"S{k:02d}" for k in range(1, 11)}
    assert sites["test"] == {f"S{k:02d}" for k in range(4, 13)}
    for split in counts:
        hours = {plan.start.hour for plan in plans if plan.split == split}
        assert len(hours) >= 22
    stems = [plan.stem for plan in plans]
    assert len(set(stems)) == len(stems)
    for plan in plans:
        assert plan.stem.startswith("BC2026_Test" if plan.split == "test" else "BC2026_Train")
        assert site_and_hour(plan.stem) == (plan.place.site.name, plan.start.hour)


def test_every_species_is_a_guest_somewhere() -> None:
    plans = plan_soundscapes(SETTINGS)
    for split, least in (("labelled", 1), ("test", 2)):
        guests = Counter(s.label for plan in plans if plan.split == split for s in plan.guests)
        assert set(guests) == {species.label for species in FAUNA}
        assert min(guests.values()) >= least
    assert max(len(plan.guests) for plan in plans) <= 2


def test_places_differ_and_communities_differ() -> None:
    places = make_places(0, 10)
    communities = {frozenset(s.label for s in place.community()) for place in places}
    assert len(communities) == 10
    assert len({place.site.floor_db for place in places}) > 5
    assert len({place.site.reverberation_s for place in places}) > 5
    assert {place.site.habitat for place in places} == {"wetland", "forest", "meadow"}
    assert make_places(0, 12)[:10] == places
    numbers = {place.number for place in places}
    assert not numbers & {region.number for region in make_regions(0, 9)}


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        (WorldSettings(seed=-1), "seed"),
        (WorldSettings(focal=79), "79 focal clips"),
        (WorldSettings(soundscapes=9), "10 or more soundscapes"),
        (WorldSettings(sites=7), "8 to 99 sites"),
        (WorldSettings(sample_rate=16_000), "32,000"),
        (WorldSettings(soundscape_s=12.0), "does not divide"),
        (WorldSettings(window_s=0.0), "does not divide"),
        (WorldSettings(focal_s=(9.0, 4.0)), "cannot last 9 to 4"),
    ],
)
def test_mistakes_are_named(settings: WorldSettings, problem: str) -> None:
    with pytest.raises(UserError, match=problem):
        settings.check()

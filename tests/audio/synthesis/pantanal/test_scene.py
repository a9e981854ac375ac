"""Recordings: their truth fits their sound, and nothing is too crowded."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import numpy as np

from antiphon.audio.synthesis.bouts import Bout
from antiphon.audio.synthesis.pantanal.fauna import BY_LABEL, FAUNA, PantanalSpecies
from antiphon.audio.synthesis.pantanal.labels import window_labels
from antiphon.audio.synthesis.pantanal.places import make_places
from antiphon.audio.synthesis.pantanal.plan import (
    ScapePlan,
    WorldSettings,
    plan_focal,
    plan_soundscapes,
)
from antiphon.audio.synthesis.pantanal.scene import (
    MIN_SNR_DB,
    MOST_AT_ONCE,
    admit,
    make_focal,
    make_soundscape,
)

SETTINGS = WorldSettings(seed=5, soundscape_s=20.0, focal_s=(3.0, 5.0))


def bout(species: PantanalSpecies, start_s: float, end_s: float) -> Bout[PantanalSpecies]:
    return Bout(species, 0, start_s, end_s, 20.0, -12.0, False)


def test_no_stretch_holds_more_than_five_species() -> None:
    rng = np.random.default_rng(0)
    many = [bout(species, 0.0, 30.0) for species in FAUNA]
    guests = [bout(FAUNA[-1], 2.0, 8.0), bout(FAUNA[-2], 2.0, 8.0)]
    taken = admit(guests, many, 60.0, rng)
    assert taken[:2] == guests
    # Of the guests' species a longer bout may follow; three others find room.
    assert len({one.species.label for one in taken}) == MOST_AT_ONCE
    # Bouts that begin after the last calls of the others have room again.
    later = [bout(species, 40.0, 50.0) for species in FAUNA[:3]]
    both = admit(guests, [*many, *later], 60.0, np.random.default_rng(0))
    assert len(both) > len(taken)


def test_a_soundscape_is_the_same_each_time_and_holds_its_guests() -> None:
    plan = next(p for p in plan_soundscapes(SETTINGS) if len(p.guests) == 2)
    made = make_soundscape(plan, SETTINGS)
    assert made.audio.shape == (20 * 32_000,)
    assert np.max(np.abs(made.audio)) < 1.0
    heard = {event.label for event in made.events}
    assert {species.label for species in plan.guests} <= heard
    again = make_soundscape(plan, SETTINGS)
    np.testing.assert_array_equal(made.audio, again.audio)
    assert made.events == again.events
    other = make_soundscape(plan, replace(SETTINGS, seed=6))
    assert not np.array_equal(made.audio, other.audio)


def test_events_lie_in_the_recording_and_are_audible() -> None:
    counts = []
    for plan in plan_soundscapes(SETTINGS)[::15]:
        made = make_soundscape(plan, SETTINGS)
        for event in made.events:
            assert 0.0 <= event.start_s < event.end_s <= 20.0
            assert 0.0 <= event.low_hz < event.high_hz <= 16_000.0
            assert event.snr_db >= MIN_SNR_DB
            kinds = {kind.family for kind in BY_LABEL[event.label].calls}
            assert event.call in kinds
        counts += [len(labels) for labels in window_labels(made.events, 4, 5.0)]
    assert max(counts) <= MOST_AT_ONCE
    assert 0 in counts
    assert max(counts) >= 2


def test_an_event_is_where_the_sound_is() -> None:
    """The power in a call's band, over that of the clip's silence, is the ratio told."""
    rate = 32_000
    longer = replace(SETTINGS, focal_s=(9.0, 10.0))
    differences = []
    for plan in [p for p in plan_focal(longer) if p.species.label in ("trekno1", "41207")][:12]:
        made = make_focal(plan, longer)
        silent = np.ones(len(made.audio), bool)
        for event in made.events:
            # Echoes ring on after a call.
            silent[round(event.start_s * rate) : round((event.end_s + 1.0) * rate)] = False
        loud = [e for e in made.events if e.role == "focal" and e.snr_db > 15.0]
        if not loud or silent.sum() < 0.2 * rate:
            continue
        spectrum = np.fft.rfft(made.audio)
        hertz = np.fft.rfftfreq(len(made.audio), 1.0 / rate)
        inside = (hertz >= loud[0].low_hz) & (hertz <= loud[0].high_hz)
        band = np.fft.irfft(np.where(inside, spectrum, 0.0), len(made.audio))
        call = band[round(loud[0].start_s * rate) : round(loud[0].end_s * rate)]
        ratio = np.mean(call**2) / np.mean(band[silent] ** 2)
        differences.append(10.0 * np.log10(ratio) - loud[0].snr_db)
    assert len(differences) >= 4
    # Gusts and passing noises move single ones.
    assert abs(float(np.median(differences))) < 3.0


def test_focal_clips_hold_their_animal_and_sometimes_others() -> None:
    behind = 0
    plans = plan_focal(SETTINGS)[::30]
    for plan in plans:
        made = make_focal(plan, SETTINGS)
        assert len(made.audio) == round(plan.seconds * 32_000)
        roles = {event.role for event in made.events if event.label == plan.species.label}
        assert roles == {"focal"}
        names = {event.individual for event in made.events if event.role == "focal"}
        assert names == {f"{plan.region.site.name}-{100 + plan.number}"}
        behind += any(event.role == "background" for event in made.events)
    assert 0 < behind < len(plans)


def test_frogs_call_at_night_and_birds_by_day() -> None:
    place = next(p for p in make_places(5, 10) if p.site.habitat == "wetland")
    short = replace(SETTINGS, soundscape_s=10.0)
    heard = {}
    for hour in (22, 8):
        taxa = [
            BY_LABEL[event.label].taxon
            for number in range(10)
            for event in make_soundscape(
                ScapePlan("unlabelled", number, place, datetime(2025, 2, 3, hour), ()), short
            ).events
        ]
        heard[hour] = (taxa.count("Amphibia"), taxa.count("Aves"))
    assert heard[22][0] > heard[22][1]
    assert heard[8][0] < heard[8][1]


def test_frogs_like_rain_and_crickets_do_not() -> None:
    assert BY_LABEL["22101"].wet > 1.0 > BY_LABEL["47311"].wet

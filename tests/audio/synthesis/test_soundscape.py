"""Recordings and their truth."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import datetime

import numpy as np
import pytest
from scipy import signal

from antiphon.audio.synthesis.sites import Site, make_site
from antiphon.audio.synthesis.soundscape import SceneConfig, Soundscape, synthesise_recording
from antiphon.audio.synthesis.species import species_by_name
from antiphon.errors import UserError

DAY = datetime(2026, 5, 4)


def scene(
    config: SceneConfig,
    *,
    hour: int = 5,
    habitat: str = "forest",
    seed: int = 0,
    site_index: int = 0,
) -> Soundscape:
    site = make_site(0, site_index, habitat)
    return synthesise_recording(config, site, DAY.replace(hour=hour), np.random.default_rng(seed))


def dry(habitat: str = "meadow") -> Site:
    """A site without scattered sound, so that what is not background is direct sound."""
    return replace(make_site(0, 0, habitat), reverberation_s=0.0)


def test_the_same_generator_gives_the_same_recording() -> None:
    config = SceneConfig(duration_s=10)
    first, second = scene(config), scene(config)
    np.testing.assert_array_equal(first.audio, second.audio)
    assert first.events == second.events
    assert not np.array_equal(first.audio, scene(config, seed=1).audio)


def test_shape_range_and_order() -> None:
    config = SceneConfig(sample_rate=24_000, duration_s=12.5, activity=3.0)
    found = scene(config)
    assert found.audio.dtype == np.float32
    assert found.audio.shape == (300_000,)
    assert np.max(np.abs(found.audio)) < 1.0
    starts = [e.start_s for e in found.events]
    assert starts == sorted(starts)
    assert all(0 <= e.start_s < e.end_s <= 12.5 for e in found.events)
    assert all(e.snr_db >= config.min_snr_db for e in found.events)


def test_nothing_but_background_sounds_outside_the_events() -> None:
    config = SceneConfig(sample_rate=24_000, duration_s=40, keep_background=True, activity=6.0)
    found = synthesise_recording(config, dry(), DAY.replace(hour=8), np.random.default_rng(2))
    assert len(found.events) > 3
    assert found.background is not None
    calls = found.audio - found.background
    inside = np.zeros(len(calls), bool)
    for event in found.events:
        first, last = round(event.start_s * 24_000), round(event.end_s * 24_000)
        assert first / 24_000 == event.start_s
        inside[first:last] = True
    assert np.all(calls[~inside] == 0)
    assert np.any(calls[inside] != 0)


def isolated(found: Soundscape) -> list[int]:
    spans = [(e.start_s, e.end_s) for e in found.events]
    return [
        i
        for i, (start, end) in enumerate(spans)
        if all(j == i or b <= start or a >= end for j, (a, b) in enumerate(spans))
    ]


def test_band_and_snr_of_isolated_calls_are_as_stated() -> None:
    rate = 24_000
    config = SceneConfig(sample_rate=rate, duration_s=60, keep_background=True)
    checked = 0
    for hour in (6, 10, 21):
        found = synthesise_recording(
            config, dry(), DAY.replace(hour=hour), np.random.default_rng(hour)
        )
        assert found.background is not None
        assert found.compressed == 0
        for index in isolated(found):
            event = found.events[index]
            first, last = round(event.start_s * rate), round(event.end_s * rate)
            if last - first < 0.15 * rate:
                continue
            noise = found.background[first:last].astype(np.float64)
            call = found.audio[first:last].astype(np.float64) - noise
            power = np.abs(np.fft.rfft(call)) ** 2
            f = np.fft.rfftfreq(len(call), 1 / rate)
            inside = (f >= event.low_hz) & (f <= event.high_hz)
            assert power[inside].sum() > 0.95 * power.sum()
            high = min(event.high_hz, 0.499 * rate)
            sos = signal.butter(6, [event.low_hz, high], "band", fs=rate, output="sos")
            # Filtered as a whole, so that the filter has settled where the call is.
            wide = signal.sosfiltfilt(sos, found.background.astype(np.float64))[first:last]
            snr = 10 * np.log10(np.mean(call**2) / np.mean(wide**2))
            assert event.snr_db == pytest.approx(snr, abs=2.0)
            checked += 1
    assert checked >= 8


def test_leaving_a_species_out_changes_nothing_of_the_others() -> None:
    both = SceneConfig(duration_s=30, species=("Paper Thrush", "Synthetic Trillwren"), activity=3)
    alone = replace(both, species=("Paper Thrush",))
    with_both, with_one = scene(both), scene(alone)
    thrushes = [e for e in with_both.events if e.species == "Paper Thrush"]
    assert thrushes
    assert tuple(thrushes) == with_one.events


def test_frogs_call_at_night_and_not_at_noon() -> None:
    config = SceneConfig(sample_rate=24_000, duration_s=60, species=("Zipper Frog",))
    counts = {
        hour: sum(len(scene(config, hour=hour, habitat="wetland", seed=k).events) for k in range(6))
        for hour in (12, 22)
    }
    assert counts[12] == 0
    assert counts[22] > 10


def test_rare_species_are_rarer() -> None:
    names = ("Lantern Whistler", "Pocket Whistler")
    config = SceneConfig(sample_rate=24_000, duration_s=120, species=names)
    counts: Counter[str] = Counter()
    for k in range(8):
        found = scene(config, hour=8, seed=k, site_index=k)
        counts.update(e.species for e in found.events)
    assert counts["Lantern Whistler"] > 2 * counts["Pocket Whistler"]


def test_nearer_callers_are_louder() -> None:
    config = SceneConfig(
        sample_rate=24_000, duration_s=120, species=("Synthetic Trillwren",), activity=8
    )
    events = scene(config).events
    assert len(events) > 30
    distance = np.log10([e.distance_m for e in events])
    snr = [e.snr_db for e in events]
    slope = np.polyfit(distance, snr, 1)[0]
    # 20 dB per tenfold distance and absorption on top, with the jitter between calls.
    assert -50 < slope < -15
    assert {e.individual for e in events} == {0, 1, 2, 3}


def test_calls_cover_each_other_in_a_chorus() -> None:
    events = scene(SceneConfig(duration_s=60, activity=2)).events
    overlaps = [
        (a, b) for a in events for b in events if a.start_s < b.start_s < a.end_s and a is not b
    ]
    assert any(a.species != b.species for a, b in overlaps)


def test_whales_are_heard_at_8_khz_and_bats_at_256_khz() -> None:
    sea = SceneConfig(sample_rate=8000, duration_s=60, activity=2)
    species = {e.species for k in range(3) for e in scene(sea, habitat="marine", seed=k).events}
    assert species == {"Cellar Whale"}
    night = SceneConfig(sample_rate=256_000, duration_s=5, activity=6, species=("Origami Bat",))
    bats = [e for k in range(2) for e in scene(night, hour=22, seed=k).events]
    assert bats
    assert all(e.low_hz > 20_000 for e in bats)
    assert species_by_name("Origami Bat") not in SceneConfig(sample_rate=96_000).repertoire()


def test_too_loud_a_scene_is_compressed_and_counted() -> None:
    site = replace(dry(), gain_db=70.0)
    config = SceneConfig(sample_rate=24_000, duration_s=5)
    found = synthesise_recording(config, site, DAY, np.random.default_rng(0))
    assert found.compressed > 0
    assert np.max(np.abs(found.audio)) <= 1.0


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"sample_rate": 1000}, "2000 Hz or more"),
        ({"duration_s": 0.5}, "1 s or more"),
        ({"duration_s": float("nan")}, "1 s or more"),
        ({"activity": -1.0}, "0 or more"),
        ({"species": ("Robin",)}, "no synthetic species 'Robin'"),
        ({"species": ("Origami Bat",)}, "needs a sample rate of 192000 Hz"),
    ],
)
def test_impossible_scenes_are_refused(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(UserError, match=message):
        SceneConfig(**wrong)  # type: ignore[arg-type]

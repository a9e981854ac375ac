"""Clips: their truth against what is in the samples."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import signal

from antiphon.audio.synthesis.repertoire import Clip, Repertoire
from antiphon.audio.synthesis.repertoire.clip import make_clip
from antiphon.errors import UserError

RATE = 32_000
SECONDS = 3.0
REPERTOIRE = Repertoire(2, 120, 100)


def clips(count: int, **options: object) -> list[Clip]:
    return [
        make_clip(REPERTOIRE, np.random.default_rng([1, k]), RATE, SECONDS, **options)  # type: ignore[arg-type]
        for k in range(count)
    ]


MANY = clips(120, keep_background=True)
# In the others sound and background no longer add up.
PLAIN = [clip for clip in MANY if not clip.overdriven]


def test_a_clip_follows_from_seed_and_number() -> None:
    a = REPERTOIRE.clip_at(7, RATE, SECONDS)
    b = Repertoire(2, 120, 100).clip_at(7, RATE, SECONDS)
    np.testing.assert_array_equal(a.waveform, b.waveform)
    assert a.events == b.events
    for other in (
        REPERTOIRE.clip_at(8, RATE, SECONDS),
        REPERTOIRE.clip_at(7, RATE, SECONDS, split="validation"),
    ):
        assert not np.array_equal(a.waveform, other.waveform)


def test_samples_are_finite_and_within_bounds_and_truth_is_in_the_clip() -> None:
    for clip in MANY:
        assert clip.waveform.dtype == np.float32
        assert clip.waveform.shape == (round(SECONDS * RATE),)
        assert np.isfinite(clip.waveform).all()
        assert 0.02 < np.abs(clip.waveform).max() <= 1.0
        assert abs(float(clip.waveform.mean())) < 0.01
        assert clip.labels == tuple(sorted({e.index for e in clip.events}))
        assert len(clip.events) <= 4
        for event in clip.events:
            assert 0.0 <= event.start_s < event.end_s <= SECONDS
            assert 0.0 <= event.low_hz < event.high_hz <= RATE / 2


def test_clips_are_of_all_kinds() -> None:
    counts = np.bincount([len(clip.labels) for clip in MANY], minlength=4)
    assert counts[0] >= 1
    assert counts[1] > 0.45 * len(MANY)
    assert counts[2] >= 10
    assert counts[3] >= 4
    ratios = np.array([e.snr_db for clip in MANY for e in clip.events])
    assert np.isinf(ratios).any()
    assert np.min(ratios) < 2.0
    assert np.max(ratios[np.isfinite(ratios)]) > 30.0


def band_power(x: np.ndarray, low_hz: float, high_hz: float) -> float:
    """Return the energy of samples in a band, by SciPy."""
    f, power = signal.periodogram(x.astype(np.float64), RATE, "boxcar", detrend=False)
    return float(power[(f >= low_hz) & (f < high_hz)].sum() * len(x))


def test_the_ratio_to_the_background_is_the_stated_one() -> None:
    errors = []
    for clip in PLAIN:
        if len(clip.labels) != 1 or not np.isfinite(clip.events[0].snr_db):
            continue
        bands = {(e.low_hz, e.high_hz) for e in clip.events}
        assert len(bands) == 1
        low, high = bands.pop()
        sound = clip.waveform - clip.background
        active = sum(e.end_s - e.start_s for e in clip.events)
        signal_power = band_power(sound, low, high) / active
        noise_power = band_power(clip.background, low, high) / SECONDS
        found = 10 * np.log10(signal_power / noise_power)
        # Events of a bout differ; their energies add up to that of the bout.
        stated = 10 * np.log10(
            sum(10 ** (e.snr_db / 10) * (e.end_s - e.start_s) for e in clip.events) / active
        )
        errors.append(found - stated)
    assert len(errors) > 40
    errors_db = np.abs(errors)
    # Of echoes, what falls behind the end of the clip is missed.
    assert np.median(errors_db) < 0.3
    assert np.percentile(errors_db, 90) < 1.5


def test_the_band_holds_the_energy() -> None:
    for clip in PLAIN:
        if len(clip.labels) == 1 and clip.events[0].snr_db > 20:
            sound = clip.waveform - clip.background
            low, high = clip.events[0].low_hz, clip.events[0].high_hz
            share = band_power(sound, low, high) / max(band_power(sound, 0, RATE), 1e-30)
            assert share > 0.88


def test_sound_begins_where_the_truth_says() -> None:
    checked = 0
    for clip in PLAIN:
        if len(clip.labels) != 1:
            continue
        sound = clip.waveform - clip.background
        energy = np.cumsum(np.square(sound, dtype=np.float64))
        first = round(min(e.start_s for e in clip.events) * RATE)
        # Nothing before the first event but the foot of a filter.
        before = energy[max(first - round(0.01 * RATE), 0)] / energy[-1]
        assert before < 0.01
        # And by the end of the last one most of it has been heard, the rest are echoes.
        last = min(round(max(e.end_s for e in clip.events) * RATE), len(sound)) - 1
        assert energy[last] / energy[-1] > 0.6
        checked += 1
    assert checked > 50


def test_events_hold_more_energy_than_the_rest_of_their_clip() -> None:
    for clip in MANY:
        if len(clip.labels) != 1:
            continue
        inside = np.zeros(len(clip.waveform), bool)
        for event in clip.events:
            inside[round(event.start_s * RATE) : round(event.end_s * RATE)] = True
        if 0.05 < inside.mean() < 0.8 and clip.events[0].snr_db > 15:
            power = np.square(clip.waveform - clip.background)
            assert power[inside].mean() > power[~inside].mean()


def test_only_the_classes_asked_for_are_heard() -> None:
    pool = [3, 40, 130, 200]
    found = [clip.labels for clip in clips(40, classes=pool)]
    assert {index for labels in found for index in labels} == set(pool)
    assert max(len(labels) for labels in clips(30, classes=[5]) for labels in [labels.labels]) == 1
    held = Repertoire(2, 120, 100, held_out=0.5)
    heard = {index for k in range(40) for index in held.clip_at(k, RATE, 1.0).labels}
    assert heard <= set(held.seen.tolist())
    with pytest.raises(UserError, match="no class to choose"):
        clips(1, classes=[])


@pytest.mark.parametrize(("rate", "seconds"), [(8000, 1.0), (16_000, 0.5), (48_000, 5.0)])
def test_any_rate_and_length(rate: int, seconds: float) -> None:
    for k in range(8):
        clip = REPERTOIRE.clip(np.random.default_rng(k), rate, seconds)
        assert clip.waveform.shape == (round(seconds * rate),)
        assert np.isfinite(clip.waveform).all()
        assert all(e.end_s <= seconds and e.high_hz <= rate / 2 for e in clip.events)

"""Calls on a stage: their place, the edges, and the ratio to the background."""

from __future__ import annotations

import numpy as np
import pytest

from antiphon.audio.synthesis.mixing import KNEE, Stage, add_call, band_power, limit
from antiphon.audio.synthesis.propagation import Path
from antiphon.audio.synthesis.sites import make_site

RATE = 16_000
NEAR = Path(1.0, reverberation_s=0.0)


def stage(least_db: float = -3.0) -> Stage:
    noise = 0.01 * np.random.default_rng(0).standard_normal(2 * RATE).astype(np.float32)
    return Stage(make_site(0, 0, "forest"), RATE, noise.copy(), noise, least_db)


def tone(seconds: float, amplitude: float = 0.1) -> np.ndarray:
    time = np.arange(round(seconds * RATE)) / RATE
    return (amplitude * np.sin(2 * np.pi * 2000.0 * time)).astype(np.float32)


def test_a_call_lies_where_it_was_put_with_its_ratio() -> None:
    there = stage()
    heard = add_call(there, tone(0.5), RATE, NEAR, np.random.default_rng(1))
    assert heard is not None
    assert (heard.first, heard.last) == (RATE, RATE + RATE // 2)
    assert heard.low_hz < 2000.0 < heard.high_hz
    changed = np.flatnonzero(there.mix != there.background)
    assert RATE <= changed[0] < RATE + 8
    assert changed[-1] < RATE + RATE // 2
    # White noise of power 1e-4 over 8 kHz, of which the band of the call holds a share.
    noise = 1e-4 * (heard.high_hz - heard.low_hz) / (RATE / 2)
    expected = 10.0 * np.log10(0.98 * 0.1**2 / 2.0 / noise)
    assert heard.snr_db == pytest.approx(expected, abs=3.0)


def test_what_is_cut_too_short_or_too_soft_is_left_out() -> None:
    there = stage()
    rng = np.random.default_rng(1)
    assert add_call(there, tone(0.4), -round(0.3 * RATE), NEAR, rng) is None
    assert add_call(there, tone(0.4, 1e-6), 0, NEAR, rng) is None
    np.testing.assert_array_equal(there.mix, there.background)
    # A quarter of a second of a long call is enough.
    cut = add_call(there, tone(1.0), -round(0.7 * RATE), NEAR, rng)
    assert cut is not None
    assert (cut.first, cut.last) == (0, round(0.3 * RATE))


def test_band_power_of_white_noise_is_its_share() -> None:
    noise = np.random.default_rng(2).standard_normal(8 * RATE).astype(np.float32)
    power = band_power(noise, 0, len(noise), 1000.0, 3000.0, RATE)
    assert power == pytest.approx(0.25, rel=0.03)
    short = band_power(noise, 100, 164, 1000.0, 3000.0, RATE)
    assert short == pytest.approx(0.25, rel=0.5)


def test_the_limiter_leaves_what_is_soft_and_keeps_the_rest_below_one() -> None:
    audio = np.array([0.5, -KNEE, 0.95, -40.0], np.float32)
    assert limit(audio) == 2
    np.testing.assert_array_equal(audio[:2], np.array([0.5, -KNEE], np.float32))
    assert KNEE < audio[2] < 0.95
    assert -1.0 <= audio[3] < -KNEE

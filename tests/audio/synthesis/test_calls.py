"""Building blocks against closed forms and SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import signal

from antiphon.audio.synthesis.calls import (
    contour,
    fade,
    harmonics,
    hyperbolic,
    noise_band,
    pulses,
    sequence,
    tone,
    trimmed,
)

RATE = 16_000


def test_harmonics_equal_a_sum_of_sines() -> None:
    frequency = np.linspace(300.0, 500.0, 4000)
    phase = 2 * np.pi * np.cumsum(frequency) / RATE
    weights = [1.0, 0.0, 0.5, 0.25]
    expected = sum(w * np.sin(k * phase) for k, w in enumerate(weights, start=1))
    np.testing.assert_allclose(harmonics(frequency, weights, RATE), expected, atol=2e-3)


def test_partials_above_the_limit_are_left_out_instead_of_aliased() -> None:
    frequency = np.full(RATE, 3000.0)
    spectrum = np.abs(np.fft.rfft(harmonics(frequency, [1.0] * 6, RATE)))
    # Partials at 3 and 6 kHz fit; 9 kHz would come back at 7 kHz.
    assert spectrum[3000] > 1000
    assert spectrum[6000] > 1000
    assert spectrum[7000] < 1.0


def test_a_tone_has_the_pitch_it_was_given() -> None:
    spectrum = np.abs(np.fft.rfft(tone(np.full(RATE, 1234.0), RATE)))
    assert int(np.argmax(spectrum)) == 1234


def test_a_hyperbolic_sweep_changes_its_period_evenly() -> None:
    sweep = hyperbolic(101, 80_000.0, 40_000.0)
    assert sweep[0] == pytest.approx(80_000)
    assert sweep[-1] == pytest.approx(40_000)
    assert sweep[50] == pytest.approx(1 / ((1 / 80_000 + 1 / 40_000) / 2))


@given(
    st.lists(st.floats(100.0, 9000.0), min_size=2, max_size=6),
    st.integers(2, 500),
)
def test_a_contour_stays_between_its_points_and_meets_its_ends(values: list[float], n: int) -> None:
    places = np.linspace(0.0, 1.0, len(values)).tolist()
    curve = contour(n, *zip(places, values, strict=True))
    assert curve[0] == pytest.approx(values[0])
    assert curve[-1] == pytest.approx(values[-1])
    assert curve.min() >= min(values) - 1e-6
    assert curve.max() <= max(values) + 1e-6


def test_a_fade_is_silent_at_both_ends() -> None:
    envelope = fade(1000, 0.2, 0.3)
    assert envelope[0] == 0
    assert envelope[-1] == pytest.approx(0, abs=1e-6)
    assert envelope.max() == pytest.approx(1.0)


def test_noise_keeps_to_its_band() -> None:
    noise = noise_band(RATE, 1000.0, 3000.0, RATE, np.random.default_rng(0))
    f, power = signal.welch(noise, RATE, nperseg=2048)
    assert noise.std() == pytest.approx(1.0, abs=1e-3)
    assert power[(f >= 950) & (f <= 3050)].sum() > 0.999 * power.sum()


def test_pulses_come_at_their_rate_with_silence_between() -> None:
    gate = pulses(np.full(RATE, 20.0), RATE, 0.25)
    onsets = np.count_nonzero((gate[1:] > 0) & (gate[:-1] == 0))
    assert onsets in (19, 20)
    assert np.mean(gate > 0) == pytest.approx(0.25, abs=0.01)


def test_a_sequence_adds_where_parts_overlap() -> None:
    ones = np.ones(4, np.float32)
    out = sequence([ones, ones], [0.0, 2 / RATE], RATE)
    np.testing.assert_array_equal(out, [1, 1, 2, 2, 1, 1])


def test_trimming_removes_silence_only() -> None:
    call = np.array([0, 0, 0.5, 0, -2, 0.0001, 0], np.float32)
    np.testing.assert_allclose(trimmed(call), [0.25, 0, -1])

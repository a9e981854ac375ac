from __future__ import annotations

import numpy as np
import pytest
import scipy.signal

from antiphon.audio.augmentation.waveform import (
    add_at_snr,
    low_pass,
    mix,
    power,
    shift,
    within_full_scale,
)


def noise(seed: int, n: int = 4000, level: float = 0.1) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(n, dtype=np.float32) * np.float32(level)


@pytest.mark.parametrize("snr_db", [-10.0, 0.0, 7.5, 20.0])
@pytest.mark.parametrize("level", [1e-4, 0.1, 3.0])
def test_the_noise_has_the_ratio_that_was_asked_for(snr_db, level):
    clip, other = noise(0, level=0.02), noise(1, level=level)
    mixed, scale = add_at_snr(clip, other, snr_db)
    added = mixed.astype(np.float64) - clip
    ratio = 10 * np.log10(np.mean(clip.astype(np.float64) ** 2) / np.mean(added**2))
    assert ratio == pytest.approx(snr_db, abs=0.01)
    np.testing.assert_allclose(added, scale * other, atol=1e-6)


def test_silence_has_no_ratio():
    silent = np.zeros(100, np.float32)
    for clip, other in ((silent, noise(1, 100)), (noise(1, 100), silent)):
        mixed, scale = add_at_snr(clip, other, 0.0)
        assert scale == 0.0
        np.testing.assert_array_equal(mixed, clip)


def test_mixture_is_the_weighted_sum():
    x = np.array([1, 0, -1, 0], np.float32)
    y = np.array([0, 4, 0], np.float32)
    np.testing.assert_allclose(mix(x, y, 0.75, equal_power=False), [0.75, 1.0, -0.75, 0.0])
    # Mean squares 1/2 and 16/3: the partner is multiplied by sqrt(3 / 32) before.
    expected = [0.75, 0.25 * 4 * np.sqrt(3 / 32), -0.75, 0.0]
    np.testing.assert_allclose(mix(x, y, 0.75, equal_power=True), expected, rtol=1e-6)
    assert len(mix(y, x, 0.5, equal_power=True)) == 4


def test_equal_power_leaves_a_silent_partner():
    x = noise(0, 10)
    np.testing.assert_allclose(mix(x, 0 * x, 0.6, equal_power=True), 0.6 * x, rtol=1e-6)


def test_shift_goes_around():
    np.testing.assert_array_equal(shift(np.arange(5, dtype=np.float32), 2), [3, 4, 0, 1, 2])


@pytest.mark.parametrize(("cut", "order"), [(0.15, 4), (0.5, 4), (0.9, 8)])
def test_low_pass_is_a_butterworth(cut, order):
    impulse = np.zeros(1 << 14, np.float32)
    impulse[0] = 1.0
    response = np.abs(np.fft.rfft(low_pass(impulse, cut, order)))
    frequency = np.linspace(0, 1, len(response))
    # Bilinear transform: the analogue prototype at the tangents of the frequencies.
    bent = np.tan(np.pi * frequency[:-1] / 2) / np.tan(np.pi * cut / 2)
    np.testing.assert_allclose(response[:-1], 1 / np.sqrt(1 + bent ** (2 * order)), atol=2e-4)
    sections = scipy.signal.butter(order, cut, output="sos")
    np.testing.assert_allclose(
        low_pass(noise(0), cut, order), scipy.signal.sosfilt(sections, noise(0)), atol=2e-5
    )


def test_turning_down_keeps_the_shape():
    x = np.array([0.5, -2.0, 1.0], np.float32)
    np.testing.assert_allclose(within_full_scale(x), x / 2)
    quiet = np.array([0.5, -1.0], np.float32)
    assert within_full_scale(quiet) is quiet


def test_power_of_nothing_is_zero():
    assert power(np.empty(0, np.float32)) == 0.0
    assert power(np.array([3, -3], np.float32)) == 9.0

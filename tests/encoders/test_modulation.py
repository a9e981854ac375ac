from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import scipy.signal
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.encoders.calibration import calibration_sounds
from antiphon.encoders.modulation import band_statistics, level_features, scattering

BANDS = 80


def pattern(cycles_per_frame: float, cycles_per_band: float, frames: int = 256) -> np.ndarray:
    """Return a plane wave over a log-mel plane."""
    time, band = np.meshgrid(np.arange(frames), np.arange(BANDS), indexing="ij")
    phase = 2 * np.pi * (cycles_per_frame * time + cycles_per_band * band)
    return np.cos(phase).astype(np.float32)


def means(log_mel: np.ndarray) -> np.ndarray:
    """Mean modulus, ``(octave, width, orientation)``, from the layout that is documented."""
    values = np.exp(scattering(log_mel)) - 0.02
    return values.reshape(6, 2, 2, 8, 12)[:, 0].mean(axis=-1)


@pytest.mark.parametrize("octave", [0, 1, 2, 3])
@pytest.mark.parametrize(("orientation", "direction"), [(0, (1, 0)), (2, (1, 1)), (6, (-1, 1))])
def test_a_plane_wave_answers_in_its_rate_and_orientation(
    octave: int, orientation: int, direction: tuple[int, int]
) -> None:
    # Wavelength 4 across the wave at its own octave, where time is 2**octave times slower.
    step = 0.25 / np.hypot(*direction)
    wave = pattern(direction[0] * step / 2**octave, direction[1] * step, frames=512)
    found = means(wave)[:, 0]
    assert np.unravel_index(found.argmax(), found.shape) == (octave, orientation)


def test_rising_and_falling_sweeps_differ() -> None:
    rising, falling = means(pattern(-0.17, 0.17)), means(pattern(0.17, 0.17))
    assert rising[0, 0].argmax() != falling[0, 0].argmax()
    mirrored = [0, 7, 6, 5, 4, 3, 2, 1]
    np.testing.assert_allclose(rising[0, 0], falling[0, 0][mirrored], rtol=0.1, atol=0.02)


def test_first_octave_against_scipy() -> None:
    log_mel = np.random.default_rng(0).standard_normal((40, BANDS)).astype(np.float32)
    # Filter 0 of width 4 varies along time only; written out anew from its definition.
    offsets = np.arange(8) - 3.5
    time, band = np.meshgrid(offsets, offsets, indexing="ij")
    envelope = np.exp(-(time**2 + band**2) / (2 * 1.8**2))
    responses = []
    for wave in (np.cos(np.pi / 2 * time), np.sin(np.pi / 2 * time)):
        kernel = envelope * (wave - (envelope * wave).sum() / envelope.sum())
        padded = np.pad(log_mel, ((4, 3), (0, 0)), mode="edge")
        kernel /= np.abs(kernel).sum()
        responses.append(scipy.signal.correlate2d(padded, kernel, mode="valid")[:, ::2])
    modulus = np.hypot(*responses)
    edges = np.linspace(0, modulus.shape[1], 13).astype(int)
    zones = [modulus[:, a:b].mean(axis=1) for a, b in pairwise(edges)]
    values = scattering(log_mel).reshape(6, 2, 16, 12)[0, :, 0]
    np.testing.assert_allclose(values[0], np.log(np.mean(zones, axis=1) + 0.02), atol=1e-4)
    np.testing.assert_allclose(values[1], np.log(np.std(zones, axis=1) + 0.02), atol=1e-4)


@settings(max_examples=15, deadline=None)
@given(frames=st.integers(1, 70), bands=st.integers(32, 96), gain=st.floats(-9, 9))
def test_any_size_and_any_gain(frames: int, bands: int, gain: float) -> None:
    log_mel = np.random.default_rng(frames).standard_normal((frames, bands)).astype(np.float32)
    assert scattering(log_mel).shape == (2304,)
    assert band_statistics(log_mel).shape == (6 * bands,)
    shifted = log_mel + np.float32(gain)
    np.testing.assert_allclose(scattering(shifted), scattering(log_mel), atol=1e-3)
    np.testing.assert_allclose(band_statistics(shifted), band_statistics(log_mel), atol=1e-4)
    np.testing.assert_allclose(level_features(shifted), level_features(log_mel) + gain, atol=1e-4)


def test_statistics_by_hand() -> None:
    log_mel = np.zeros((11, 32), np.float32)
    log_mel[:, 0] = np.arange(11)
    found = band_statistics(log_mel).reshape(6, 32)
    np.testing.assert_allclose(found[:, 0], [5, 1, 5, 9, 10, np.sqrt(10)], rtol=1e-6)
    assert not found[:, 1:].any()


@pytest.mark.parametrize("rate", [2000, 32_000, 250_000])
def test_synthetic_sounds_are_the_same_each_time_and_fit(rate: int) -> None:
    sounds = calibration_sounds(4001, rate, 0.002 * rate, 0.47 * rate)
    np.testing.assert_array_equal(sounds, calibration_sounds(4001, rate, 0.002 * rate, 0.47 * rate))
    assert sounds.shape == (48, 4001)
    assert np.abs(sounds).max() <= 1
    assert (sounds.std(axis=1) > 0).all()

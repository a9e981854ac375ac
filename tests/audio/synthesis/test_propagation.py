"""Distance against the published table of air absorption and the inverse law."""

from __future__ import annotations

import numpy as np
import pytest

from antiphon.audio.synthesis.propagation import Path, air_absorption, receive

RATE = 32_000


@pytest.mark.parametrize(
    ("temperature", "expected"),
    [
        # ISO 9613-2:1996, table 2: dB per km at 70 % humidity, octaves from 125 Hz to 8 kHz.
        (10.0, (0.4, 1.0, 1.9, 3.7, 9.7, 32.8, 117.0)),
        (20.0, (0.3, 1.1, 2.8, 5.0, 9.0, 22.9, 76.6)),
        (30.0, (0.3, 1.0, 3.1, 7.4, 12.7, 23.1, 59.3)),
    ],
)
def test_air_absorption_agrees_with_the_standard(
    temperature: float, expected: tuple[float, ...]
) -> None:
    octaves = 1000.0 * 2.0 ** np.arange(-3, 4)
    found = 1000.0 * air_absorption(octaves, temperature, 70.0)
    np.testing.assert_allclose(found, expected, rtol=0.02, atol=0.06)


def burst(frequency: float) -> np.ndarray:
    n = RATE // 4
    return (np.sin(2 * np.pi * frequency * np.arange(n) / RATE) * np.hanning(n)).astype(np.float32)


def level(frequency: float, path: Path) -> float:
    heard = receive(burst(frequency), RATE, path, np.random.default_rng(0))
    return float(20 * np.log10(np.sqrt(np.mean(heard.direct**2))))


def test_level_falls_with_distance_and_more_so_at_high_frequencies() -> None:
    low = level(1000.0, Path(10.0)) - level(1000.0, Path(100.0))
    high = level(8000.0, Path(10.0)) - level(8000.0, Path(100.0))
    assert low == pytest.approx(20 + 90 * air_absorption(1000.0), abs=0.1)
    assert high == pytest.approx(20 + 90 * air_absorption(8000.0), abs=0.3)
    assert high > low + 6


def test_water_takes_the_spreading_only() -> None:
    fall = level(500.0, Path(100.0, in_air=False)) - level(500.0, Path(1000.0, in_air=False))
    assert fall == pytest.approx(20.0, abs=1e-3)


def test_the_direct_sound_is_as_long_as_the_call_and_the_band_holds_it() -> None:
    call = burst(3000.0)
    heard = receive(call, RATE, Path(40.0, reverberation_s=0.4), np.random.default_rng(0))
    assert len(heard.direct) == len(call)
    assert len(heard.scattered) > len(call)
    power = np.abs(np.fft.rfft(heard.direct)) ** 2
    f = np.fft.rfftfreq(len(call), 1 / RATE)
    inside = power[(f >= heard.low_hz) & (f <= heard.high_hz)].sum()
    assert inside > 0.95 * power.sum()
    assert heard.high_hz - heard.low_hz < 40


def test_scattered_sound_has_the_energy_stated() -> None:
    rng = np.random.default_rng(0)
    call = rng.standard_normal(RATE).astype(np.float32)
    heard = receive(call, RATE, Path(20.0, reverberation_s=0.5, scatter_db=-10.0), rng)
    ratio = np.sum(heard.scattered**2) / np.sum(heard.direct**2)
    assert 10 * np.log10(ratio) == pytest.approx(-10.0, abs=1.0)

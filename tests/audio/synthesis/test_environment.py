"""Background levels and weather."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import signal

from antiphon.audio.synthesis.distractors import draw_distractor
from antiphon.audio.synthesis.environment import Weather, draw_weather, make_background
from antiphon.audio.synthesis.sites import make_site

RATE = 24_000
CALM = Weather(0.0, 0.0)
SITE = replace(make_site(0, 0, "forest"), hum_hz=0, floor_db=0.0, slope_db=4.0)


def spectrum(site: object, weather: Weather, seconds: int = 20) -> tuple[np.ndarray, np.ndarray]:
    noise = make_background(site, weather, seconds * RATE, RATE, np.random.default_rng(0))
    return signal.welch(noise, RATE, nperseg=4096)


def test_the_noise_floor_has_the_spectral_level_of_the_site() -> None:
    f, power = spectrum(SITE, CALM)
    decibel = 10 * np.log10(power) + SITE.full_scale_db
    assert np.mean(decibel[(f > 4000) & (f < 10_000)]) == pytest.approx(0.0, abs=0.5)
    # Two octaves below 3 kHz.
    assert np.mean(decibel[(f > 730) & (f < 770)]) == pytest.approx(8.0, abs=1.0)


def test_the_level_does_not_depend_on_the_sample_rate() -> None:
    for rate in (16_000, 48_000):
        noise = make_background(SITE, CALM, 10 * rate, rate, np.random.default_rng(0))
        f, power = signal.welch(noise, rate, nperseg=4096)
        decibel = 10 * np.log10(power) + SITE.full_scale_db
        assert np.mean(decibel[(f > 4000) & (f < 7000)]) == pytest.approx(0.0, abs=0.5)


def test_wind_is_low_and_rain_is_high() -> None:
    f, calm = spectrum(SITE, CALM)
    _, wind = spectrum(SITE, Weather(5.0, 0.0))
    _, rain = spectrum(SITE, Weather(0.0, 100.0))
    low, high = (f > 50) & (f < 300), (f > 2000) & (f < 6000)
    wind_low, wind_high = (10 * np.log10(wind[b].sum() / calm[b].sum()) for b in (low, high))
    rain_low, rain_high = (10 * np.log10(rain[b].sum() / calm[b].sum()) for b in (low, high))
    assert wind_low > wind_high + 3
    assert rain_high > rain_low + 3


def test_hum_stands_at_multiples_of_the_mains_frequency() -> None:
    f, power = spectrum(replace(SITE, hum_hz=50, hum_db=45.0), CALM)
    _, without = spectrum(SITE, CALM)
    for order in (2, 4, 6):
        near = int(np.argmin(np.abs(f - 50 * order)))
        assert power[near - 1 : near + 2].max() > 5 * without[near - 1 : near + 2].max()


def test_the_noise_has_no_seams_between_its_blocks() -> None:
    noise = make_background(SITE, CALM, 12 * RATE, RATE, np.random.default_rng(0))
    b, a = signal.butter(4, 0.8, "high")
    rough = np.abs(signal.lfilter(b, a, noise))[2000:]
    # A step at a seam would stand out of high-passed Gaussian noise, which reaches 4.8 sigma here.
    assert rough.max() < 6.0 * np.sqrt(np.mean(rough**2))


def test_afternoons_are_windier_and_rain_is_now_and_then() -> None:
    site = make_site(0, 2, "meadow")
    rng = np.random.default_rng(0)
    noon = [draw_weather(site, 15.0, rng) for _ in range(600)]
    night = [draw_weather(site, 3.0, rng) for _ in range(600)]
    assert np.mean([w.wind_ms for w in noon]) > 1.4 * np.mean([w.wind_ms for w in night])
    assert 0.03 < np.mean([w.drops_per_s > 0 for w in noon + night]) < 0.12


def test_every_kind_of_distractor_occurs_and_is_finite() -> None:
    rng = np.random.default_rng(0)
    kinds = set()
    for _ in range(80):
        kind, sound = draw_distractor(RATE, True, rng)
        kinds.add(kind)
        assert sound.dtype == np.float32
        assert np.isfinite(sound).all()
    assert kinds == {"clicks", "creak", "squeak", "rustle", "voice", "engine"}
    under_water = {draw_distractor(8000, False, rng)[0] for _ in range(40)}
    assert under_water <= {"clicks", "creak", "engine"}

"""Playable audio."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from antiphon.app.media.audio import Listen, Sound, make_sound
from antiphon.app.media.sources import MediaError
from tests.app.media.sounds import source_of, tone


def decoded(sound: Sound) -> tuple[np.ndarray, int]:
    samples, rate = sf.read(io.BytesIO(sound.content), dtype="float64")
    assert sf.info(io.BytesIO(sound.content)).subtype == "PCM_16"
    return samples, rate


def spectrum_peak(samples: np.ndarray, rate: int) -> float:
    return float(np.abs(np.fft.rfft(samples)).argmax() * rate / len(samples))


def test_as_recorded_the_samples_are_the_file_s(tmp_path: Path) -> None:
    samples = np.random.default_rng(2).uniform(-0.9, 0.9, 48_000)
    sound = make_sound(source_of(tmp_path, samples, 24_000), -1, 0.5, 1.5)
    heard, rate = decoded(sound)
    assert (rate, len(heard), sound.gain_db, sound.note) == (24_000, 24_000, 0.0, "")
    np.testing.assert_allclose(heard * 32768 / 32767, samples[12_000:36_000], atol=1.1 / 32767)


def test_a_band_is_kept_without_delay_and_the_rest_is_gone(tmp_path: Path) -> None:
    rate = 24_000
    wanted, other = tone(rate, 3_000, 2.0, 0.2), tone(rate, 8_000, 2.0, 0.4)
    source = source_of(tmp_path, wanted + other, rate)
    heard, _ = decoded(make_sound(source, -1, 0.5, 1.5, Listen(2_000, 4_500)))
    np.testing.assert_allclose(heard, wanted[12_000:36_000], atol=0.004)


@pytest.mark.parametrize(("low", "high"), [(2_000, None), (0, 2_000), (2_000, 99_999), (0, 12_000)])
def test_edges_of_the_band_at_the_ends_of_the_spectrum(
    tmp_path: Path, low: float, high: float | None
) -> None:
    rate = 24_000
    source = source_of(tmp_path, tone(rate, 500, 1.0, 0.3) + tone(rate, 9_000, 1.0, 0.3), rate)
    heard, _ = decoded(make_sound(source, -1, 0.0, 1.0, Listen(low, high)))
    power = np.abs(np.fft.rfft(heard)) / len(heard) * 2
    assert power[500] == pytest.approx(0.3 if low == 0 else 0.0, abs=0.02)
    assert power[9_000] == pytest.approx(0.0 if high == 2_000 else 0.3, abs=0.02)


def test_ultrasound_is_slowed_down_by_the_rate_in_the_header(tmp_path: Path) -> None:
    source = source_of(tmp_path, tone(250_000, 60_000, 0.5, 0.5), 250_000)
    sound = make_sound(source, -1, 0.1, 0.3, Listen(slow=10))
    heard, rate = decoded(sound)
    assert (rate, len(heard)) == (25_000, 50_000)
    assert spectrum_peak(heard, rate) == pytest.approx(6_000, abs=5)
    assert sound.note == "10 times slower"
    assert sound.heard_hz == 125_000


def test_a_high_rate_is_resampled_and_says_so(tmp_path: Path) -> None:
    samples = tone(250_000, 10_000, 0.5, 0.4) + tone(250_000, 60_000, 0.5, 0.4)
    sound = make_sound(source_of(tmp_path, samples, 250_000), -1, 0.0, 0.5)
    heard, rate = decoded(sound)
    assert (rate, len(heard), sound.heard_hz) == (48_000, 24_000, 24_000)
    assert "nothing above 24 kHz" in sound.note
    power = np.abs(np.fft.rfft(heard)) / len(heard) * 2
    assert power[5_000] == pytest.approx(0.4, abs=0.01)
    assert np.delete(power, range(4_900, 5_100)).max() < 0.01


@pytest.mark.parametrize(("rate", "slow", "header"), [(2_000, 1, 8_000), (8_000, 0.1, 48_000)])
def test_rates_that_browsers_refuse_are_brought_to_ones_they_play(
    tmp_path: Path, rate: int, slow: float, header: int
) -> None:
    source = source_of(tmp_path, tone(rate, 200, 4.0), rate)
    heard, got = decoded(make_sound(source, -1, 0.0, 4.0, Listen(slow=slow)))
    assert got == header
    assert len(heard) == pytest.approx(4.0 * slow * header, abs=2)
    assert spectrum_peak(heard, got) == pytest.approx(200 / slow, rel=0.01)


def test_normalising_states_its_gain(tmp_path: Path) -> None:
    source = source_of(tmp_path, tone(24_000, 1_000, 1.0, 0.01), 24_000)
    sound = make_sound(source, -1, 0.0, 1.0, Listen(normalise=True))
    heard, _ = decoded(sound)
    assert np.abs(heard).max() == pytest.approx(10 ** (-1 / 20), abs=0.001)
    assert sound.gain_db == pytest.approx(39.0, abs=0.01)
    silent = source_of(tmp_path, np.zeros(24_000), 24_000, name="b.wav")
    assert make_sound(silent, -1, 0.0, 1.0, Listen(normalise=True)).gain_db == 0.0


@pytest.mark.parametrize(
    ("end_s", "listen", "said"),
    [
        (500.0, Listen(), "at most 350 s"),
        (100.0, Listen(slow=100), "at most 18 s"),
        (1.0, Listen(5_000, 4_000), "is empty"),
        (1.0, Listen(20_000), "reaches up to 12,000 Hz"),
    ],
)
def test_what_cannot_be_played_is_refused_in_words(
    tmp_path: Path, end_s: float, listen: Listen, said: str
) -> None:
    source = source_of(tmp_path, np.zeros(24_000 * 501, np.float32), 24_000)
    with pytest.raises(MediaError, match=said):
        make_sound(source, -1, 0.0, end_s, listen)

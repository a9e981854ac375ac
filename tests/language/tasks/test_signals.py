"""Sounds made by hand, of which frequency, duration and rate are known."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile

from antiphon.errors import AudioError
from antiphon.language.tasks.checkers import score
from antiphon.language.tasks.config import TasksConfig
from antiphon.language.tasks.counts import PairCounts
from antiphon.language.tasks.generate import make_pairs
from antiphon.language.tasks.signals import measure, measure_row
from tests.language.tasks.corpus import make_row

Float32 = npt.NDArray[np.float32]


def noise(seconds: float, rate: int, level: float = 0.003) -> Float32:
    rng = np.random.default_rng(1)
    return (level * rng.standard_normal(round(seconds * rate))).astype(np.float32)


def tone(seconds: float, hz: float, rate: int) -> Float32:
    time = np.arange(round(seconds * rate)) / rate
    edge = np.minimum(1.0, np.minimum(time, seconds - time) / 0.004)
    return (0.4 * np.sin(2 * np.pi * hz * time) * edge).astype(np.float32)


def place(audio: Float32, sound: Float32, at_s: float, rate: int) -> None:
    first = round(at_s * rate)
    audio[first : first + len(sound)] += sound


@pytest.mark.parametrize(
    ("hz", "rate"), [(440.0, 16_000), (3_137.0, 44_100), (11_050.0, 44_100), (45_000.0, 256_000)]
)
def test_a_tone_has_its_frequency_and_its_length(hz: float, rate: int) -> None:
    audio = noise(3.0, rate)
    place(audio, tone(0.8, hz, rate), 1.0, rate)
    found = measure(audio, rate)
    assert found.peak_hz == pytest.approx(hz, rel=0.005)
    assert found.start_s == pytest.approx(1.0, abs=0.01)
    assert found.end_s == pytest.approx(1.8, abs=0.01)
    assert found.duration_s == pytest.approx(0.8, abs=0.015)
    assert found.pulses_per_s is None


@pytest.mark.parametrize(("rate_hz", "pulse_s"), [(4.0, 0.08), (12.5, 0.03), (40.0, 0.010)])
def test_a_regular_series_has_its_rate(rate_hz: float, pulse_s: float) -> None:
    rate = 44_100
    audio = noise(4.0, rate)
    for number in range(10):
        place(audio, tone(pulse_s, 4_000.0, rate), 1.0 + number / rate_hz, rate)
    found = measure(audio, rate)
    assert found.pulses_per_s == pytest.approx(rate_hz, rel=0.03)
    assert found.peak_hz == pytest.approx(4_000.0, rel=0.02)
    assert found.duration_s == pytest.approx(9 / rate_hz + pulse_s, abs=0.02)


def test_an_irregular_series_has_none() -> None:
    rate = 22_050
    audio = noise(5.0, rate)
    for at in (0.5, 0.7, 1.5, 1.6, 2.9, 3.2, 4.4):
        place(audio, tone(0.05, 3_000.0, rate), at, rate)
    found = measure(audio, rate)
    assert found.pulses_per_s is None
    assert found.duration_s == pytest.approx(3.95, abs=0.02)


def test_the_stronger_of_two_tones_counts_and_a_hum_behind_does_not() -> None:
    rate = 32_000
    audio = noise(3.0, rate) + 0.02 * tone(3.0, 120.0, rate)
    place(audio, tone(0.6, 5_000.0, rate) + 0.2 * tone(0.6, 2_500.0, rate), 1.0, rate)
    assert measure(audio, rate).peak_hz == pytest.approx(5_000.0, rel=0.005)


def test_what_is_not_clear_is_not_measured() -> None:
    rate = 22_050
    hiss = measure(noise(3.0, rate, 0.1), rate)
    assert (hiss.peak_hz, hiss.duration_s, hiss.pulses_per_s) == (None, None, None)
    whole = measure(tone(2.0, 1_000.0, rate), rate)
    # It fills the recording: where it starts and ends is not known, its frequency is.
    assert whole.duration_s is None
    assert whole.peak_hz == pytest.approx(1_000.0, rel=0.005)
    cut = noise(2.0, rate)
    place(cut, tone(0.5, 2_000.0, rate), 1.5, rate)
    assert measure(cut, rate).duration_s is None
    time = np.arange(2 * rate) / rate
    swept = noise(4.0, rate)
    place(
        swept,
        (0.4 * np.sin(2 * np.pi * (500 * time + 1_000 * time**2))).astype(np.float32),
        1.0,
        rate,
    )
    assert measure(swept, rate).peak_hz is None
    silence = measure(np.zeros(rate, np.float32), rate)
    assert (silence.peak_hz, silence.duration_s) == (None, None)
    assert measure(np.zeros(10, np.float32), rate).peak_hz is None


def test_rows_are_measured_from_file_or_bytes_and_in_their_part(tmp_path: Path) -> None:
    rate = 22_050
    audio = noise(6.0, rate)
    place(audio, tone(0.5, 2_000.0, rate), 1.0, rate)
    place(audio, tone(1.0, 6_000.0, rate), 4.0, rate)
    path = tmp_path / "two.wav"
    soundfile.write(path, audio, rate)
    held = io.BytesIO()
    soundfile.write(held, audio, rate, format="WAV")
    for audio_of in ({"audio_path": str(path)}, {"audio_bytes": held.getvalue()}):
        row = make_row(0, "Parus major", start_s=3.0, end_s=6.0, **audio_of)
        found = measure_row(row, 30.0)
        assert found is not None
        assert found.peak_hz == pytest.approx(6_000.0, rel=0.005)
        assert found.start_s == pytest.approx(1.0, abs=0.01)
        assert measure_row(make_row(0, "Parus major", **audio_of), 5.0) is None
    with pytest.raises(AudioError):
        measure_row(make_row(0, "Parus major", audio_bytes=b"no sound"), 30.0)


def test_questions_about_the_signal(tmp_path: Path) -> None:
    rate = 22_050
    audio = noise(3.0, rate)
    for number in range(8):
        place(audio, tone(0.05, 3_021.0, rate), 0.5 + number / 8, rate)
    soundfile.write(tmp_path / "series.wav", audio, rate)
    row = make_row(1, "Parus major", audio_path=str(tmp_path / "series.wav"))
    config = TasksConfig(tasks=("signal",), pairs_per_row=4, long_tail=0)
    pairs = {pair.task: pair for pair in make_pairs([row], config, 0)}
    assert pairs["pitch"].answer == "3.0 kHz"
    # Seven gaps of 1/8 s and the last pulse: 0.925 s.
    assert pairs["duration"].answer in ("0.92 s", "0.93 s")
    assert pairs["pulse-rate"].answer == "8.0 per second"
    assert "strongest at 3.0 kHz" in pairs["signal-caption"].answer
    assert all(score(pair.checker, pair.answer) == 1.0 for pair in pairs.values())
    counts = PairCounts()
    quiet = config.model_copy(update={"measure": False})
    assert list(make_pairs([row], quiet, 0, counts=counts)) == []
    assert counts.adds_up

"""Levels of spans."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from antiphon.app.media import levels as module
from antiphon.app.media.levels import Levels, make_levels
from antiphon.app.media.resolution import Look
from antiphon.app.media.sources import MediaError
from antiphon.audio.features.mel import hz_to_mel
from tests.app.media.sounds import source_of, tone
from tests.real import real_data

RATE = 24_000


def decibels(levels: Levels) -> np.ndarray:
    return levels.low + levels.values / 255 * (levels.high - levels.low)


@pytest.mark.parametrize("scale", ["linear", "mel"])
@pytest.mark.parametrize("hz", [700.0, 3_000.0, 9_000.0])
def test_a_tone_lies_in_the_row_of_its_frequency(tmp_path: Path, scale: str, hz: float) -> None:
    source = source_of(tmp_path, tone(RATE, hz, 3.0), RATE)
    made = make_levels(source, -1, 0.5, 2.5, Look(400, 240, scale))  # type: ignore[arg-type]
    warp = hz_to_mel if scale == "mel" else np.asarray
    low, high, at = (float(warp(f)) for f in (made.low_hz, made.high_hz, hz))
    rows = len(made.values)
    expected = rows - 1 - int((at - low) / (high - low) * rows)
    loudest = made.values[:, 5:-5].astype(int).sum(axis=1).argmax()
    assert abs(int(loudest) - expected) <= 1


def test_a_sine_of_half_scale_is_at_minus_six_decibels(tmp_path: Path) -> None:
    source = source_of(tmp_path, tone(RATE, 3_000, 3.0, 0.5), RATE)
    assert make_levels(source, -1, 0.5, 2.5).high == pytest.approx(-6.02, abs=0.1)


def test_a_click_is_seen_at_its_time_however_long_the_span(tmp_path: Path) -> None:
    samples = np.zeros(RATE * 60)
    samples[RATE * 20] = 1.0
    source = source_of(tmp_path, samples, RATE)
    made = make_levels(source, -1, 0.0, 60.0, Look(100, 64))
    column = made.values.astype(int).sum(axis=0).argmax()
    assert (made.start_s, made.end_s) == (0.0, pytest.approx(60.0, abs=0.05))
    assert column == pytest.approx(100 * 20 / 60, abs=1)


def test_pieces_give_the_same_picture_as_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    noise = np.random.default_rng(3).normal(0, 0.1, RATE * 5)
    source = source_of(tmp_path, noise, RATE)
    for look in (Look(200, 100), Look(200, 100, "mel"), Look(200, 100, pcen=True)):
        whole = make_levels(source, -1, 1.0, 4.0, look)
        with monkeypatch.context() as patch:
            patch.setattr(module, "_BLOCK", 10_000)
            assert (make_levels(source, -1, 1.0, 4.0, look).values == whole.values).all()


def test_a_span_at_the_ends_is_clipped_and_not_dark(tmp_path: Path) -> None:
    noise = np.random.default_rng(3).normal(0, 0.1, RATE * 2)
    source = source_of(tmp_path, noise, RATE)
    made = make_levels(source, -1, 1.0, 9.0, Look(200, 64))
    assert made.end_s == pytest.approx(2.0, abs=0.01)
    means = decibels(made).mean(axis=0)
    assert means.min() > means.mean() - 12


def test_channels_and_their_mix(tmp_path: Path) -> None:
    pair = np.stack([tone(RATE, 2_000, 2.0), tone(RATE, 6_000, 2.0)], axis=1)
    source = source_of(tmp_path, pair, RATE)

    def peak(channel: int) -> float:
        made = make_levels(source, channel, 0.0, 2.0, Look(100, 120))
        row = made.values.astype(int).sum(axis=1).argmax()
        return float((len(made.values) - row - 0.5) / len(made.values) * RATE / 2)

    assert peak(0) == pytest.approx(2_000, abs=150)
    assert peak(1) == pytest.approx(6_000, abs=150)
    mix = make_levels(source, -1, 0.0, 2.0, Look(100, 120))
    assert mix.high == pytest.approx(-12.04, abs=0.2)
    with pytest.raises(MediaError, match="no channel 2"):
        make_levels(source, 2, 0.0, 2.0)


def test_pcen_evens_out_a_steady_noise(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    hum = tone(RATE, 1_000, 6.0, 0.3) + rng.normal(0, 0.001, RATE * 6)
    call = np.zeros(RATE * 6)
    call[RATE * 4 : RATE * 4 + 2_400] = tone(RATE, 5_000, 0.1, 0.05)
    source = source_of(tmp_path, hum + call, RATE)
    plain = make_levels(source, -1, 3.0, 6.0, Look(300, 120))
    evened = make_levels(source, -1, 3.0, 6.0, Look(300, 120, pcen=True))
    hum_row = 120 - 1 - int(1_000 / 12_000 * 120)
    call_row = 120 - 1 - int(5_000 / 12_000 * 120)
    assert plain.values[hum_row].mean() > plain.values[call_row].max()
    assert evened.unit == "PCEN"
    # Settled on the audio before the span: no onset of the hum at its start.
    assert evened.values[hum_row].max() < evened.values[call_row].max() / 2


def test_silence_and_broken_samples_are_drawn(tmp_path: Path) -> None:
    source = source_of(tmp_path, np.zeros(RATE), RATE)
    assert make_levels(source, -1, 0.0, 1.0).values.max() == 0
    broken = tone(RATE, 1_000, 1.0)
    broken[500] = np.nan
    broken[600] = np.inf
    made = make_levels(source_of(tmp_path, broken, RATE, name="b.wav"), -1, 0.0, 1.0)
    assert np.isfinite([made.low, made.high]).all()
    assert made.values.max() == 255


def test_real_ultrasound_shows_its_calls() -> None:
    from antiphon.app.media.sources import Source
    from antiphon.audio.recording import probe

    path = real_data("mouse_usv")
    file = sorted(path.glob("*.flac"))[0]
    calls = np.loadtxt(path / f"gt_{file.stem.rsplit('_', 1)[1]}.csv", delimiter=",", ndmin=2)
    source = Source(1, file.name, "x", probe(file), None)
    made = make_levels(source, -1, 0.0, source.info.duration_s, Look(1_000, 200, low_hz=40_000))
    centres = (np.arange(1_000) + 0.5) / 1_000 * (made.end_s - made.start_s)
    inside = ((centres[:, None] > calls[:, 0]) & (centres[:, None] < calls[:, 1])).any(axis=1)
    loudest = made.values.max(axis=0)
    assert np.median(loudest[inside]) > np.percentile(loudest[~inside], 90)

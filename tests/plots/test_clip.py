import base64
import io

import numpy as np
import pytest
import soundfile as sf

from antiphon.plots import clip as module
from antiphon.plots.clip import expansion, make_clip


def sine(hz, rate, seconds=1.0, peak=0.25):
    return (peak * np.sin(2 * np.pi * hz * np.arange(int(rate * seconds)) / rate)).astype("f4")


def play(clip):
    """Decode what the browser would play."""
    head, body = clip.uri.split(",")
    assert head == f"data:{clip.media_type};base64"
    audio, rate = sf.read(io.BytesIO(base64.b64decode(body)), dtype="float32")
    return audio, rate


def peak_hz(audio, rate):
    spectrum = np.abs(np.fft.rfft(audio * np.hanning(len(audio))))
    return spectrum.argmax() * rate / len(audio)


@pytest.mark.parametrize("rate", [2000, 8000, 22050, 32000, 44100, 48000])
def test_audible_rates_play_as_recorded(rate):
    hz = rate / 8
    clip = make_clip(sine(hz, rate), rate)
    audio, played = play(clip)
    assert clip.slower == 1
    assert played in module.MP3_RATES
    assert peak_hz(audio, played) == pytest.approx(hz, rel=0.02)
    assert len(audio) / played == pytest.approx(1.0, abs=0.15)


@pytest.mark.parametrize(
    ("rate", "factor"), [(48000, 1), (96000, 5), (192000, 5), (250000, 10), (384000, 10)]
)
def test_ultrasound_is_slowed_down(rate, factor):
    assert expansion(rate) == factor
    clip = make_clip(sine(40000 if rate > 90000 else 4000, rate, 0.5), rate)
    audio, played = play(clip)
    assert clip.slower == factor
    expected = (40000 if rate > 90000 else 4000) / factor
    assert peak_hz(audio, played) == pytest.approx(expected, rel=0.02)
    assert (f"played {factor} times slower" in clip.note) == (factor > 1)


def test_all_ultrasound_becomes_audible():
    for rate in range(49000, 1_000_001, 7000):
        assert rate / expansion(rate) / 2 <= 20000


def test_peak_and_gain_are_stated():
    clip = make_clip(sine(1000, 16000, peak=0.1), 16000)
    audio, _ = play(clip)
    assert clip.gain_db == pytest.approx(19.0, abs=0.01)
    assert "19 dB louder" in clip.note
    # MP3 keeps the level to a fraction of a decibel.
    assert 20 * np.log10(np.abs(audio).max()) == pytest.approx(-1.0, abs=0.5)


def test_silence_stays_silent():
    clip = make_clip(np.zeros(1000, np.float32), 16000)
    assert clip.gain_db == 0.0
    assert "silence" in clip.note
    assert np.abs(play(clip)[0]).max() < 1e-3


def test_samples_that_are_no_numbers_are_counted():
    audio = sine(1000, 16000)
    audio[100:110] = np.nan
    assert "10 samples that are no numbers" in make_clip(audio, 16000).note


def test_long_clips_play_their_middle():
    clip = make_clip(sine(1000, 8000, seconds=10.0), 8000, longest_s=2.0)
    assert (clip.start_s, clip.end_s) == (4.0, 6.0)
    assert "only the middle 2.00 s" in clip.note


@pytest.mark.parametrize("samples", [1, 5, 40])
def test_very_short_clips(samples):
    assert make_clip(np.ones(samples, np.float32), 48000).uri


def test_no_audio_is_refused():
    with pytest.raises(ValueError, match="at least one sample"):
        make_clip(np.empty(0, np.float32), 48000)


@pytest.mark.parametrize(
    ("formats", "media_type"), [({"OGG": "", "WAV": ""}, "audio/ogg"), ({"WAV": ""}, "audio/wav")]
)
def test_without_mp3_another_format_is_taken(monkeypatch, formats, media_type):
    monkeypatch.setattr(module.sf, "available_formats", lambda: formats)
    clip = make_clip(sine(1000, 16000), 16000)
    assert clip.media_type == media_type
    audio, rate = play(clip)
    assert rate == 16000
    assert peak_hz(audio, rate) == pytest.approx(1000, rel=0.01)


def test_ends_are_faded(monkeypatch):
    monkeypatch.setattr(module.sf, "available_formats", lambda: {"WAV": ""})
    audio, _ = play(make_clip(np.ones(16000, np.float32), 16000))
    assert abs(audio[0]) < 0.001
    assert abs(audio[-1]) < 0.001
    assert audio[8000] == pytest.approx(10 ** (-1 / 20), abs=1e-3)

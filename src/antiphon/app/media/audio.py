"""Playable audio of a span: filtered to a band, slowed down, at a rate that browsers play."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import soundfile as sf
import soxr
from scipy.signal import butter, sosfiltfilt

from antiphon.app.media.sources import MediaError, Source
from antiphon.audio.reader import ChannelMode, read_span
from antiphon.errors import AudioError

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]

HIGHEST_RATE = 48_000
LOWEST_RATE = 8_000
"""Rates between which browsers play a WAV file, whatever the sound card."""

_MAX_SAMPLES = 1 << 23
_MAX_PLAYED_S = 1800.0
_ORDER = 4
# A filter edge closer to half the rate than this share of it would do nothing but ring.
_TOP = 0.98
_PEAK_DB = -1.0
_MOST_GAIN_DB = 60.0


@dataclass(frozen=True, slots=True)
class Listen:
    """How a span is played.

    Parameters
    ----------
    low_hz, high_hz
        Band to be heard, before slowing down; all when they lie at the ends.
    slow
        Factor by which time is stretched and pitch lowered; below 1 it is the other way.
    normalise
        Whether to bring the peak to -1 dBFS.
    """

    low_hz: float = 0.0
    high_hz: float | None = None
    slow: float = 1.0
    normalise: bool = False


PLAIN = Listen()
"""As recorded."""


@dataclass(frozen=True, slots=True)
class Sound:
    """Audio for a browser.

    Parameters
    ----------
    content
        A WAV file, 16 bit, one channel.
    start_s, end_s
        Span that is played, s within the recording.
    rate
        Hz in the file's header.
    slow
        Factor by which it is slowed down.
    gain_db
        How much louder it was made.
    heard_hz
        The highest frequency of the recording that is left in it.
    note
        What was changed, in words; empty when nothing was.
    """

    content: bytes
    start_s: float
    end_s: float
    rate: int
    slow: float
    gain_db: float
    heard_hz: float
    note: str


def make_sound(
    source: Source, channel: int, start_s: float, end_s: float, listen: Listen = PLAIN
) -> Sound:
    """Read, filter, slow down, resample and encode a span.

    Raises
    ------
    MediaError
        If the span is too long, lies outside, or the band is empty.
    """
    begin, end = source.clip(start_s, end_s)
    rate = source.info.sample_rate
    _check_length(begin, end, rate, listen.slow)
    try:
        samples = _filtered(source, channel, begin, end, listen)
    except AudioError as error:
        raise source.fault(error) from error
    notes = []
    played = rate / listen.slow
    if listen.slow != 1:
        word = "slower" if listen.slow > 1 else "faster"
        notes.append(f"{max(listen.slow, 1 / listen.slow):g} times {word}")
    header = round(min(max(played, LOWEST_RATE), HIGHEST_RATE))
    heard = min(rate, header * listen.slow) / 2
    if played > HIGHEST_RATE:
        notes.append(f"nothing above {heard / 1000:g} kHz, which a browser cannot play")
    if not LOWEST_RATE <= played <= HIGHEST_RATE:
        samples = soxr.resample(samples, played, header, quality="HQ").astype(np.float32)
    gain_db = 0.0
    if listen.normalise:
        samples, gain_db = _normalised(samples)
        notes.append(f"{abs(gain_db):.1f} dB {'louder' if gain_db >= 0 else 'quieter'}")
    return Sound(
        content=_wav(samples, header),
        start_s=begin,
        end_s=end,
        rate=header,
        slow=listen.slow,
        gain_db=gain_db,
        heard_hz=heard,
        note=", ".join(notes),
    )


def _check_length(begin: float, end: float, rate: int, slow: float) -> None:
    longest = min(_MAX_SAMPLES / rate, _MAX_PLAYED_S / slow)
    # Sped up, a long span still has to be read.
    if end - begin > longest:
        raise MediaError(
            f"{end - begin:.0f} s are too long to be played in one piece: at most "
            f"{longest:.0f} s of this recording. Choose a shorter span."
        )


def _filtered(source: Source, channel: int, begin: float, end: float, listen: Listen) -> Float32:
    rate = source.info.sample_rate
    mode = source.mode(channel)
    sections, margin_s = _band_pass(rate, listen)
    if sections is None:
        return _read(source, mode, begin, end)
    # The filter settles on the audio around the span, so that its ends do not ring.
    first, last = max(0.0, begin - margin_s), min(source.info.duration_s, end + margin_s)
    around = _read(source, mode, first, last)
    padding = min(round(margin_s * rate), len(around) - 1)
    smooth = sosfiltfilt(sections, around.astype(np.float64), padtype="odd", padlen=padding)
    at = round(begin * rate) - round(first * rate)
    count = round(end * rate) - round(begin * rate)
    kept: Float32 = smooth[at : at + count].astype(np.float32)
    return kept


def _read(source: Source, mode: ChannelMode, begin: float, end: float) -> Float32:
    samples: Float32 = read_span(source.info.path, begin, end, channel=mode)[0]
    # Broken samples of a float file are silent; the filter would spread them over all others.
    return np.nan_to_num(samples, nan=0.0, posinf=0.0, neginf=0.0)


def _band_pass(rate: int, listen: Listen) -> tuple[Float64 | None, float]:
    """Return a Butterworth filter's sections, and how long it takes to settle, s.

    It runs forwards and backwards: no delay, and -6 dB at the edges.
    """
    top = rate / 2
    high = top if listen.high_hz is None else listen.high_hz
    if listen.low_hz >= min(high, top):
        raise MediaError(
            f"The band {listen.low_hz:,.0f} to {high:,.0f} Hz is empty in a recording that "
            f"reaches up to {top:,.0f} Hz."
        )
    low_cut = listen.low_hz > 0
    high_cut = high < top * _TOP
    if not low_cut and not high_cut:
        return None, 0.0
    low, high = min(listen.low_hz, top * _TOP * 0.999), min(high, top * _TOP)
    if low_cut and high_cut:
        sections = butter(_ORDER, [low, high], "bandpass", fs=rate, output="sos")
        narrowest = min(low, high - low)
    elif low_cut:
        sections = butter(_ORDER, low, "highpass", fs=rate, output="sos")
        narrowest = low
    else:
        sections = butter(_ORDER, high, "lowpass", fs=rate, output="sos")
        narrowest = high
    return sections, min(max(_ORDER / narrowest, 0.005), 2.0)


def _normalised(samples: Float32) -> tuple[Float32, float]:
    peak = float(np.abs(samples).max(initial=0.0))
    if peak == 0.0:
        return samples, 0.0
    gain_db = min(_PEAK_DB - 20.0 * math.log10(peak), _MOST_GAIN_DB)
    return samples * np.float32(10.0 ** (gain_db / 20.0)), gain_db


def _wav(samples: Float32, rate: int) -> bytes:
    whole = np.round(np.clip(samples, -1.0, 1.0) * 32767).astype(np.int16)
    buffer = io.BytesIO()
    sf.write(buffer, whole, rate, format="WAV", subtype="PCM_16")
    return buffer.getvalue()

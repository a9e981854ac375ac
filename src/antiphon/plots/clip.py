"""Short clips of audio that a browser plays from within the page."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import soundfile as sf
import soxr

from antiphon.plots.png import data_uri

Float32 = npt.NDArray[np.float32]

# Rates of MPEG-1, -2 and -2.5 Layer III (ISO/IEC 11172-3, 13818-3), Hz.
MP3_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
_HIGHEST = 48000
# Expanded by one of these factors, ultrasound up to 500 kHz falls below 20 kHz.
_EXPANSIONS = (2, 5, 10, 20)
_EXPANDED_RATE = 40000
_PEAK_DB = -1.0
_FADE_S = 0.005


@dataclass(frozen=True, slots=True)
class Clip:
    """Playable audio.

    Parameters
    ----------
    uri
        ``data:`` address that holds it.
    media_type
        As ``audio/mpeg``.
    gain_db
        How much louder it was made, so that its peak is at -1 dBFS; 0 for silence.
    slower
        Factor by which it is slowed down (and lowered in pitch); 1 is as recorded.
    start_s, end_s
        Part of the audio that is played, s in the original's time.
    note
        All of that in words, for the reader.
    """

    uri: str
    media_type: str
    gain_db: float
    slower: int
    start_s: float
    end_s: float
    note: str


def expansion(sample_rate: int) -> int:
    """Return the factor by which audio of a rate is slowed down: 1 up to 48 kHz."""
    if sample_rate <= _HIGHEST:
        return 1
    fits = (f for f in _EXPANSIONS if sample_rate / f <= _EXPANDED_RATE)
    return next(fits, -(-sample_rate // _EXPANDED_RATE))


def make_clip(
    audio: Float32, sample_rate: int, *, slower: int | None = None, longest_s: float = 15.0
) -> Clip:
    """Encode audio for a web page: MP3, else OGG, else WAV, whatever libsndfile can write.

    The peak is brought to -1 dBFS, and 5 ms at either end are faded. Rates that MP3 lacks are
    resampled to the next higher one.

    Parameters
    ----------
    audio
        ``(n,)`` float32 in [-1, 1]; samples that are not finite are played as silence.
    sample_rate
        Hz.
    slower
        Slow down by this factor; :func:`expansion` of the rate when None.
    longest_s
        Most seconds of playing; of longer clips the middle is taken.

    Raises
    ------
    ValueError
        If there is no audio.
    """
    if audio.ndim != 1 or not len(audio):
        raise ValueError("a clip needs at least one sample of one channel")
    factor = expansion(sample_rate) if slower is None else slower
    longest = max(1, int(longest_s * sample_rate / factor))
    first = max(0, (len(audio) - longest) // 2)
    part = np.asarray(audio[first : first + longest], np.float32)
    broken = int((~np.isfinite(part)).sum())
    samples, gain_db = _normalise(np.nan_to_num(part, nan=0.0, posinf=0.0, neginf=0.0))
    played = sample_rate / factor
    rate = next((r for r in MP3_RATES if r >= played), _HIGHEST)
    if rate != played:
        samples = soxr.resample(samples, played, rate)
    content, media_type = _encode(_fade(samples, rate), rate)
    notes = []
    if factor > 1:
        notes.append(f"played {factor} times slower than recorded")
    if len(part) < len(audio):
        notes.append(f"only the middle {len(part) / sample_rate:.2f} s")
    level = "louder" if gain_db > 0 else "quieter"
    notes.append(f"made {abs(gain_db):.0f} dB {level}" if gain_db else "silence")
    if broken:
        notes.append(f"{broken} samples that are no numbers are silent")
    return Clip(
        uri=data_uri(content, media_type),
        media_type=media_type,
        gain_db=gain_db,
        slower=factor,
        start_s=first / sample_rate,
        end_s=(first + len(part)) / sample_rate,
        note=", ".join(notes),
    )


def _normalise(samples: Float32) -> tuple[Float32, float]:
    peak = float(np.abs(samples).max())
    if peak == 0.0:
        return samples, 0.0
    gain_db = _PEAK_DB - 20.0 * float(np.log10(peak))
    return samples * np.float32(10.0 ** (gain_db / 20.0)), gain_db


def _fade(samples: Float32, rate: int) -> Float32:
    count = min(int(_FADE_S * rate), len(samples) // 2)
    if count:
        ramp = np.sin(0.5 * np.pi * np.arange(count, dtype=np.float32) / count) ** 2
        samples = samples.copy()
        samples[:count] *= ramp
        samples[-count:] *= ramp[::-1]
    # Resampling may overshoot the peak.
    return np.clip(samples, -1.0, 1.0)


def _encode(samples: Float32, rate: int) -> tuple[bytes, str]:
    buffer = io.BytesIO()
    writable = sf.available_formats()
    if "MP3" in writable:
        sf.write(
            buffer, samples, rate, format="MP3", bitrate_mode="VARIABLE", compression_level=0.5
        )
        return buffer.getvalue(), "audio/mpeg"
    if "OGG" in writable:
        sf.write(buffer, samples, rate, format="OGG", subtype="VORBIS")
        return buffer.getvalue(), "audio/ogg"
    sf.write(buffer, samples, rate, format="WAV", subtype="PCM_16")
    return buffer.getvalue(), "audio/wav"

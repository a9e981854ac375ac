"""Adding calls and other sounds to a recording, and measuring what of them is heard."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import fft

from antiphon.audio.synthesis.calls import Samples
from antiphon.audio.synthesis.distractors import draw_distractor
from antiphon.audio.synthesis.propagation import BAND_TAIL, Path, receive
from antiphon.audio.synthesis.sites import Site

# Above this amplitude the recorder compresses instead of clipping.
KNEE = 0.9
# The background is measured over at least this long, so that short calls are compared with
# the noise around them.
_NOISE_SPAN_S = 0.12
_DISTRACTORS_PER_S = 1.3 / 60.0


@dataclass(frozen=True, slots=True)
class Disturbance:
    """A sound of no species: its kind and bounds in seconds."""

    kind: str
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Stage:
    """Where calls sound: they are added to ``mix`` and measured against ``background``.

    Parameters
    ----------
    site
        The place.
    sample_rate
        Hz.
    mix, background
        float32 (n,), at the scale of the recorder.
    min_snr_db
        A call below it is left out.
    """

    site: Site
    sample_rate: int
    mix: Samples
    background: Samples
    min_snr_db: float


@dataclass(frozen=True, slots=True)
class Heard:
    """A call in the mix: bounds in samples, band in Hz, ratio to the background in it in dB."""

    first: int
    last: int
    low_hz: float
    high_hz: float
    snr_db: float


def add_call(
    stage: Stage, call: Samples, start: int, path: Path, rng: np.random.Generator
) -> Heard | None:
    """Add one call to the mix, unless it is not to be heard.

    A call that crosses an edge of the recording is cut there, and left out if less than half of
    it and less than 0.25 s remain.

    Parameters
    ----------
    stage
        Its mix is changed.
    call
        At 1 m, at the scale of the recorder, float32 (n,).
    start
        Sample at which it begins; it may be negative.
    path
        From the animal to the recorder.
    rng
        Draws the scatter.
    """
    rate, n = stage.sample_rate, len(stage.mix)
    first, last = max(start, 0), min(start + len(call), n)
    if last - first < min(0.5 * len(call), 0.25 * rate):
        return None
    heard = receive(call[first - start : last - start], rate, path, rng)
    noise = band_power(stage.background, first, last, heard.low_hz, heard.high_hz, rate)
    in_band = 1.0 - 2.0 * BAND_TAIL
    signal = in_band * float(np.mean(np.square(heard.direct, dtype=np.float64)))
    snr = 10.0 * np.log10(max(signal, 1e-30) / max(noise, 1e-30))
    if snr < stage.min_snr_db:
        return None
    stage.mix[first:last] += heard.direct
    tail = heard.scattered[: n - first]
    stage.mix[first : first + len(tail)] += tail
    return Heard(first, last, heard.low_hz, heard.high_hz, round(float(snr), 2))


def band_power(
    audio: Samples, first: int, last: int, low_hz: float, high_hz: float, sample_rate: int
) -> float:
    """Return the mean power of a span in a band; the span is widened if it is very short."""
    missing = round(_NOISE_SPAN_S * sample_rate) - (last - first)
    if missing > 0:
        first = max(0, min(first - missing // 2, len(audio) - (last - first) - missing))
        last = min(len(audio), first + round(_NOISE_SPAN_S * sample_rate))
    span = audio[first:last]
    window = np.hanning(len(span)).astype(np.float32)
    size = fft.next_fast_len(len(span), real=True)
    spectrum = fft.rfft(span * window, size)
    low, high = round(low_hz * size / sample_rate), round(high_hz * size / sample_rate) + 1
    power = np.sum(np.square(np.abs(spectrum[low:high]), dtype=np.float64))
    # Parseval for a real signal, and the power that the window takes away.
    return float(2.0 * power / size / np.sum(np.square(window, dtype=np.float64)))


def add_distractors(
    background: Samples, sample_rate: int, site: Site, rng: np.random.Generator
) -> tuple[Disturbance, ...]:
    """Add sounds of no species to a background, about 1.3 a minute, and return them."""
    found = []
    scale = np.float32(10.0 ** (-site.full_scale_db / 20.0))
    count = rng.poisson(_DISTRACTORS_PER_S * len(background) / sample_rate * site.disturbance)
    for start in np.sort(rng.integers(0, len(background), count)):
        kind, sound = draw_distractor(sample_rate, site.in_air, rng)
        stop = min(start + len(sound), len(background))
        background[start:stop] += scale * sound[: stop - start]
        found.append(Disturbance(kind, float(start / sample_rate), float(stop / sample_rate)))
    return tuple(found)


def limit(audio: Samples) -> int:
    """Compress what passes the knee, in place, so that nothing reaches 1; return how many."""
    loud = np.flatnonzero(np.abs(audio) > KNEE)
    over = (np.abs(audio[loud]) - KNEE) / (1.0 - KNEE)
    audio[loud] = np.sign(audio[loud]) * (KNEE + (1.0 - KNEE) * np.tanh(over))
    return len(loud)

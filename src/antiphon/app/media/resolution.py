"""How finely a spectrogram resolves time and frequency, for any rate, span and picture."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from antiphon.app.media.sources import MediaError
from antiphon.audio.features.mel import hz_to_mel, mel_to_hz
from antiphon.audio.features.stft import StftConfig

Scale = Literal["linear", "mel"]
Int64 = npt.NDArray[np.int64]

# The most samples a span may have: a few seconds of one core. Finer transforms than a window needs
# are made while frames times length of the transform stay below a number like that.
MAX_SAMPLES = 1 << 26
_MAX_WORK = 1 << 28
_SHORTEST, _LONGEST = 16, 1 << 16
_CHOSEN_SHORTEST, _CHOSEN_LONGEST = 64, 1 << 15
# Zeros after a frame draw a smooth curve through its spectrum; beyond this nothing is gained.
_FINEST = 8
_MOST_MEL = 192


@dataclass(frozen=True, slots=True)
class Look:
    """What of a span is drawn, and how.

    Parameters
    ----------
    width, height
        Most columns and rows of the picture.
    scale
        Frequency axis.
    low_hz, high_hz
        Band; up to half the sample rate when ``high_hz`` is None.
    pcen
        Whether to normalise each band by its recent past.
    window_s
        Length of the analysis window, s; chosen from span, band and picture when None.
    """

    width: int = 800
    height: int = 256
    scale: Scale = "linear"
    low_hz: float = 0.0
    high_hz: float | None = None
    pcen: bool = False
    window_s: float | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """The transform that draws a span.

    Parameters
    ----------
    rate
        Hz of the recording.
    first, samples
        Span in samples of the recording.
    window
        Samples of an analysis window.
    n_fft, hop
        Length of the transform, and samples between frames.
    frames, columns, rows
        Frames computed, and the size of the picture that they are pooled to.
    scale, low_hz, high_hz
        Frequency axis of the picture.
    """

    rate: int
    first: int
    samples: int
    window: int
    n_fft: int
    hop: int
    frames: int
    columns: int
    rows: int
    scale: Scale
    low_hz: float
    high_hz: float

    @property
    def stft(self) -> StftConfig:
        """Frames that begin where the samples given begin."""
        return StftConfig(self.n_fft, self.hop, self.window, pad="none")

    @property
    def window_s(self) -> float:
        """Length of the analysis window, s."""
        return self.window / self.rate

    @property
    def start_s(self) -> float:
        """Begin of the picture, s within the recording."""
        return self.first / self.rate

    @property
    def end_s(self) -> float:
        """End of the picture, s; less than a frame after that of the span."""
        return (self.first + self.frames * self.hop) / self.rate


def plan(rate: int, start_s: float, end_s: float, look: Look, *, whole_s: float) -> Plan:
    """Choose the transform that draws a span.

    Without a wish, the window is the power of two for which the smallest thing that can be told
    apart is as large across as it is up: a Hann window of T seconds resolves about T / 2 in time
    and 2 / T in frequency, so ``T**2 = 4 * span * height / (band * width)``. A song of birds gets
    some 20 ms, a minute of whales 100 ms or more, a bat's pass 2 ms, and zooming in sharpens.

    Parameters
    ----------
    rate
        Hz of the recording.
    start_s, end_s
        Span within the recording, s.
    look
        What to draw.
    whole_s
        Length of the span before the recording's ends cut it, s: pictures at the ends are as
        sharp as their neighbours.

    Raises
    ------
    MediaError
        If the span is too long or too short, or the band is empty.
    """
    first = round(start_s * rate)
    samples = round(end_s * rate) - first
    if samples < 1:
        raise MediaError(f"The span {start_s:g} to {end_s:g} s is shorter than one sample.")
    if samples > MAX_SAMPLES:
        raise MediaError(
            f"A span of {_duration(end_s - start_s)} is too long for one picture: at {rate:,} Hz "
            f"it can be {_duration(MAX_SAMPLES / rate)}. Choose a shorter one, or the view of a "
            "day."
        )
    low, high = _band(rate, look)
    window = _window(rate, look, whole_s, high - low)
    hop = max(1, min(samples // look.width, window // 2))
    frames = -(-samples // hop)
    rows, n_fft = _rows(rate, window, look, low, high, _MAX_WORK // frames)
    return Plan(
        rate=rate,
        first=first,
        samples=samples,
        window=window,
        n_fft=n_fft,
        hop=hop,
        frames=frames,
        columns=min(frames, look.width),
        rows=rows,
        scale=look.scale,
        low_hz=low,
        high_hz=high,
    )


def bin_rows(made: Plan) -> tuple[slice, Int64]:
    """Return the bins of the band of a linear axis, and where in them each row begins.

    A bin stands for half a step to either side of its frequency.
    """
    step = made.rate / made.n_fft
    edges = made.low_hz + np.arange(made.rows) * ((made.high_hz - made.low_hz) / made.rows)
    bins = made.n_fft // 2 + 1
    start = min(int(made.low_hz / step + 0.5), bins - 1)
    stop = min(max(math.ceil(made.high_hz / step + 0.5), start + 1), bins)
    at = np.floor(edges / step + 0.5).astype(np.int64) - start
    return slice(start, stop), np.clip(at, 0, stop - start - 1)


def _band(rate: int, look: Look) -> tuple[float, float]:
    top = rate / 2
    high = top if look.high_hz is None else min(look.high_hz, top)
    if look.low_hz >= top:
        raise MediaError(
            f"The band begins at {look.low_hz:,.0f} Hz; this recording of {rate:,} samples a "
            f"second reaches up to {top:,.0f} Hz."
        )
    if look.low_hz >= high:
        raise MediaError(f"The band {look.low_hz:g} to {high:g} Hz must end above its start.")
    return look.low_hz, high


def _window(rate: int, look: Look, whole_s: float, band: float) -> int:
    if look.window_s is not None:
        return min(max(round(look.window_s * rate), _SHORTEST), _LONGEST)
    ideal = math.sqrt(4 * whole_s * look.height / (band * look.width)) * rate
    power = 1 << round(math.log2(max(ideal, 1)))
    return min(max(power, _CHOSEN_SHORTEST), _CHOSEN_LONGEST)


def _rows(
    rate: int, window: int, look: Look, low: float, high: float, affordable: int
) -> tuple[int, int]:
    """Return rows of the picture and a transform fine enough for them."""
    least = _power_of_two(window)
    most = max(least, min(_FINEST * least, _LONGEST, _power_of_two(affordable) // 2))
    if look.scale == "linear":
        wanted = _power_of_two(math.ceil(rate * look.height / (high - low)))
        n_fft = min(max(least, wanted), most)
        return max(1, min(look.height, int((high - low) * n_fft / rate))), n_fft
    rows = min(look.height, _MOST_MEL)
    while True:
        # Each filter needs a bin under its triangle, the narrowest one too.
        low_mel, high_mel = hz_to_mel([low, high])
        edges = mel_to_hz(np.linspace(low_mel, high_mel, rows + 2))
        wanted = _power_of_two(math.ceil(rate / float(np.diff(edges).min())))
        if wanted <= most or rows == 1:
            return rows, min(max(least, wanted), most)
        rows = max(1, rows * 3 // 4)


def _power_of_two(number: int) -> int:
    return 1 << max(1, (number - 1).bit_length())


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.3g} s"
    return f"{seconds / 60:.3g} min" if seconds < 7200 else f"{seconds / 3600:.3g} h"

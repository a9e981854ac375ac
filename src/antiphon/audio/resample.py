"""Resampling with soxr: exact lengths, and spans that equal the stream."""

from __future__ import annotations

from math import gcd

import numpy as np
import numpy.typing as npt
import soxr

Float32 = npt.NDArray[np.float32]

# Periods of the lower of the two rates that the filter of soxr's HQ recipe reaches to each
# side; beyond 100 its impulse response is below 1e-6.
_REACH = 256


def output_length(frames: int, from_rate: int, to_rate: int) -> int:
    """Samples that ``frames`` samples become at another rate: the nearest integer, half up.

    Parameters
    ----------
    frames
        Samples per channel at ``from_rate``.
    from_rate, to_rate
        Hz.
    """
    return (2 * frames * to_rate + from_rate) // (2 * from_rate)


class Resampler:
    """Resample block by block; the pieces joined are as long as :func:`output_length` says.

    Parameters
    ----------
    from_rate, to_rate
        Hz.
    channels
        Number of channels.
    """

    def __init__(self, from_rate: int, to_rate: int, channels: int) -> None:
        self._rates = (from_rate, to_rate)
        self._channels = channels
        self._stream = soxr.ResampleStream(
            from_rate, to_rate, channels, dtype="float32", quality="HQ"
        )
        self._taken = 0
        self._given = 0

    def process(self, block: Float32, last: bool = False) -> Float32:
        """Take ``(n, channels)`` samples, return ``(m, channels)`` at the new rate.

        What comes back lags behind what went in, until ``last`` flushes the rest.
        """
        self._taken += len(block)
        if last:
            # Zeros after the end, which the filter assumes there anyway, make the output long
            # enough to be cut to the exact length.
            from_rate, to_rate = self._rates
            extra = 2 * -(-from_rate // to_rate) + 1
            tail = np.zeros((extra, self._channels), np.float32)
            block = np.concatenate([block, tail])
        out: Float32 = self._stream.resample_chunk(np.ascontiguousarray(block), last=last)
        if last:
            out = out[: output_length(self._taken, *self._rates) - self._given]
        self._given += len(out)
        return out


def source_span(
    start: int, stop: int, frames: int, from_rate: int, to_rate: int
) -> tuple[int, int, int]:
    """Input samples needed to compute the output samples ``[start, stop)``.

    The first input sample lies on both rates' grids, so that resampling from there gives the
    same samples as resampling the whole recording.

    Returns
    -------
    first, last : int
        The span of input samples, ``last`` exclusive and at most ``frames``.
    offset : int
        The output sample at which input sample ``first`` lies.
    """
    common = gcd(from_rate, to_rate)
    up, down = to_rate // common, from_rate // common
    reach = -(-_REACH * max(from_rate, to_rate) // to_rate)
    first = max(0, (start * down // up - reach) // down * down)
    last = min(frames, -(-stop * down // up) + reach)
    return first, last, first // down * up

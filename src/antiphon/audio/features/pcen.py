"""Per-channel energy normalisation (PCEN): mel energies against their own recent past."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.signal import lfilter

from antiphon.errors import UserError

Float32 = npt.NDArray[np.float32]


def smoothing_coefficient(time_constant_s: float, sample_rate: int, hop: int) -> float:
    """Coefficient ``s`` of the smoother for a time constant T in frames.

    ``s = (sqrt(1 + 4 T**2) - 1) / (2 T**2)`` (Lostanlen et al. 2019, section II).
    """
    frames = time_constant_s * sample_rate / hop
    if not frames > 0:
        raise UserError(f"PCEN needs a positive time constant, not {time_constant_s} s.")
    return float((np.sqrt(1 + 4 * frames**2) - 1) / (2 * frames**2))


def pcen(
    mel: Float32,
    *,
    sample_rate: int,
    hop: int,
    time_constant_s: float = 0.4,
    gain: float = 0.98,
    bias: float = 2.0,
    power: float = 0.5,
    eps: float = 1e-6,
    scale: float = 1.0,
    start: Literal["first", "one"] = "first",
) -> Float32:
    """Normalise mel energies: ``(E / (eps + M)**gain + bias)**power - bias**power``.

    ``M`` is ``E`` smoothed over time, ``M[t] = (1 - s) M[t-1] + s E[t]``: Wang et al. 2017,
    "Trainable frontend for robust and far-field keyword spotting", equations 1 and 2. For
    recordings outdoors Lostanlen et al. 2019, "Per-channel energy normalization: why and how",
    advise a gain of 0.8, a bias of 10, a power of 0.25 and 60 ms.

    Parameters
    ----------
    mel
        ``(n, frames, bands)`` float32, not negative.
    sample_rate, hop
        Hz and samples between frames, to turn the time constant into frames.
    time_constant_s
        Seconds over which ``M`` follows ``E``.
    gain, bias, power, eps
        The parameters alpha, delta, r and epsilon of the paper.
    scale
        Factor on ``mel`` first. The usual parameters are meant for audio with integer samples:
        ``2.0**31`` does that for audio in [-1, 1].
    start
        ``M`` before the first frame: the first frame itself, so that a window does not begin
        with a transient, or ``one`` (after scaling), as librosa has it.

    Returns
    -------
    numpy.ndarray
        ``(n, frames, bands)`` float32. Each window starts anew.

    Raises
    ------
    UserError
        A parameter is out of range.
    """
    if gain < 0 or bias < 0 or power <= 0 or eps <= 0 or scale <= 0:
        raise UserError("PCEN: gain and bias must be at least 0; power, eps and scale above 0.")
    if start not in ("first", "one"):
        raise UserError(f"PCEN start {start!r}: use 'first' or 'one'.")
    energy = np.asarray(mel, np.float32) * np.float32(scale)
    if energy.ndim != 3:
        raise ValueError(f"mel must be (n, frames, bands), not {energy.shape}")
    if energy.shape[1] == 0:
        return energy
    smooth = _smooth(energy, smoothing_coefficient(time_constant_s, sample_rate, hop), start)
    # (eps + M)**-gain through logarithms, which keep quiet bands precise.
    smooth /= np.float32(eps)
    np.log1p(smooth, out=smooth)
    smooth += np.float32(np.log(eps))
    smooth *= np.float32(-gain)
    energy *= np.exp(smooth, out=smooth)
    if bias == 0:
        np.power(energy, np.float32(power), out=energy)
        return energy
    energy /= np.float32(bias)
    np.log1p(energy, out=energy)
    energy *= np.float32(power)
    np.expm1(energy, out=energy)
    energy *= np.float32(bias**power)
    return energy


def _smooth(energy: Float32, s: float, start: str) -> Float32:
    before = energy[:, :1] if start == "first" else np.ones_like(energy[:, :1])
    numerator = np.array([s], np.float32)
    denominator = np.array([1.0, s - 1.0], np.float32)
    state = (before * np.float32(1.0 - s)).astype(np.float32)
    smooth: Float32 = lfilter(numerator, denominator, energy, axis=1, zi=state)[0]
    return smooth

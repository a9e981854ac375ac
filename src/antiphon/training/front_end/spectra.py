"""Power spectra of frames in torch, by fast transform or as one matrix product."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

Float64 = npt.NDArray[np.float64]
Float32 = npt.NDArray[np.float32]

Transform = Literal["fft", "matmul"]
"""``fft`` for training; ``matmul``, a convolution with sines and cosines, for export."""

Extension = Literal["reflect", "symmetric", "constant"]


class FramePower(nn.Module):
    """Squared magnitude of the Fourier transform of successive frames.

    A frame's mean is subtracted, it is pre-emphasised (its first sample its own predecessor) and
    windowed, each where asked for; all of that is linear, so ``matmul`` folds it into its tables,
    which are computed in float64.

    Parameters
    ----------
    window
        ``(length,)`` float32 analysis window.
    hop
        Samples between frames.
    n_fft
        Length of the transform, at least that of the frame.
    transform
        ``fft`` or ``matmul``.
    remove_dc, preemphasis
        As in :class:`antiphon.audio.features.fbank.KaldiFbank`.
    bins
        First bin and the one after the last that ``matmul`` computes; None for all. ``fft`` always
        computes all.
    """

    def __init__(
        self,
        window: Float32,
        hop: int,
        n_fft: int,
        transform: Transform,
        *,
        remove_dc: bool = False,
        preemphasis: float = 0.0,
        bins: tuple[int, int] | None = None,
    ) -> None:
        super().__init__()
        self.length, self.hop, self.n_fft = len(window), hop, n_fft
        self.transform = transform
        self.remove_dc, self.preemphasis = remove_dc, preemphasis
        if transform == "fft":
            table = torch.from_numpy(window.copy())
        else:
            tables = dft_tables(window, n_fft, remove_dc, preemphasis, bins)
            table = torch.from_numpy(tables.astype(np.float32)).unsqueeze(1)
        self.register_buffer("table", table, persistent=False)

    def forward(self, samples: Tensor) -> Tensor:
        """Transform ``(B, N)`` samples to ``(B, T, n_fft // 2 + 1)``, or fewer bins if so asked."""
        if self.transform == "matmul":
            return self._by_product(samples)
        frames = samples.unfold(1, self.length, self.hop)
        if self.remove_dc:
            frames = frames - frames.mean(2, keepdim=True)
        if self.preemphasis:
            before = torch.cat([frames[..., :1], frames[..., :-1]], dim=2)
            frames = frames - self.preemphasis * before
        spectrum = torch.fft.rfft(frames * self.table, n=self.n_fft)
        return spectrum.real.square() + spectrum.imag.square()

    def _by_product(self, samples: Tensor) -> Tensor:
        if self.remove_dc:
            # A constant changes nothing in frames without their mean, but costs float32 its
            # precision in a product.
            samples = samples - samples.mean(1, keepdim=True)
        parts = functional.conv1d(samples.unsqueeze(1), self.table, stride=self.hop)
        real, imaginary = parts.chunk(2, dim=1)
        return (real.square() + imaginary.square()).transpose(1, 2)


def dft_tables(
    window: Float32,
    n_fft: int,
    remove_dc: bool = False,
    preemphasis: float = 0.0,
    bins: tuple[int, int] | None = None,
) -> Float64:
    """Matrix from a frame to the real and imaginary parts of its transform.

    Returns
    -------
    numpy.ndarray
        ``(2 * (n_fft // 2 + 1), length)`` float64: rows of cosines, then rows of sines; of the
        bins from the first to before the second where ``bins`` are given.
    """
    length = len(window)
    first, stop = bins or (0, n_fft // 2 + 1)
    # The product is reduced to one turn in integers, where the angle is exact.
    turns = np.outer(np.arange(first, stop), np.arange(length)) % n_fft
    angle = 2 * np.pi * turns / n_fft
    tables = np.concatenate([np.cos(angle), -np.sin(angle)]) * window.astype(np.float64)
    if preemphasis:
        emphasised = tables.copy()
        emphasised[:, :-1] -= preemphasis * tables[:, 1:]
        emphasised[:, 0] -= preemphasis * tables[:, 0]
        tables = emphasised
    if remove_dc:
        tables = tables - tables.mean(axis=1, keepdims=True)
    return np.asarray(tables)


def extend(samples: Tensor, left: int, right: int, mode: Extension) -> Tensor:
    """Continue ``(B, N)`` samples beyond both ends, as :func:`numpy.pad` does.

    ``reflect`` and ``symmetric`` mirror without and with the outermost sample, several times over
    where the audio is shorter than what is added.
    """
    if left == right == 0:
        return samples
    if mode == "constant":
        return functional.pad(samples, (left, right))
    before, after = _mirror(samples.shape[1], left, right, mode)
    parts = [samples]
    if left:
        parts.insert(0, samples[:, torch.as_tensor(before, device=samples.device)])
    if right:
        parts.append(samples[:, torch.as_tensor(after, device=samples.device)])
    return torch.cat(parts, dim=1)


@lru_cache(maxsize=64)
def _mirror(
    count: int, left: int, right: int, mode: Literal["reflect", "symmetric"]
) -> tuple[list[int], list[int]]:
    order = np.pad(np.arange(count), (left, right), mode=mode)
    return order[:left].tolist(), order[left + count :].tolist()

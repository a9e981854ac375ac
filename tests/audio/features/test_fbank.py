from __future__ import annotations

import math

import numpy as np
import pytest

from antiphon.audio.features.fbank import KaldiFbank
from antiphon.errors import UserError


def reference(
    samples: np.ndarray,
    rate: int,
    n_mels: int,
    fmin: float,
    fmax: float,
    window: str = "povey",
    snip_edges: bool = True,
) -> np.ndarray:
    """Kaldi's filterbank one number at a time, in float64, from its documented definition."""
    length, shift = int(rate * 0.025), int(rate * 0.010)
    n_fft = 2 ** math.ceil(math.log2(length))
    wave = samples.astype(np.float64)
    n = len(wave)
    frames = 1 + (n - length) // shift if snip_edges else (n + shift // 2) // shift

    def sample(index: int) -> float:
        while not 0 <= index < n:
            index = -index - 1 if index < 0 else 2 * n - 1 - index
        return float(wave[index])

    def mel(hz: float) -> float:
        return 1127.0 * math.log(1 + hz / 700.0)

    def weight(position: int) -> float:
        hann = 0.5 - 0.5 * math.cos(2 * math.pi * position / (length - 1))
        if window == "hamming":
            return 0.54 - 0.46 * math.cos(2 * math.pi * position / (length - 1))
        return hann**0.85 if window == "povey" else hann

    high = fmax if fmax > 0 else rate / 2 + fmax
    step = (mel(high) - mel(fmin)) / (n_mels + 1)
    out = np.zeros((frames, n_mels))
    for t in range(frames):
        first = t * shift if snip_edges else t * shift + shift // 2 - length // 2
        frame = [sample(first + k) for k in range(length)]
        mean = sum(frame) / length
        frame = [value - mean for value in frame]
        emphasised = [frame[k] - 0.97 * frame[max(k - 1, 0)] for k in range(length)]
        shaped = np.array([emphasised[k] * weight(k) for k in range(length)])
        power = np.abs(np.fft.rfft(shaped, n_fft)) ** 2
        for band in range(n_mels):
            left = mel(fmin) + band * step
            centre, right = left + step, left + 2 * step
            total = 0.0
            for k in range(n_fft // 2):
                position = mel(k * rate / n_fft)
                if left < position < right:
                    rise = (position - left) / (centre - left)
                    fall = (right - position) / (right - centre)
                    total += power[k] * min(rise, fall)
            out[t, band] = math.log(max(total, np.finfo(np.float32).eps))
    return out


def wave(samples: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    t = np.arange(samples)
    return (0.2 * np.sin(2 * np.pi * 0.03 * t) + 0.05 * rng.standard_normal(samples) + 0.1).astype(
        np.float32
    )


@pytest.mark.parametrize("snip_edges", [True, False])
@pytest.mark.parametrize(
    ("rate", "n_mels", "fmin", "fmax", "window"),
    [
        (16_000, 23, 20.0, 0.0, "povey"),
        (16_000, 40, 50.0, -400.0, "hann"),
        (8_000, 16, 0.0, 3_500.0, "hamming"),
    ],
)
def test_matches_the_definition(
    rate: int, n_mels: int, fmin: float, fmax: float, window: str, snip_edges: bool
) -> None:
    samples = wave(rate // 10 + 37)
    fbank = KaldiFbank(
        rate,
        n_mels=n_mels,
        fmin=fmin,
        fmax=fmax,
        window=window,  # type: ignore[arg-type]
        snip_edges=snip_edges,
    )
    got = fbank(samples[None])
    expected = reference(samples, rate, n_mels, fmin, fmax, window, snip_edges)
    assert got.dtype == np.float32
    assert got.shape == (1, *expected.shape) == (1, fbank.n_frames(len(samples)), n_mels)
    np.testing.assert_allclose(got[0], expected, atol=2e-3)


def test_scale_of_16_bit_integers() -> None:
    samples = wave(3_200)
    plain = KaldiFbank(16_000)(samples[None])
    scaled = KaldiFbank(16_000, scale=32_768.0)(samples[None])
    # A factor on the audio is its square on the power, and a constant after the logarithm.
    np.testing.assert_allclose(scaled - plain, 2 * np.log(32_768.0), atol=1e-3)


def test_silence_is_at_the_floor() -> None:
    got = KaldiFbank(16_000, n_mels=128)(np.zeros((2, 16_000), np.float32))
    assert got.shape == (2, 98, 128)
    np.testing.assert_allclose(got, np.log(np.finfo(np.float32).eps), rtol=1e-6)


def test_result_does_not_depend_on_the_batch() -> None:
    audio = np.stack([wave(16_000, seed) for seed in range(6)])
    for fbank in (KaldiFbank(16_000, n_mels=128), KaldiFbank(16_000, snip_edges=False)):
        together = fbank(audio)
        for rows in ([0], [5], [3, 1, 2]):
            np.testing.assert_array_equal(fbank(audio[rows]), together[rows])


def test_mask_and_short_audio() -> None:
    fbank = KaldiFbank(16_000)
    assert fbank(np.zeros((2, 399), np.float32)).shape == (2, 0, 23)
    mask = fbank.frame_mask(np.array([16_000, 8_000, 1]), 16_000)
    assert mask.sum(axis=1).tolist() == [98, 49, 1]


def test_parameters_that_make_no_sense() -> None:
    for options in ({"frame_ms": 0.01}, {"shift_ms": 0.0}, {"preemphasis": 2.0}, {"power": 3}):
        with pytest.raises(UserError):
            KaldiFbank(16_000, **options)  # type: ignore[arg-type]
    with pytest.raises(UserError, match="do not fit"):
        KaldiFbank(16_000, fmin=9_000.0)

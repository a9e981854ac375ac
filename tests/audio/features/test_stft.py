from __future__ import annotations

import librosa
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import signal

from antiphon.audio.features.stft import (
    StftConfig,
    analysis_window,
    frame_mask,
    power_spectrogram,
    stft_magnitude,
)
from antiphon.errors import UserError


def batch(n: int, samples: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((n, samples)).astype(np.float32) * 0.3


@pytest.mark.parametrize("pad", ["reflect", "zero"])
@pytest.mark.parametrize(
    ("n_fft", "hop", "win_length"),
    [(2048, 512, None), (512, 160, 400), (512, 100, 301), (256, 300, 256), (1024, 1024, 64)],
)
@pytest.mark.parametrize("samples", [16_000, 15_999, 2_049])
def test_centred_frames_match_librosa(
    pad: str, n_fft: int, hop: int, win_length: int | None, samples: int
) -> None:
    audio = batch(3, samples)
    config = StftConfig(n_fft, hop, win_length, pad=pad)  # type: ignore[arg-type]
    expected = np.abs(
        librosa.stft(
            audio,
            n_fft=n_fft,
            hop_length=hop,
            win_length=win_length,
            pad_mode="reflect" if pad == "reflect" else "constant",
        )
    ).transpose(0, 2, 1)
    got = stft_magnitude(audio, config)
    assert got.dtype == np.float32
    assert got.shape == expected.shape == (3, config.n_frames(samples), config.n_bins)
    scale = expected.max()
    np.testing.assert_allclose(got, expected, atol=1e-5 * scale)
    np.testing.assert_allclose(power_spectrogram(audio, config), expected**2, atol=1e-5 * scale**2)


@pytest.mark.parametrize("window", ["hann", "hamming", "rectangular"])
def test_frames_without_padding_match_a_plain_transform(window: str) -> None:
    audio = batch(2, 5_000)
    config = StftConfig(512, 160, 400, window, "none")  # type: ignore[arg-type]
    weights = signal.get_window("boxcar" if window == "rectangular" else window, 400)
    got = power_spectrogram(audio, config)
    assert got.shape == (2, 1 + (5_000 - 400) // 160, 257)
    for t in range(got.shape[1]):
        frames = audio[:, t * 160 : t * 160 + 400].astype(np.float64) * weights
        expected = np.abs(np.fft.rfft(frames, 512, axis=1)) ** 2
        np.testing.assert_allclose(got[:, t], expected, atol=1e-5 * expected.max())


def test_librosa_without_centring() -> None:
    audio = batch(2, 9_000)
    expected = np.abs(librosa.stft(audio, n_fft=1024, hop_length=256, center=False))
    got = stft_magnitude(audio, StftConfig(1024, 256, pad="none"))
    np.testing.assert_allclose(got, expected.transpose(0, 2, 1), atol=1e-5 * expected.max())


@pytest.mark.parametrize("pad", ["reflect", "zero", "none"])
def test_result_does_not_depend_on_the_batch(pad: str) -> None:
    audio = batch(7, 40_000)
    config = StftConfig(1024, 100, pad=pad)  # type: ignore[arg-type]
    together = power_spectrogram(audio, config)
    for row in range(len(audio)):
        alone = power_spectrogram(audio[row : row + 1], config)
        np.testing.assert_array_equal(alone[0], together[row])


def test_audio_shorter_than_a_frame() -> None:
    audio = batch(2, 100)
    assert power_spectrogram(audio, StftConfig(512, 160, pad="none")).shape == (2, 0, 257)
    assert power_spectrogram(audio, StftConfig(512, 160)).shape == (2, 1, 257)
    assert power_spectrogram(audio[:0], StftConfig(512, 160)).shape == (0, 1, 257)
    assert power_spectrogram(audio[:, :1], StftConfig(512, 160)).shape == (2, 1, 257)
    with pytest.raises(ValueError, match="audio must be"):
        power_spectrogram(audio[0], StftConfig(512, 160))


@pytest.mark.parametrize("length", [1, 2, 25, 400])
def test_windows_match_scipy(length: int) -> None:
    for periodic in (True, False):
        hann = signal.windows.hann(length, sym=not periodic)
        if length > 1:
            np.testing.assert_allclose(analysis_window("hann", length, periodic), hann, atol=1e-7)
            povey = analysis_window("povey", length, periodic)
            np.testing.assert_allclose(povey, hann**0.85, atol=1e-6)
            np.testing.assert_allclose(
                analysis_window("hamming", length, periodic),
                signal.windows.hamming(length, sym=not periodic),
                atol=1e-7,
            )


def test_configs_that_make_no_sense() -> None:
    for values in ((511, 160), (0, 160), (512, 0), (512, 160, 513), (512, 160, 0)):
        with pytest.raises(UserError):
            StftConfig(*values)
    with pytest.raises(UserError, match="Window 'kaiser'"):
        StftConfig(window="kaiser")  # type: ignore[arg-type]
    with pytest.raises(UserError, match="pad 'wrap'"):
        StftConfig(pad="wrap")  # type: ignore[arg-type]


def test_mask_by_hand() -> None:
    valid = np.array([0, 1, 100, 101, 250, 400])
    mask = frame_mask(valid, 4, 100)
    assert mask.sum(axis=1).tolist() == [0, 1, 1, 2, 3, 4]
    assert frame_mask(valid, 4, 100, first_centre=50).sum(axis=1).tolist() == [0, 1, 1, 1, 2, 4]


@given(st.integers(1, 3_000), st.sampled_from(["reflect", "none"]))
def test_masked_frames_hold_at_least_half_audio(valid: int, pad: str) -> None:
    config = StftConfig(256, 100, pad=pad)  # type: ignore[arg-type]
    mask = config.frame_mask(np.array([valid]), 3_000)[0]
    assert mask.shape == (config.n_frames(3_000),)
    assert mask[0]
    for t in np.flatnonzero(mask)[1:]:
        assert t * 100 + config.first_centre < valid
    for t in np.flatnonzero(~mask):
        assert t * 100 + config.first_centre >= valid


def test_pooling_over_the_mask_ignores_the_padding() -> None:
    audio = np.zeros((2, 8_000), np.float32)
    tone = np.sin(np.arange(8_000) * 0.3).astype(np.float32)
    audio[0] = tone
    audio[1, :3_000] = tone[:3_000]
    config = StftConfig(512, 128, pad="zero")
    power = power_spectrogram(audio, config)
    mask = config.frame_mask(np.array([8_000, 3_000]), 8_000)
    peaks = [power[row][mask[row]].mean(axis=0).max() for row in range(2)]
    assert peaks[1] == pytest.approx(peaks[0], rel=0.1)
    assert power[1].mean(axis=0).max() < 0.5 * peaks[0]

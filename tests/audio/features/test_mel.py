from __future__ import annotations

import librosa
import numpy as np
import pytest

from antiphon.audio.features.mel import MelProjection, hz_to_mel, mel_filterbank, mel_to_hz
from antiphon.errors import UserError


@pytest.mark.parametrize("scale", ["slaney", "htk"])
@pytest.mark.parametrize("norm", ["slaney", None])
@pytest.mark.parametrize(
    ("rate", "n_fft", "n_mels", "fmin", "fmax"),
    [
        (32_000, 2048, 128, 0.0, None),
        (16_000, 512, 64, 125.0, 7_500.0),
        (250_000, 1024, 96, 15_000.0, 120_000.0),
        (8_000, 256, 10, 50.0, 4_000.0),
    ],
)
def test_filters_match_librosa(
    scale: str, norm: str | None, rate: int, n_fft: int, n_mels: int, fmin: float, fmax: float
) -> None:
    got = mel_filterbank(rate, n_fft, n_mels, fmin, fmax, scale, norm)  # type: ignore[arg-type]
    expected = librosa.filters.mel(
        sr=rate, n_fft=n_fft, n_mels=n_mels, fmin=fmin, fmax=fmax, htk=scale == "htk", norm=norm
    )
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, expected, atol=1e-6 * expected.max())


@pytest.mark.parametrize("scale", ["slaney", "htk"])
def test_scales_match_librosa_and_invert(scale: str) -> None:
    hz = np.array([0.0, 20.0, 440.0, 999.9, 1_000.0, 1_000.1, 8_000.0, 125_000.0])
    mel = hz_to_mel(hz, scale)  # type: ignore[arg-type]
    np.testing.assert_allclose(mel, librosa.hz_to_mel(hz, htk=scale == "htk"), rtol=1e-10)
    np.testing.assert_allclose(mel_to_hz(mel, scale), hz, atol=1e-7)  # type: ignore[arg-type]


def test_slopes_over_mel_are_straight_over_mel() -> None:
    filters = mel_filterbank(16_000, 512, 40, 60.0, 7_800.0, "htk", None, "mel")
    mels = 2595 * np.log10(1 + np.arange(257) * 16_000 / 512 / 700)
    edges = np.linspace(*(2595 * np.log10(1 + np.array([60.0, 7_800.0]) / 700)), 42)
    for band in range(40):
        left, centre, right = edges[band : band + 3]
        expected = np.interp(mels, [left, centre, right], [0, 1, 0], left=0, right=0)
        np.testing.assert_allclose(filters[band], expected, atol=1e-6)


def test_projection_is_the_product() -> None:
    filters = mel_filterbank(32_000, 1024, 64)
    spectra = np.random.default_rng(0).random((37, 513), np.float32)
    project = MelProjection(filters)
    got = project(spectra)
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, spectra @ filters.T, rtol=1e-5)
    np.testing.assert_array_equal(project(spectra[5:6])[0], got[5])


def test_filters_that_do_not_fit() -> None:
    with pytest.raises(UserError, match=r"0 to 20000 Hz do not fit audio at 32000 Hz"):
        mel_filterbank(32_000, 512, 64, 0, 20_000)
    for values in ((64, -1.0, None), (64, 500.0, 400.0), (0, 0.0, None)):
        with pytest.raises(UserError):
            mel_filterbank(32_000, 512, *values)  # type: ignore[arg-type]
    with pytest.raises(UserError):
        mel_filterbank(32_000, 512, scale="bark")  # type: ignore[arg-type]

from __future__ import annotations

import librosa
import numpy as np
import pytest

from antiphon.audio.features.pcen import pcen, smoothing_coefficient
from antiphon.errors import UserError


def energies(n: int = 3, frames: int = 200, bands: int = 40) -> np.ndarray:
    rng = np.random.default_rng(0)
    return (rng.gamma(1.0, 1e-3, (n, frames, bands))).astype(np.float32)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"gain": 0.8, "bias": 10.0, "power": 0.25},
        {"bias": 0.0},
        {"gain": 0.5, "power": 1.0, "eps": 1e-4},
    ],
)
@pytest.mark.parametrize(
    ("rate", "hop", "time_constant"), [(22_050, 512, 0.4), (32_000, 320, 0.06)]
)
def test_matches_librosa(
    options: dict[str, float], rate: int, hop: int, time_constant: float
) -> None:
    mel = energies()
    scale = 2.0**31
    expected = librosa.pcen(
        mel.astype(np.float64) * scale,
        sr=rate,
        hop_length=hop,
        time_constant=time_constant,
        axis=1,
        **options,
    )
    got = pcen(
        mel,
        sample_rate=rate,
        hop=hop,
        time_constant_s=time_constant,
        scale=scale,
        start="one",
        **options,
    )
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, expected, rtol=2e-4, atol=1e-5 * expected.max())


def test_matches_the_formula_from_the_first_frame_on() -> None:
    mel = energies(1, 50, 4).astype(np.float64)
    s = smoothing_coefficient(0.4, 22_050, 512)
    smooth = mel[0, 0].copy()
    got = pcen(mel.astype(np.float32), sample_rate=22_050, hop=512)
    for t in range(50):
        smooth = (1 - s) * smooth + s * mel[0, t]
        expected = (mel[0, t] / (1e-6 + smooth) ** 0.98 + 2) ** 0.5 - 2**0.5
        np.testing.assert_allclose(got[0, t], expected, rtol=1e-4, atol=1e-6)


def test_the_level_of_a_recording_is_taken_out() -> None:
    mel = energies()
    options = {"sample_rate": 22_050, "hop": 512, "scale": 2.0**31, "gain": 1.0}
    quiet = pcen(mel * np.float32(0.01), **options)  # type: ignore[arg-type]
    np.testing.assert_allclose(quiet, pcen(mel, **options), rtol=1e-2)  # type: ignore[arg-type]


@pytest.mark.parametrize("start", ["first", "one"])
def test_result_does_not_depend_on_the_batch(start: str) -> None:
    mel = energies(5)
    options = {"sample_rate": 22_050, "hop": 512, "start": start}
    together = pcen(mel, **options)  # type: ignore[arg-type]
    for rows in ([0], [4], [3, 1]):
        np.testing.assert_array_equal(pcen(mel[rows], **options), together[rows])  # type: ignore[arg-type]


def test_input_is_left_alone_and_empty_is_empty() -> None:
    mel = energies()
    before = mel.copy()
    pcen(mel, sample_rate=22_050, hop=512)
    np.testing.assert_array_equal(mel, before)
    assert pcen(mel[:, :0], sample_rate=22_050, hop=512).shape == (3, 0, 40)
    assert pcen(mel[:0], sample_rate=22_050, hop=512).shape == (0, 200, 40)
    assert np.isfinite(pcen(np.zeros((1, 9, 4), np.float32), sample_rate=22_050, hop=512)).all()


def test_parameters_that_make_no_sense() -> None:
    for options in (
        {"gain": -1.0},
        {"power": 0.0},
        {"eps": 0.0},
        {"scale": 0.0},
        {"time_constant_s": 0.0},
        {"start": "zero"},
    ):
        with pytest.raises(UserError):
            pcen(energies(), sample_rate=22_050, hop=512, **options)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="mel must be"):
        pcen(energies()[0], sample_rate=22_050, hop=512)

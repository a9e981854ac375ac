from __future__ import annotations

from dataclasses import replace

import librosa
import numpy as np
import pytest

from antiphon.audio.features.logmel import LogMel
from antiphon.errors import UserError
from tests.real import real_model


def batch(n: int, samples: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    t = np.arange(samples) / 32_000
    tones = np.sin(2 * np.pi * rng.uniform(200, 12_000, (n, 1)) * t)
    return (0.2 * tones + 0.02 * rng.standard_normal((n, samples))).astype(np.float32)


YAMNET = LogMel(
    16_000,
    n_fft=512,
    hop=160,
    win_length=400,
    pad="none",
    n_mels=64,
    fmin=125.0,
    fmax=7_500.0,
    scale="htk",
    norm=None,
    slopes="mel",
    power=1,
    offset=0.001,
)


@pytest.mark.parametrize("power", [1, 2])
@pytest.mark.parametrize("scale", ["slaney", "htk"])
@pytest.mark.parametrize(("pad", "mode"), [("reflect", "reflect"), ("zero", "constant")])
def test_mel_matches_librosa(power: int, scale: str, pad: str, mode: str) -> None:
    audio = batch(2, 48_000)
    log_mel = LogMel(32_000, power=power, scale=scale, pad=pad, log="none")  # type: ignore[arg-type]
    expected = librosa.feature.melspectrogram(
        y=audio,
        sr=32_000,
        n_fft=2048,
        hop_length=512,
        n_mels=128,
        power=power,
        htk=scale == "htk",
        pad_mode=mode,
    ).transpose(0, 2, 1)
    got = log_mel(audio)
    assert got.dtype == np.float32
    assert got.shape == expected.shape == (2, log_mel.n_frames(48_000), 128)
    np.testing.assert_allclose(got, expected, rtol=1e-3, atol=1e-5 * expected.max())
    natural = LogMel(32_000, power=power, scale=scale, pad=pad)(audio)  # type: ignore[arg-type]
    np.testing.assert_allclose(natural, np.log(expected + 1e-6), atol=2e-3)


@pytest.mark.parametrize("power", [1, 2])
def test_db_is_clipped_per_window(power: int) -> None:
    audio = batch(2, 32_000)
    audio[1] *= 1e-3
    got = LogMel(32_000, power=power, log="db", top_db=40)(audio)  # type: ignore[arg-type]
    for row in range(2):
        mel = librosa.feature.melspectrogram(
            y=audio[row], sr=32_000, n_fft=2048, hop_length=512, power=power, pad_mode="reflect"
        ).T
        if power == 2:
            expected = librosa.power_to_db(mel, top_db=40)
        else:
            expected = librosa.amplitude_to_db(mel, amin=1e-10, top_db=40)
        np.testing.assert_allclose(got[row], expected, atol=2e-2)
        assert got[row].max() - got[row].min() == pytest.approx(40, abs=1e-3)


@pytest.mark.parametrize(
    "log_mel",
    [LogMel(32_000, log="db", top_db=80), LogMel(32_000, pad="none"), YAMNET],
    ids=["db", "natural", "yamnet"],
)
def test_result_does_not_depend_on_the_batch(log_mel: LogMel) -> None:
    audio = batch(6, 30_000)
    together = log_mel(audio)
    for rows in ([0], [3], [5, 1], [2, 0, 4]):
        np.testing.assert_array_equal(log_mel(audio[rows]), together[rows])


def test_silence_is_finite() -> None:
    silence = np.zeros((1, 16_000), np.float32)
    for log_mel in (LogMel(16_000), LogMel(16_000, log="db", top_db=80), YAMNET):
        assert np.isfinite(log_mel(silence)).all()
    assert LogMel(16_000, offset=0.0)(silence).max() == -np.inf


def test_mask_fits_the_frames() -> None:
    valid = np.array([15_600, 4_000])
    mask = YAMNET.frame_mask(valid, 15_600)
    assert mask.shape == (2, 96) == (2, YAMNET.n_frames(15_600))
    assert mask[0].all()
    # Frame t is centred on sample 200 + 160 t.
    assert mask[1].sum() == 24


def test_parameters_that_make_no_sense() -> None:
    for options in (
        {"power": 3},
        {"log": "bel"},
        {"floor": 0.0},
        {"top_db": -1.0},
        {"fmax": 40_000.0},
        {"offset": -1.0},
    ):
        with pytest.raises(UserError):
            LogMel(32_000, **options)  # type: ignore[arg-type]


@pytest.mark.real
def test_yamnet_reference_pair() -> None:
    audio = np.fromfile(real_model("yamnet_test_audio.bin"), np.int16)
    expected = np.fromfile(real_model("yamnet_test_spectra.bin"), np.float32).reshape(96, 64)
    # As the model card describes the front end...
    got = YAMNET((audio / np.float32(32_768)).astype(np.float32)[None])[0]
    assert got.shape == expected.shape
    assert np.corrcoef(got.ravel(), expected.ravel())[0, 1] > 0.9999
    # ...and as the pair was made: audio scaled to its peak, and an offset of 0.01.
    scaled = (audio / np.float32(np.abs(audio.astype(np.int32)).max())).astype(np.float32)
    exact = replace(YAMNET, offset=0.01)(scaled[None])[0]
    np.testing.assert_allclose(exact, expected, atol=1e-4)

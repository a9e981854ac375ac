from __future__ import annotations

import numpy as np
import pytest
import scipy.signal

from antiphon.audio.features.logmel import LogMel
from antiphon.encoders.front_end import NetworkFrontEnd
from antiphon.encoders.manifest import SHIPPED, Manifest, load_manifest
from antiphon.errors import UserError
from tests.encoders.make import windows
from tests.real import real_model

RATE = 8000


def front_end(kind: str, layout: str, channels: int = 1, **settings: object) -> NetworkFrontEnd:
    content = {
        "name": "n",
        "model": "m",
        "runtime": "onnx",
        "sample_rate": RATE,
        "window_s": 0.5,
        "front_end": {"kind": kind, **settings},
        "input": {"layout": layout, "channels": channels},
        "output": {"embedding": 0},
    }
    return NetworkFrontEnd(Manifest.model_validate(content))


def test_yamnet_front_end_matches_the_reference_pair() -> None:
    audio = np.fromfile(real_model("yamnet_test_audio.bin"), "<i2").astype(np.float32)
    wanted = np.fromfile(real_model("yamnet_test_spectra.bin"), "<f4").reshape(96, 64)
    # The pair was made from the audio at full scale of 8 bits.
    audio *= np.float32(127 / 128 / np.abs(audio).max())
    found = NetworkFrontEnd(load_manifest(SHIPPED / "yamnet.yaml"))(
        audio[None], np.array([len(audio)])
    ).tensor[0]
    assert found.shape == (96, 64)
    assert np.corrcoef(found.ravel(), wanted.ravel())[0, 1] > 0.9999
    assert np.median(np.abs(found - wanted)) < 0.02


def test_stft_matches_scipy_in_layout() -> None:
    audio, valid = windows(2, RATE // 2)
    found = front_end("stft_magnitude", "NFTC", n_fft=256, hop=64, pad="none", frames=40)(
        audio, valid
    ).tensor
    window = scipy.signal.get_window("hann", 256)
    _, _, spectra = scipy.signal.stft(
        audio, window=window, nperseg=256, noverlap=192, boundary=None, padded=False
    )
    wanted = np.abs(spectra[:, :, :40]) * window.sum()
    assert found.shape == (2, 129, 40, 1)
    np.testing.assert_allclose(found[..., 0], wanted, atol=1e-3)


@pytest.mark.parametrize(
    ("layout", "channels", "shape"),
    [
        ("NTF", 1, (32, 16)),
        ("NCTF", 3, (3, 32, 16)),
        ("NFT", 1, (16, 32)),
        ("NFTC", 1, (16, 32, 1)),
    ],
)
def test_layouts_hold_the_same_numbers(layout: str, channels: int, shape: tuple[int, ...]) -> None:
    audio, valid = windows(3, RATE // 2)
    made = front_end(
        "log_mel", layout, channels, n_fft=128, hop=124, pad="none", n_mels=16, frames=32
    )
    found = made(audio, valid).tensor
    assert made.shape == found.shape[1:] == shape
    wanted = LogMel(RATE, n_fft=128, hop=124, pad="none", n_mels=16)(audio)[:, :32]
    axes = {"T": 1, "F": 2}
    moved = np.moveaxis(wanted, [axes[a] for a in layout if a in axes], [1, 2])
    if "C" in layout:
        found = np.moveaxis(found, layout.index("C"), 0)[0]
    np.testing.assert_array_equal(found, moved)


@pytest.mark.parametrize("kind", ["mel", "log_mel", "pcen"])
@pytest.mark.parametrize("normalise", ["none", "min_max", "mean_std"])
def test_a_window_is_the_same_alone_and_in_a_batch(kind: str, normalise: str) -> None:
    audio, valid = windows(5, RATE // 2)
    valid[2] = 1000
    audio[2, 1000:] = 0
    made = front_end(kind, "NTF", n_fft=256, hop=80, n_mels=20, normalise=normalise)
    together = made(audio, valid).tensor
    for row in range(5):
        np.testing.assert_array_equal(
            made(audio[row : row + 1], valid[row : row + 1]).tensor[0], together[row]
        )


def test_normalisation_leaves_padding_out() -> None:
    audio, valid = windows(1, RATE // 2)
    audio[:, 2000:], valid[:] = 0, 2000
    settings = {"n_fft": 200, "hop": 100, "n_mels": 10, "pad": "none"}
    plain = front_end("log_mel", "NTF", **settings)(audio, valid).tensor[0]
    inside = plain[:19]
    scaled = front_end("log_mel", "NTF", normalise="min_max", **settings)(audio, valid).tensor[0]
    np.testing.assert_allclose(
        scaled[:19], (inside - inside.min()) / (inside.max() - inside.min()), atol=1e-5
    )
    assert not scaled[19:].any()
    unit = front_end("log_mel", "NTF", normalise="mean_std", **settings)(audio, valid).tensor[0]
    np.testing.assert_allclose(unit[:19], (inside - inside.mean()) / inside.std(), atol=1e-4)
    assert not unit[19:].any()
    fixed = front_end("log_mel", "NTF", normalise="fixed", mean=-4.0, std=2.0, **settings)
    np.testing.assert_allclose(fixed(audio, valid).tensor[0], (plain + 4) / 2, atol=1e-5)


def test_silence_normalises_to_zero() -> None:
    audio, valid = np.zeros((1, RATE // 2), np.float32), np.array([RATE // 2])
    for normalise in ("min_max", "mean_std"):
        made = front_end("mel", "NTF", n_fft=64, hop=32, n_mels=8, normalise=normalise)
        assert not made(audio, valid).tensor.any()


def test_waveform_peak_and_mean() -> None:
    audio, valid = windows(2, RATE // 2)
    audio = audio * 0.3 + 0.1
    audio[1, 1500:], valid[1] = 0, 1500
    found = front_end("waveform", "NS", remove_mean=True, peak=0.25)(audio, valid).tensor
    for row, count in enumerate(valid):
        part = found[row, :count]
        assert np.abs(part).max() == pytest.approx(0.25)
        assert abs(part.mean()) < 1e-6
        assert not found[row, count:].any()
    scaled = front_end("waveform", "NCS", scale=32768)(audio, valid).tensor
    np.testing.assert_array_equal(scaled[:, 0], audio * np.float32(32768))


def test_kaldi_shape_and_share_of_audio() -> None:
    audio, valid = windows(2, RATE // 2)
    valid[1] = RATE // 4
    made = front_end("kaldi_fbank", "NTF", n_mels=20)(audio, valid)
    assert made.tensor.shape == (2, 48, 20)
    np.testing.assert_array_equal(made.valid, [1.0, 0.5])


def test_frames_that_do_not_come_out() -> None:
    with pytest.raises(UserError, match="gives 32 frames per window, the manifest says 300"):
        front_end("mel", "NTF", n_fft=128, hop=124, pad="none", n_mels=16, frames=300)
    with pytest.raises(UserError, match="shorter than one frame"):
        front_end("mel", "NTF", n_fft=8192, hop=124, pad="none", n_mels=16)


def test_windows_of_another_length_are_refused() -> None:
    made = front_end("waveform", "NS")
    with pytest.raises(ValueError, match=r"\(n, 4000\)"):
        made(np.zeros((1, 3999), np.float32), np.array([3999]))

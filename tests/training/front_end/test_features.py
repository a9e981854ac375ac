# ruff: noqa: E402
from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra train")

from antiphon.audio.features.mel import mel_filterbank
from antiphon.encoders.front_end import NetworkFrontEnd
from antiphon.encoders.manifest import (
    Input,
    KaldiFrontEnd,
    LogMelFrontEnd,
    Manifest,
    MelFrontEnd,
    Output,
    PcenFrontEnd,
    StftFrontEnd,
    WaveformFrontEnd,
)
from antiphon.errors import UserError
from antiphon.training.front_end.config import EmphasisedLogMelFrontEnd
from antiphon.training.front_end.features import FeatureFrontEnd
from antiphon.training.front_end.spectra import FramePower, dft_tables, extend

KALDI = KaldiFrontEnd(kind="kaldi_fbank", n_mels=64)
SETTINGS = {
    "kaldi": (KALDI, 16000),
    "kaldi beats": (
        KaldiFrontEnd(
            kind="kaldi_fbank", scale=32768, normalise="fixed", mean=15.41663, std=13.11164
        ),
        16000,
    ),
    "kaldi mirrored": (
        KaldiFrontEnd(
            kind="kaldi_fbank", snip_edges=False, window="hann", fmax=-200.0, normalise="mean_std"
        ),
        22050,
    ),
    "kaldi plain": (
        KaldiFrontEnd(
            kind="kaldi_fbank", preemphasis=0, remove_dc=False, window="hamming", frame_ms=20
        ),
        48000,
    ),
    "log mel": (LogMelFrontEnd(kind="log_mel", n_fft=512, hop=160, n_mels=40), 16000),
    "log mel min max": (
        LogMelFrontEnd(
            kind="log_mel",
            n_fft=800,
            hop=160,
            n_mels=128,
            scale="htk",
            norm="none",
            normalise="min_max",
        ),
        16000,
    ),
    "log mel db": (
        LogMelFrontEnd(
            kind="log_mel", n_fft=1024, hop=300, win_length=700, n_mels=64, pad="zero", log="db",
            top_db=60, power=1, slopes="mel",
        ),
        32000,
    ),
    "log mel snipped": (
        LogMelFrontEnd(
            kind="log_mel", n_fft=512, win_length=400, hop=160, n_mels=64, pad="none",
            normalise="mean_std", frames=40,
        ),
        16000,
    ),
    "mel": (MelFrontEnd(kind="mel", n_fft=512, hop=200, n_mels=30), 22050),
    "pcen": (PcenFrontEnd(kind="pcen", n_fft=512, hop=256, n_mels=40), 22050),
    "pcen outdoors": (
        PcenFrontEnd(
            kind="pcen", n_fft=512, hop=256, n_mels=40, gain=0.8, bias=10, exponent=0.25,
            gain_scale=2.0**31, time_constant_s=0.06,
        ),
        22050,
    ),
    "stft": (StftFrontEnd(kind="stft_magnitude", n_fft=256, hop=100), 8000),
}  # fmt: skip


def sounds(count: int, samples: int, seed: int = 0) -> np.ndarray:
    """Chirps in noise with a constant offset, of levels from loud to faint."""
    rng = np.random.default_rng(seed)
    t = np.arange(samples) / 16000
    rows = []
    for number in range(count):
        pitch = rng.uniform(300, 3000)
        chirp = np.sin(2 * np.pi * (pitch * t + rng.uniform(-500, 500) * t**2))
        rows.append(0.4 * 10.0 ** (-number) * chirp + 2e-2 * rng.standard_normal(samples) + 0.01)
    return np.asarray(rows, np.float32)


def reference(config: object, rate: int, samples: int) -> NetworkFrontEnd:
    return NetworkFrontEnd(
        Manifest(
            name="x",
            model="x",
            runtime="onnx",
            sample_rate=rate,
            window_s=samples / rate,
            front_end=config,
            input=Input(layout="NTF"),
            output=Output(embedding=0),
        )
    )


def close(ours: object, theirs: np.ndarray, tolerance: float = 1e-4) -> None:
    """Within the tolerance, but for one value in a thousand: bands where float32 cancels."""
    assert tuple(ours.shape) == theirs.shape
    error = np.abs(ours.numpy() - theirs) / (tolerance * (1 + np.abs(theirs)))
    assert np.quantile(error, 0.999) < 1
    assert error.max() < 20


@pytest.mark.parametrize("transform", ["fft", "matmul"])
@pytest.mark.parametrize("name", SETTINGS)
def test_full_windows_have_the_features_of_the_encoders(name: str, transform: str) -> None:
    config, rate = SETTINGS[name]
    samples = round(0.52 * rate)
    audio = sounds(3, samples)
    prepared = reference(config, rate, samples)(audio, np.full(3, samples))
    front_end = FeatureFrontEnd(config, rate, transform=transform)
    features, mask = front_end(torch.from_numpy(audio), torch.full((3,), samples))
    assert features.dtype == torch.float32
    assert tuple(features.shape[1:]) == front_end.shape(samples)
    close(features[mask], prepared.tensor[mask.numpy()])


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        # Bins of 31.25 Hz: triangles from 1000 to 4000 Hz weigh those between, not the ends.
        (
            LogMelFrontEnd(kind="log_mel", n_fft=512, hop=160, n_mels=20, fmin=1000.0, fmax=4000.0),
            (33, 128),
        ),
        (KaldiFrontEnd(kind="kaldi_fbank", n_mels=20, fmin=1000.0, fmax=4000.0), (33, 128)),
        (StftFrontEnd(kind="stft_magnitude", n_fft=512, hop=160), (0, 257)),
    ],
)
def test_the_tables_of_the_product_hold_what_the_filters_hear(config, expected) -> None:
    plain = FeatureFrontEnd(config, 16000)
    product = FeatureFrontEnd(config, 16000, transform="matmul")
    first, stop = expected
    assert len(product.power.table) == 2 * (stop - first)
    audio = torch.from_numpy(sounds(3, 8000))
    ours, theirs = product(audio)[0], plain(audio)[0]
    close(ours, theirs.numpy())
    if product.filters is not None:
        assert len(product.filters) == stop - first
        assert plain.filters[:first].abs().sum() == plain.filters[stop:].abs().sum() == 0
    whole = FramePower(np.hanning(400).astype(np.float32), 160, 512, "matmul")
    part = FramePower(np.hanning(400).astype(np.float32), 160, 512, "matmul", bins=expected)
    torch.testing.assert_close(part(audio), whole(audio)[..., first:stop])


@pytest.mark.parametrize("name", ["kaldi", "kaldi beats", "kaldi plain", "log mel snipped"])
def test_padding_adds_only_zeros_where_frames_lie_within_the_audio(name: str) -> None:
    config, rate = SETTINGS[name]
    config = config.model_copy(update={"frames": None})
    front_end = FeatureFrontEnd(config, rate)
    full = round(1.1 * rate)
    for valid in (round(0.5 * rate), round(0.5 * rate) + 37, round(0.9 * rate) - 1):
        audio = sounds(2, full)
        audio[:, valid:] = 0
        features, mask = front_end(torch.from_numpy(audio), torch.full((2,), valid))
        frames = int(mask[0].sum())
        bare = reference(config, rate, valid)(audio[:, :valid], np.full(2, valid)).tensor
        assert frames == bare.shape[1]
        assert bool(mask[:, :frames].all())
        close(features[:, :frames], bare)
        assert not features[:, frames:].any()


@pytest.mark.parametrize(
    "name", ["log mel", "log mel min max", "kaldi mirrored", "mel", "pcen", "stft"]
)
def test_padded_windows_of_centred_frames_are_those_of_the_encoders(name: str) -> None:
    config, rate = SETTINGS[name]
    samples = round(0.8 * rate)
    valid = np.array([samples, samples // 2, samples // 3 + 7, 1, 0])
    audio = sounds(5, samples)
    for row, count in enumerate(valid):
        audio[row, count:] = 0
    theirs = reference(config, rate, samples)
    prepared = theirs(audio, valid).tensor
    features, mask = FeatureFrontEnd(config, rate)(torch.from_numpy(audio), torch.from_numpy(valid))
    hop = FeatureFrontEnd(config, rate).power.hop
    first = hop // 2 if isinstance(config, KaldiFrontEnd) else 0
    centres = first + hop * np.arange(mask.shape[1])
    wanted = centres < valid[:, None]
    wanted[:, 0] = valid > 0
    np.testing.assert_array_equal(mask.numpy(), wanted)
    close(features[mask], prepared[wanted])
    assert not features[~mask].any()


@pytest.mark.parametrize("transform", ["fft", "matmul"])
def test_a_constant_offset_costs_no_precision(transform: str) -> None:
    quiet = 1e-3 * sounds(1, 8000)
    plain, _ = FeatureFrontEnd(KALDI, 16000, transform=transform)(torch.from_numpy(quiet))
    exact = quiet.astype(np.float64) + 0.25
    frames = np.lib.stride_tricks.sliding_window_view(exact[0].astype(np.float32), 400)[::160]
    frames = frames.astype(np.float64)
    frames = frames - frames.mean(1, keepdims=True)
    shaped = frames - 0.97 * np.concatenate([frames[:, :1], frames[:, :-1]], axis=1)
    window = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 399)) ** 0.85
    power = np.abs(np.fft.rfft(shaped * window, 512)) ** 2
    filters = mel_filterbank(16000, 512, 64, 20.0, 8000.0, "htk", None, "mel")
    wanted = np.log(np.maximum(power @ filters.T.astype(np.float64), np.finfo(np.float32).eps))
    offset, _ = FeatureFrontEnd(KALDI, 16000, transform=transform)(
        torch.from_numpy(exact.astype(np.float32))
    )
    assert np.abs(offset[0].numpy() - wanted).max() < 5e-3
    assert plain.shape == offset.shape


def test_tables_are_the_transform_of_shaped_frames() -> None:
    rng = np.random.default_rng(1)
    frame, window = rng.standard_normal(50), rng.uniform(0.1, 1, 50).astype(np.float32)
    real, imaginary = np.split(dft_tables(window, 64, True, 0.9) @ frame, 2)
    centred = frame - frame.mean()
    shaped = centred - 0.9 * np.concatenate([centred[:1], centred[:-1]])
    np.testing.assert_allclose(real + 1j * imaginary, np.fft.rfft(shaped * window, 64), atol=1e-12)
    # Transforms whose angles wrap many times stay exact.
    tables = dft_tables(np.ones(1024, np.float32), 1024)
    assert abs(tables[512, 1023] + 1) < 1e-15


@pytest.mark.parametrize("mode", ["reflect", "symmetric", "constant"])
@pytest.mark.parametrize("count", [1, 2, 7, 40])
def test_extension_is_that_of_numpy(mode: str, count: int) -> None:
    row = np.arange(1.0, count + 1, dtype=np.float32)[None]
    ours = extend(torch.from_numpy(row), 9, 13, mode).numpy()
    np.testing.assert_array_equal(ours, np.pad(row, ((0, 0), (9, 13)), mode=mode))


@pytest.mark.parametrize("name", ["log mel", "kaldi mirrored"])
def test_clips_shorter_than_a_transform_are_mirrored_as_often_as_needed(name: str) -> None:
    config, rate = SETTINGS[name]
    audio = sounds(2, 180)
    prepared = reference(config, rate, 180)(audio, np.full(2, 180))
    features, _ = FeatureFrontEnd(config, rate)(torch.from_numpy(audio))
    close(features, prepared.tensor)


def test_a_clip_shorter_than_a_frame_is_refused() -> None:
    with pytest.raises(UserError, match=r"gives 0 frames for 0\.02 s"):
        FeatureFrontEnd(KALDI, 16000)(torch.zeros(1, 320))
    few = KALDI.model_copy(update={"frames": 100})
    with pytest.raises(UserError, match="needs 100"):
        FeatureFrontEnd(few, 16000)(torch.zeros(1, 8000))


@pytest.mark.parametrize("name", SETTINGS)
def test_silence_is_finite_and_without_spread_zero(name: str) -> None:
    config, rate = SETTINGS[name]
    features, _ = FeatureFrontEnd(config, rate)(torch.zeros(2, rate), torch.tensor([rate, 99]))
    assert bool(torch.isfinite(features).all())
    if config.normalise in ("min_max", "mean_std"):
        assert not features.any()


def test_emphasised_log_mel_is_the_published_front_end_of_efficientat() -> None:
    config = EmphasisedLogMelFrontEnd(
        kind="emphasised_log_mel", n_fft=1024, win_length=800, hop=320, n_mels=128, fmax=15000,
        scale="htk", norm="none", slopes="mel", offset=1e-5, normalise="fixed", mean=-4.5, std=5,
    )  # fmt: skip
    audio = torch.from_numpy(sounds(2, 32000))
    # Its steps with torch's own transform.
    emphasised = audio[:, 1:] - 0.97 * audio[:, :-1]
    window = torch.hann_window(800, periodic=False)
    spectrum = torch.stft(emphasised, 1024, 320, 800, window, return_complex=True).abs().square()
    filters = torch.from_numpy(
        mel_filterbank(32000, 1024, 128, 0.0, 15000.0, "htk", None, "mel").copy()
    )
    wanted = ((filters @ spectrum + 1e-5).log() + 4.5) / 5
    for transform in ("fft", "matmul"):
        features, mask = FeatureFrontEnd(config, 32000, transform=transform)(audio)
        assert bool(mask.all())
        close(features, wanted.transpose(1, 2).numpy())
        assert FeatureFrontEnd(config, 32000).shape(32000) == tuple(features.shape[1:])


def test_waveforms_pass_scaled_over_their_audio_only() -> None:
    config = WaveformFrontEnd(kind="waveform", remove_mean=True, peak=0.5, scale=2.0)
    audio = torch.tensor([[1.0, 3.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]])
    features, mask = FeatureFrontEnd(config, 16000)(audio, torch.tensor([2, 3]))
    assert features.tolist() == [[-0.5, 0.5, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]]
    assert mask.sum(1).tolist() == [2, 3]
    plain = FeatureFrontEnd(WaveformFrontEnd(kind="waveform"), 16000)
    assert torch.equal(plain(audio)[0], audio)
    assert plain.shape(16000) == (16000,)


def test_it_holds_no_state_and_stays_in_float32_under_mixed_precision() -> None:
    front_end = FeatureFrontEnd(KALDI, 16000)
    assert not front_end.state_dict()
    audio = torch.from_numpy(sounds(1, 8000))
    with torch.autocast("cpu", torch.bfloat16):
        mixed, _ = front_end(audio)
    assert torch.equal(mixed, front_end(audio)[0])


def test_an_unknown_transform_is_refused() -> None:
    with pytest.raises(UserError, match="use 'fft' or 'matmul'"):
        FeatureFrontEnd(KALDI, 16000, transform="dct")


def test_frame_power_of_a_sine_peaks_at_its_bin() -> None:
    power = FramePower(np.ones(64, np.float32), 64, 64, "matmul")
    wave = torch.sin(2 * torch.pi * 5 * torch.arange(64) / 64)[None]
    spectrum = power(wave)[0, 0]
    assert spectrum.argmax() == 5
    # |sum of sin * e^(-i...)| is N / 2 for a whole number of periods.
    assert spectrum[5].item() == pytest.approx(32.0**2, rel=1e-5)

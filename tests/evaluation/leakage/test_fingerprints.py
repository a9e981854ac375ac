"""Fingerprints of copies agree and those of other sounds do not."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile
import soxr
from scipy.signal import butter, sosfilt

from antiphon.errors import UserError
from antiphon.evaluation.leakage.fingerprints import (
    Fingerprint,
    fingerprint,
    fingerprint_file,
    fingerprint_files,
)

RATE = 22_050


def clip(seed, seconds=3.0, rate=RATE):
    """Chirps of random pitch and time in pink-like noise."""
    rng = np.random.default_rng(seed)
    n = int(seconds * rate)
    x = 0.05 * np.cumsum(rng.normal(size=n) - 0.0) / 50 + 0.02 * rng.normal(size=n)
    for _ in range(int(4 * seconds)):
        at, length = rng.integers(0, n), int(rng.uniform(0.05, 0.3) * rate)
        t = np.arange(min(length, n - at)) / rate
        f = rng.uniform(800, 6000) + rng.uniform(-8000, 8000) * t
        x[at : at + len(t)] += rng.uniform(0.1, 0.6) * np.sin(2 * np.pi * f * t)
    return (x / np.abs(x).max() * 0.7).astype(np.float32)


def differing(a: Fingerprint, b: Fingerprint) -> float:
    n = min(len(a), len(b))
    valid = a.valid[:n] & b.valid[:n]
    wrong = (a.bits[:n] ^ b.bits[:n]) & valid
    return float(np.bitwise_count(wrong).sum() / np.bitwise_count(valid).sum())


def coded(x, tmp_path, suffix, **options):
    path = tmp_path / f"coded.{suffix}"
    soundfile.write(path, x, RATE, **options)
    return soundfile.read(path, dtype="float32")[0][: len(x)]


def test_gain_does_not_matter():
    x = clip(0)
    assert differing(fingerprint(x, RATE), fingerprint(x * 1e-3, RATE)) < 0.001


def test_a_fixed_filter_hardly_matters():
    x = clip(1)
    high = sosfilt(butter(2, 600, "high", fs=RATE, output="sos"), x)
    assert differing(fingerprint(x, RATE), fingerprint(high, RATE)) < 0.1


@pytest.mark.parametrize("suffix", ["ogg", "mp3"])
def test_lossy_coding(tmp_path, suffix):
    x = clip(2)
    assert differing(fingerprint(x, RATE), fingerprint(coded(x, tmp_path, suffix), RATE)) < 0.2


@pytest.mark.parametrize("rate", [16_000, 44_100, 96_000])
def test_other_sample_rates(rate):
    x = clip(3)
    other = soxr.resample(x, RATE, rate)
    assert differing(fingerprint(x, RATE), fingerprint(other, rate)) < 0.02


def test_a_shift_by_half_a_step():
    x = clip(4, rate=16_000)
    # 128 samples are half of the step from one code to the next: the worst case.
    assert differing(fingerprint(x, 16_000), fingerprint(x[128:], 16_000)) < 0.2
    assert differing(fingerprint(x, 16_000), fingerprint(x[256:], 16_000)) > 0.1
    shifted = fingerprint(x[256:], 16_000)
    whole = fingerprint(x, 16_000)
    np.testing.assert_array_equal(shifted.bits, whole.bits[1 : len(shifted) + 1])


def test_other_sounds_differ_in_half_of_the_bits():
    prints = [fingerprint(clip(seed), RATE) for seed in range(12)]
    shares = [differing(a, b) for i, a in enumerate(prints) for b in prints[:i]]
    assert np.mean(shares) == pytest.approx(0.5, abs=0.02)
    assert min(shares) > 0.4


def test_silence_has_no_valid_bits():
    x = clip(5, 2.0)
    padded = np.concatenate([x, np.zeros(2 * RATE, np.float32)])
    found = fingerprint(padded, RATE)
    assert found.seconds < 2.3
    assert not found.valid[-60:].any()
    silent = fingerprint(np.zeros(RATE), RATE)
    assert len(silent) > 0
    assert silent.seconds == 0.0


def test_band_limits_are_marked():
    low = sosfilt(butter(12, 1500, "low", fs=RATE, output="sos"), clip(6))
    valid = fingerprint(low.astype(np.float32), RATE).valid
    assert (valid & 1).mean() > 0.9
    assert ((valid >> 31) & 1).mean() < 0.1


def test_channels_are_averaged():
    x = clip(7)
    assert differing(fingerprint(x, RATE), fingerprint(np.stack([x, x]), RATE)) == 0.0


def test_too_short_for_a_code():
    assert len(fingerprint(np.ones(1000), 16_000)) == 0
    assert len(fingerprint(np.zeros(0), RATE)) == 0


def test_files_are_read_in_pieces(tmp_path):
    x = clip(8, 65.0, 8_000)
    path = tmp_path / "long.wav"
    soundfile.write(path, x, 8_000)
    found = fingerprint_file(path)
    whole = fingerprint(soundfile.read(path)[0], 8_000)
    assert len(found) == len(whole)
    assert differing(found, whole) < 0.01


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    soundfile.write(tmp_path / "a.wav", clip(9), RATE)
    (tmp_path / "b.wav").write_bytes(b"no sound")
    found, errors = fingerprint_files([tmp_path / "a.wav", tmp_path / "b.wav"], workers=2)
    assert len(found[0]) > 100
    assert found[1] is None
    assert [error.path.name for error in errors] == ["b.wav"]


@pytest.mark.parametrize(
    ("audio", "rate", "said"),
    [
        (np.zeros((2, 3, 4)), RATE, "samples"),
        (np.zeros(9), 0, "rate"),
        (np.array([0.0, np.nan]), RATE, "Sample 1"),
    ],
)
def test_bad_audio(audio, rate, said):
    with pytest.raises(UserError, match=said):
        fingerprint(audio, rate)

from __future__ import annotations

import math

import numpy as np
import pydantic
import pytest

from antiphon.audio.augmentation.chain import Augmenter
from antiphon.audio.augmentation.config import (
    AugmentConfig,
    GainConfig,
    LowPassConfig,
    MixupConfig,
    NoiseConfig,
    ShiftConfig,
)

RATE = 2000
CLIP = (0.2 * np.sin(np.arange(2 * RATE) * 0.3)).astype(np.float32)


def only(**steps: object) -> AugmentConfig:
    return AugmentConfig.model_validate(steps)


def run(config: AugmentConfig, n: int, clip: np.ndarray = CLIP) -> list:
    augmenter = Augmenter(config, RATE)
    return [augmenter(clip, np.random.default_rng([5, i])) for i in range(n)]


def test_nothing_changes_nothing():
    (result,) = run(AugmentConfig(), 1)
    np.testing.assert_array_equal(result.waveform, CLIP)
    assert math.isnan(result.snr_db)


def test_noise_share_and_ratio():
    quiet = CLIP / 100
    results = run(only(noise=NoiseConfig().model_dump()), 400, quiet)
    noised = [r for r in results if not math.isnan(r.snr_db)]
    assert len(noised) / 400 == pytest.approx(0.5, abs=0.075)
    told = np.array([r.snr_db for r in noised])
    assert told.min() >= -10
    assert told.max() <= 20
    # Uniform: the quartiles of the range hold a quarter each.
    assert np.histogram(told, 4, (-10, 20))[0] / len(told) == pytest.approx([0.25] * 4, abs=0.1)
    for result in noised:
        added = result.waveform.astype(np.float64) - quiet
        got = 10 * np.log10(np.mean(quiet.astype(np.float64) ** 2) / np.mean(added**2))
        assert got == pytest.approx(result.snr_db, abs=0.01)


def test_what_would_exceed_full_scale_is_turned_down_as_a_whole():
    loud = only(noise={"p": 1.0, "snr_db": (-10, -10)})
    results = run(loud, 20)
    assert all(np.abs(r.waveform).max() <= 1 for r in results)
    assert any(np.abs(r.waveform).max() == pytest.approx(1) for r in results)
    # The clip of a hundredth of the level needs no turning down: the rest is the same noise.
    augmenter = Augmenter(loud, RATE)
    for i, result in enumerate(results):
        quiet = augmenter(CLIP / 100, np.random.default_rng([5, i])).waveform
        np.testing.assert_allclose(
            result.waveform / np.abs(result.waveform).max(), quiet / np.abs(quiet).max(), atol=1e-4
        )


def test_gain_is_uniform_in_decibels():
    results = run(only(gain=GainConfig(p=1.0, db=(-12, 6)).model_dump()), 200)
    gains = [20 * np.log10(r.waveform[10] / CLIP[10]) for r in results]
    assert min(gains) > -12.01
    assert max(gains) < 6.01
    assert np.mean(gains) == pytest.approx(-3, abs=1.2)


def test_polarity():
    results = run(only(polarity=0.25), 400)
    flipped = [np.array_equal(r.waveform, -CLIP) for r in results]
    kept = [np.array_equal(r.waveform, CLIP) for r in results]
    assert sum(flipped) + sum(kept) == 400
    assert sum(flipped) / 400 == pytest.approx(0.25, abs=0.07)


def test_shift_stays_within_its_share():
    results = run(only(shift=ShiftConfig(p=1.0, share=0.1).model_dump()), 50)
    moves = set()
    for result in results:
        (move,) = [
            k for k in range(-400, 401) if np.array_equal(np.roll(CLIP, k), result.waveform)
        ][:1]
        moves.add(move)
    assert len(moves) > 30


def test_low_pass_takes_the_top():
    white = np.random.default_rng(0).standard_normal(4 * RATE).astype(np.float32) * 0.1
    augmenter = Augmenter(only(low_pass=LowPassConfig(p=1.0, cut=(0.2, 0.3)).model_dump()), RATE)
    energy = np.abs(np.fft.rfft(augmenter(white, np.random.default_rng(0)).waveform)) ** 2
    assert energy[len(energy) // 2 :].sum() < 0.01 * energy.sum()


def test_steps_do_not_disturb_each_other():
    with_gain = run(only(gain={"p": 1.0}, noise={"p": 0.5}), 30)
    without = run(only(noise={"p": 0.5}), 30)
    assert [r.snr_db for r in with_gain] == pytest.approx([r.snr_db for r in without], nan_ok=True)


def test_settings_are_strict():
    with pytest.raises(pydantic.ValidationError, match="nois"):
        AugmentConfig.model_validate({"nois": {}})
    with pytest.raises(pydantic.ValidationError, match="snr_db must rise"):
        NoiseConfig(snr_db=(20, -10))
    with pytest.raises(pydantic.ValidationError, match="between 0 and 1"):
        MixupConfig(weight=(0.0, 0.5))
    assert AugmentConfig.model_validate({"mixup": None}).mixup is None

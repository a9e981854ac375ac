from __future__ import annotations

import numpy as np
import pytest

from antiphon.audio.augmentation.config import AugmentConfig, MixupConfig, NoiseConfig
from antiphon.audio.augmentation.waveform import power
from antiphon.training.data.crops import Raw, union
from antiphon.training.data.stream import ClipStream
from tests.training.data.making import EVERY_STEP, NOTHING, RATE, config, folder_of_tones, table_of


def only(**steps: object) -> AugmentConfig:
    return AugmentConfig.model_validate(steps)


@pytest.fixture
def data(tmp_path):
    folder_of_tones(tmp_path, [f"{c}/{c}{n}" for c in "abcde" for n in range(4)], seconds=1.5)
    return config({"kind": "folder", "path": tmp_path, "label_folders": True})


def stream(data, augment, seed=0):
    return ClipStream(table_of(data), data, augment, seed=seed)


def test_examples_are_the_same_in_any_order(data):
    forwards = stream(data, EVERY_STEP)
    backwards = stream(data, EVERY_STEP)
    first = [forwards.example(i) for i in range(40)]
    second = [backwards.example(i) for i in reversed(range(40))][::-1]
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one.waveform, other.waveform)
        np.testing.assert_array_equal(one.labels, other.labels)
    assert any(
        not np.array_equal(one.waveform, stream(data, EVERY_STEP, 1).example(i).waveform)
        for i, one in enumerate(first[:3])
    )


def test_a_clip_drawn_twice_is_cropped_and_changed_anew(data):
    examples = stream(data, EVERY_STEP)
    seen: dict[int, np.ndarray] = {}
    for i in range(60):
        example = examples.example(i)
        before = seen.setdefault(example.raw.clip, example.waveform)
        assert before is example.waveform or not np.array_equal(before, example.waveform)


def test_the_share_that_is_really_mixed(data):
    config = MixupConfig(p=0.5, weight=(0.3, 0.7))
    mixed, plain = stream(data, only(mixup=config.model_dump())), stream(data, NOTHING)
    n = 1000
    made = [(mixed.example(i), plain.example(i)) for i in range(n)]
    changed = [not np.allclose(one.waveform, other.waveform) for one, other in made]
    told = [one.partner >= 0 for one, _ in made]
    # One in twenty partners is the same clip; even that one is another crop.
    assert changed == told
    assert np.mean(told) == pytest.approx(0.5, abs=0.05)
    # Not the same ones in every run.
    seventh = stream(data, only(mixup=config.model_dump()), 7)
    assert [seventh.partner(i)[0] >= 0 for i in range(n)] != told


def test_mixtures_hold_both_clips_and_both_labels(data):
    mixed = stream(data, only(mixup={"p": 1.0, "weight": (0.4, 0.6), "equal_power": True}))
    plain = stream(data, NOTHING)
    partners = set()
    for i in range(64):
        example = mixed.example(i)
        one, other = plain.example(i), plain.example(example.partner)
        assert example.partner != i
        assert example.partner // 8 == i // 8
        partners.add(example.partner - i)
        level = np.sqrt(power(one.waveform) / power(other.waveform))
        expected = example.weight * one.waveform
        expected += np.float32((1 - example.weight) * level) * other.waveform
        np.testing.assert_allclose(example.waveform, expected, atol=1e-5)
        assert 0.4 <= example.weight <= 0.6
        np.testing.assert_array_equal(example.labels, np.maximum(one.labels, other.labels))
        assert 1 <= example.labels.sum() <= 2
    assert len(partners) > 8


def test_union_of_labels_knows_what_both_know():
    def raw(labels, known):
        return Raw(np.zeros(1, np.float32), np.float32(labels), np.float32(known), 0, 0.0)

    labels, known = union(
        raw([1, 0, 0, 0, 1], [1, 1, 1, 0, 1]), raw([0, 0, 0, 0, 1], [0, 1, 0, 0, 1])
    )
    assert labels.tolist() == [1, 0, 0, 0, 1]
    assert known.tolist() == [1, 1, 0, 0, 1]


def test_padding_stays_silent_and_mixtures_are_as_long_as_the_longer(tmp_path):
    folder_of_tones(tmp_path / "long", ["a"], seconds=1.5)
    folder_of_tones(tmp_path / "short", ["b"], seconds=0.3)
    data = config(*({"kind": "folder", "path": tmp_path / s} for s in ("long", "short")))
    examples = stream(data, EVERY_STEP)
    valid = set()
    for i in range(40):
        example = examples.example(i)
        assert example.waveform.shape == (RATE,)
        assert not example.waveform[example.valid :].any()
        assert np.abs(example.waveform).max() <= 1
        partner = RATE * 0.3 if example.partner < 0 else len(examples.raw(example.partner).audio)
        assert example.valid == max(len(example.raw.audio), partner if example.partner >= 0 else 0)
        valid.add(example.valid)
    assert valid == {600, RATE}


def test_the_ratio_really_obtained(data):
    noisy, plain = stream(data, only(noise=NoiseConfig().model_dump())), stream(data, NOTHING)
    ratios, n = [], 300
    for i in range(n):
        one, other = noisy.example(i), plain.example(i)
        assert other.valid == RATE
        if np.isnan(one.snr_db):
            np.testing.assert_array_equal(one.waveform, other.waveform)
            continue
        # At full scale the mixture was turned down; the tone tells by how much only roughly.
        if np.abs(one.waveform).max() < 0.999:
            added = one.waveform.astype(np.float64) - other.waveform
            got = 10 * np.log10(power(other.waveform) / np.mean(added**2))
            assert got == pytest.approx(one.snr_db, abs=0.01)
        ratios.append(one.snr_db)
    assert len(ratios) / n == pytest.approx(0.5, abs=0.09)
    assert -10 <= min(ratios) < -6
    assert 16 < max(ratios) <= 20


def test_rows_of_a_batch(data):
    row = stream(data, EVERY_STEP)[5]
    assert row["index"] == 5
    assert row["waveform"].dtype == row["labels"].dtype == np.float32
    assert set(row) == {
        *("waveform", "valid", "index", "clip", "folder", "group", "mixed", "snr_db"),
        *("recording", "labels", "known", "faults"),
    }


def test_cached_audio_gives_the_same_examples(data, tmp_path_factory):
    cache = {"path": tmp_path_factory.mktemp("cache"), "dtype": "int16"}
    cached = data.model_validate({**data.model_dump(), "cache": cache})
    one, other = stream(data, NOTHING), stream(cached, NOTHING)
    for i in range(10):
        np.testing.assert_allclose(
            one.example(i).waveform, other.example(i).waveform, atol=1 / 60_000
        )

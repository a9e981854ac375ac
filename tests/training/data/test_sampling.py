from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from antiphon.errors import UserError
from antiphon.training.data.sampling import ClipSampler, Permutation, clip_weights
from tests.training.data.making import config, folder_of_tones, table_of


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 16, 17, 1000])
def test_permutation_is_one(n):
    order = [Permutation(n, 7, 1)(place) for place in range(n)]
    assert sorted(order) == list(range(n))
    assert order == [Permutation(n, 7, 1)(place) for place in range(n)]


def test_permutations_look_random():
    orders = np.array([[Permutation(100, key)(i) for i in range(100)] for key in range(300)])
    # Each thing at each place about 3 times of 300; neighbours are not kept together.
    counts = np.array([np.bincount(orders[:, place], minlength=100) for place in range(100)])
    chi = ((counts - 3) ** 2 / 3).sum(1)
    assert chi.mean() == pytest.approx(99, rel=0.05)
    assert chi.max() < 99 + 6 * np.sqrt(2 * 99)
    assert (np.abs(np.diff(orders, axis=1)) == 1).mean() == pytest.approx(0.02, abs=0.004)
    assert abs(np.corrcoef(orders[:, :-1].ravel(), orders[:, 1:].ravel())[0, 1] + 0.01) < 0.03


def test_equal_weights_draw_every_clip_once_in_each_pass():
    sampler = ClipSampler(np.ones(37), seed=5)
    passes = [[sampler.clip(37 * k + i) for i in range(37)] for k in range(3)]
    assert all(sorted(one) == list(range(37)) for one in passes)
    assert passes[0] != passes[1] != passes[2]


def test_draws_do_not_depend_on_what_was_drawn_before():
    forwards = ClipSampler(np.arange(1, 50), seed=5)
    backwards = ClipSampler(np.arange(1, 50), seed=5)
    first = [forwards.clip(i) for i in range(200)]
    assert first == [backwards.clip(i) for i in reversed(range(200))][::-1]
    assert first != [ClipSampler(np.arange(1, 50), seed=6).clip(i) for i in range(200)]


def test_each_pass_keeps_the_expected_numbers():
    weights = np.random.default_rng(0).random(200) ** 3
    expected = 200 * weights / weights.sum()
    sampler = ClipSampler(weights, seed=1)
    for k in range(5):
        counts = np.bincount([sampler.clip(200 * k + i) for i in range(200)], minlength=200)
        assert (np.abs(counts - expected) < 1).all()


def test_clips_without_weight_are_never_drawn():
    sampler = ClipSampler([0, 1, 0, 2, 0], seed=0)
    drawn = {sampler.clip(i, attempt) for i in range(300) for attempt in (0, 1)}
    assert drawn == {1, 3}
    with pytest.raises(UserError, match="No clip can be drawn"):
        ClipSampler([0.0, 0.0], seed=0)


def test_further_draws_differ_and_are_fixed():
    sampler = ClipSampler(np.ones(1000), seed=0)
    drawn = [sampler.clip(3, attempt) for attempt in range(10)]
    assert len(set(drawn)) > 8
    assert drawn == [ClipSampler(np.ones(1000), seed=0).clip(3, a) for a in range(10)]


@pytest.fixture
def sources(tmp_path):
    counts = {"a": 16, "b": 4, "c": 1}
    names = [f"{c}/{c}{n}" for c, k in counts.items() for n in range(k)]
    folder_of_tones(tmp_path / "bio", names, seconds=0.1)
    folder_of_tones(tmp_path / "fish", [f"f/f{n}" for n in range(9)], seconds=0.1)
    folder_of_tones(tmp_path / "general", [f"g{n}" for n in range(30)], seconds=0.1)
    return [
        {"kind": "folder", "path": tmp_path / "bio", "label_folders": True},
        {"kind": "folder", "path": tmp_path / "fish", "label_folders": True},
        {"kind": "folder", "path": tmp_path / "general", "domain": "general"},
    ]


def by_source(table, weights):
    return np.bincount(table.source_of_clips, weights=weights, minlength=3)


def test_without_settings_every_clip_is_equal(sources):
    table = table_of(config(*sources))
    np.testing.assert_allclose(clip_weights(table), 1 / 60)


def test_domains_are_mixed_by_weight(sources):
    table = table_of(config(*sources))
    weights = clip_weights(table, mix={"bio": 3, "general": 1})
    np.testing.assert_allclose(by_source(table, weights), [0.75 * 0.7, 0.75 * 0.3, 0.25])
    assert by_source(table, clip_weights(table, mix={"bio": 1}))[2] == 0


def test_sources_have_weights_within_their_domain(sources):
    sources[0]["weight"], sources[1]["weight"] = 1.0, 3.0
    table = table_of(config(*sources, mix={"bio": 1, "general": 1}))
    weights = clip_weights(table, mix={"bio": 1, "general": 1})
    np.testing.assert_allclose(by_source(table, weights), [0.125, 0.375, 0.5])


def test_unknown_domain_of_the_mix_is_an_error(sources):
    table = table_of(config(*sources[:2]))
    with pytest.raises(UserError, match="'general' a weight, but no source"):
        clip_weights(table, mix={"bio": 1, "general": 1})


@pytest.mark.parametrize(
    ("power", "expected"),
    [(0.0, [16 / 21, 4 / 21, 1 / 21]), (0.5, [4 / 7, 2 / 7, 1 / 7]), (1.0, [1 / 3] * 3)],
)
def test_long_tail(sources, power, expected):
    # N_c ** (1 - power) for classes of 16, 4 and 1 clips.
    table = table_of(config(sources[0]))
    weights = clip_weights(table, long_tail=power)
    per_class = np.bincount(table.class_of, weights=weights)
    np.testing.assert_allclose(per_class, expected)


def test_long_tail_follows_the_rarest_class_of_a_clip(tmp_path):
    folder_of_tones(tmp_path, ["x", "y", "z", "quiet"], seconds=0.1)
    (tmp_path / "labels.csv").write_text(
        "recording,label\nx.wav,common; rare\ny.wav,common\nz.wav,common\n", encoding="utf-8"
    )
    table = table_of(config({"kind": "folder", "path": tmp_path, "labels": "labels.csv"}))
    names = [table.name(int(r)).rsplit("/")[-1] for r in table.recording]
    weights = dict(zip(names, clip_weights(table, long_tail=1.0), strict=True))
    # common has 3 clips, rare 1, clips without a class 1.
    total = 1 + 1 / 3 + 1 / 3 + 1
    expected = {"x.wav": 1, "y.wav": 1 / 3, "z.wav": 1 / 3, "quiet.wav": 1}
    assert weights == pytest.approx({name: value / total for name, value in expected.items()})


def test_the_drawn_shares_are_those_of_the_weights(sources):
    table = table_of(config(*sources))
    weights = clip_weights(table, mix={"bio": 3, "general": 1}, long_tail=1.0)
    sampler = ClipSampler(weights, seed=2)
    drawn = Counter(int(table.source_of_clips[sampler.clip(i)]) for i in range(6000))
    assert drawn[2] / 6000 == pytest.approx(0.25, abs=0.02)


def test_a_million_clips():
    weights = np.random.default_rng(0).random(1_000_000)
    sampler = ClipSampler(weights, seed=0)
    drawn = np.array([sampler.clip(i) for i in range(2000)])
    assert len(np.unique(drawn)) > 1900
    # Heavy clips are drawn more: the mean weight of what is drawn is E[w^2] / E[w] = 2/3.
    assert weights[drawn].mean() == pytest.approx(2 / 3, abs=0.03)


def drawn_shares(table, **settings) -> dict[str, float]:
    """Share of the draws that each class gets, each clip having one."""
    weights = clip_weights(table, **settings)
    names = table.classes.names
    first = [names[int(table.classes_of(clip)[0])] for clip in range(len(table))]
    return {
        name: sum(w for w, f in zip(weights, first, strict=True) if f == name) for name in names
    }


@pytest.mark.parametrize("power", [0.0, 0.5, 1.0])
def test_classes_are_drawn_as_if_they_had_clips_within_the_limits(tmp_path, power):
    sizes = {"a": 1, "b": 4, "c": 9}
    folder_of_tones(
        tmp_path, [f"{k}/{k}{n}" for k, size in sizes.items() for n in range(size)], 1.0
    )
    table = table_of(config({"kind": "folder", "path": tmp_path, "label_folders": True}))
    found = drawn_shares(table, long_tail=power, per_class=(2, 6))
    mass = {"a": 2 ** (1 - power), "b": 4 ** (1 - power), "c": 6 ** (1 - power)}
    for name, value in mass.items():
        assert found[name] == pytest.approx(value / sum(mass.values()))
    # One limit alone; and none is what it was.
    assert drawn_shares(table, per_class=(None, 4))["c"] == pytest.approx(4 / 9)
    plain = clip_weights(table, long_tail=power)
    np.testing.assert_allclose(clip_weights(table, long_tail=power, per_class=(None, None)), plain)


def test_limits_that_run_backwards_are_refused(tmp_path):
    with pytest.raises(ValueError, match="500 to 100 runs backwards"):
        config({"kind": "folder", "path": tmp_path}, clips_per_class=[500, 100])

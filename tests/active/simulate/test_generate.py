"""Simulated sets have the statistics that their recipe asks for, and nothing tells the labels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import RidgeClassifier
from sklearn.metrics import average_precision_score

from antiphon.active.dataset import LabelledSet
from antiphon.active.simulate.generate import generate
from antiphon.active.simulate.recipe import Recipe
from antiphon.errors import UserError

SMALL = Recipe(
    name="small",
    n_pool=900,
    n_validation=300,
    n_classes=8,
    labels_per_sample=1.2,
    empty_share=0.35,
    dimension=64,
    latent=32,
    segments_per_recording=30.0,
    activation="none",
    floor=0.0,
)


@pytest.fixture(scope="module")
def small() -> LabelledSet:
    return generate(SMALL, 3)


def _learned(recipe: Recipe) -> float:
    """Return the mAP of ridge regression on the whole pool."""
    data = generate(recipe, 2)
    pool, judges = data.pool(), data.judges()
    model = RidgeClassifier().fit(data.embeddings[pool], data.targets[pool].astype(int))
    score = model.decision_function(data.embeddings[judges])
    return float(average_precision_score(data.targets[judges], score, average="macro"))


def test_counts_are_those_of_the_recipe(small: LabelledSet) -> None:
    assert small.embeddings.shape == (1200, 64)
    assert small.embeddings.dtype == np.float32
    assert np.isfinite(small.embeddings).all()
    assert (~small.validation).sum() == 900
    assert small.targets.sum() == round(1.2 * 1200)
    empty = float(np.mean(small.targets.sum(axis=1) == 0))
    assert empty == pytest.approx(0.35, abs=0.01)
    assert len(set(small.filenames)) == 1200
    assert small.targets[small.validation].sum(axis=0).min() >= 2
    assert small.targets[~small.validation].sum(axis=0).min() >= 2


def test_the_same_seed_gives_the_same_set_and_another_seed_another() -> None:
    again, first, other = generate(SMALL, 3), generate(SMALL, 3), generate(SMALL, 4)
    assert np.array_equal(again.embeddings, first.embeddings)
    assert np.array_equal(again.targets, first.targets)
    assert again.key == first.key
    assert other.key != first.key
    assert not np.array_equal(other.targets, first.targets)
    assert generate(replace(SMALL, gain=1.1), 3).key != first.key


def test_a_negative_seed_is_refused() -> None:
    with pytest.raises(UserError, match="-1"):
        generate(SMALL, -1)


def test_no_recording_lies_in_pool_and_validation(small: LabelledSet) -> None:
    judging = set(small.recording[small.validation].tolist())
    assert judging.isdisjoint(small.recording[~small.validation].tolist())
    assert len(judging) >= 2


def test_metadata_tell_where_and_when_but_no_label(small: LabelledSet) -> None:
    assert small.metadata is not None
    assert small.metadata.column_names == ["filename", "site", "recording", "start_s"]
    assert small.metadata.column("filename").to_pylist() == list(small.filenames)
    start = np.array(small.metadata.column("start_s").to_pylist())
    for recording in np.unique(small.recording):
        own = start[small.recording == recording]
        assert np.array_equal(own, 5 * np.arange(len(own)))
    text = " ".join(small.filenames)
    assert not any(label in text for label in small.labels)


def test_segments_of_one_recording_lie_nearer_than_those_of_two() -> None:
    data = generate(replace(SMALL, recording_shift=0.4, drift=0.2, site_shift=0.0), 0)
    rng = np.random.default_rng(0)
    i, j = rng.integers(len(data.embeddings), size=(2, 20_000))
    distance = np.linalg.norm(data.embeddings[i] - data.embeddings[j], axis=1)
    same = (data.recording[i] == data.recording[j]) & (i != j)
    assert distance[same].mean() < 0.95 * distance[data.recording[i] != data.recording[j]].mean()


def test_repeats_lie_next_to_the_segment_before_and_share_its_labels() -> None:
    step = {}
    for share in (0.0, 0.3):
        data = generate(replace(SMALL, duplicates=share, bout=10.0), 1)
        inside = np.flatnonzero(np.diff(data.recording) == 0)
        distance = np.linalg.norm(np.diff(data.embeddings, axis=0)[inside], axis=1)
        near = distance < 0.3 * np.median(distance)
        step[share] = near.mean()
        repeated = inside[near]
        assert np.array_equal(data.targets[repeated], data.targets[repeated + 1])
    assert step[0.0] == 0.0
    assert step[0.3] == pytest.approx(0.3, abs=0.04)


def test_junk_lies_far_from_everything() -> None:
    clean = generate(replace(SMALL, junk_share=0.0), 5)
    dirty = generate(replace(SMALL, junk_share=0.05, junk_size=40.0), 5)

    def outliers(data: LabelledSet) -> float:
        length = np.linalg.norm(data.embeddings - np.median(data.embeddings, axis=0), axis=1)
        return float(np.mean(length > 8.0 * np.median(length)))

    assert outliers(clean) == 0.0
    assert outliers(dirty) == pytest.approx(0.05, abs=0.02)


def test_louder_calls_are_easier_to_tell_apart() -> None:
    plain = replace(SMALL, missed=0.0, spurious=0.0, clutter_share=0.0, gain_spread=0.1)
    found = [_learned(replace(plain, gain=gain)) for gain in (0.1, 1.0, 4.0)]
    assert found[0] < found[1] < found[2]
    assert found[2] > 0.8


def test_sounds_without_label_and_labels_without_sound_lower_what_can_be_learned() -> None:
    clear = replace(SMALL, gain=4.0, missed=0.0, spurious=0.0)
    found = [_learned(r) for r in (clear, replace(clear, missed=0.5), replace(clear, spurious=0.5))]
    assert max(found[1:]) < found[0] - 0.05


def test_the_tail_of_classes_is_as_long_as_asked() -> None:
    even = generate(replace(SMALL, long_tail=0.0, site_affinity=0.0, recording_affinity=0.0), 0)
    long = generate(replace(SMALL, long_tail=2.0, site_affinity=0.0, recording_affinity=0.0), 0)
    ratio = [np.sort(data.targets.sum(axis=0)) for data in (even, long)]
    assert ratio[0][-1] < 3 * ratio[0][0]
    assert ratio[1][-1] > 10 * ratio[1][0]


@pytest.mark.parametrize("activation", ["swish", "relu", "none"])
def test_activations_have_their_range_and_the_length_of_the_recipe(activation: str) -> None:
    data = generate(replace(SMALL, activation=activation, norm=4.0), 0)
    assert np.linalg.norm(data.embeddings, axis=1).mean() == pytest.approx(4.0, rel=1e-3)
    negative = np.mean(data.embeddings < 0)
    assert negative == 0.0 if activation == "relu" else 0.2 < negative < 0.8
    if activation == "swish":
        assert data.embeddings.max() > 2 * -data.embeddings.min()


@settings(max_examples=60, deadline=None)
@given(
    n_pool=st.integers(1, 60),
    n_validation=st.integers(1, 40),
    n_classes=st.integers(1, 8),
    empty_share=st.sampled_from([0.0, 0.3, 0.9, 1.0]),
    fullness=st.floats(0.0, 1.0),
    extreme=st.dictionaries(
        st.sampled_from(
            ["gain", "background", "clumping", "overlap", "mixing", "missed", "spurious", "floor"]
        ),
        st.sampled_from([0.0, 1.0]),
    ),
    bout=st.sampled_from([1.0, 100.0]),
    seed=st.integers(0, 2**20),
)
def test_any_recipe_that_is_accepted_can_be_made(
    n_pool: int,
    n_validation: int,
    n_classes: int,
    empty_share: float,
    fullness: float,
    extreme: dict[str, float],
    bout: float,
    seed: int,
) -> None:
    heard = 1.0 - empty_share
    labels = heard * (1.0 + fullness * (n_classes - 1))
    recipe = Recipe(
        name="any",
        n_pool=n_pool,
        n_validation=n_validation,
        n_classes=n_classes,
        labels_per_sample=labels,
        empty_share=empty_share,
        dimension=5,
        latent=3,
        bout=bout,
        duplicates=0.0,
        **extreme,
    )
    data = generate(recipe, seed)
    assert len(data.pool()) == n_pool
    assert len(data.embeddings) == n_pool + n_validation
    assert np.isfinite(data.embeddings).all()
    # Where a side has too little room for two segments of each class, totals may be off by some.
    wanted = round(labels * (n_pool + n_validation))
    extra = int(data.targets.sum()) - wanted
    roomy = heard * min(n_pool, n_validation) >= 2 * n_classes
    assert extra == 0 if roomy else abs(extra) <= 4 * n_classes
    assert set(data.recording[data.validation]).isdisjoint(data.recording[~data.validation])


@pytest.mark.parametrize("seed", range(5))
def test_a_full_set_has_every_class_everywhere(seed: int) -> None:
    full = {"n_pool": 8, "n_validation": 8, "n_classes": 4, "labels_per_sample": 4.0}
    small = {"empty_share": 0.0, "dimension": 5, "latent": 3, "bout": 1.0, "duplicates": 0.0}
    assert generate(Recipe(name="full", **full, **small), seed).targets.all()

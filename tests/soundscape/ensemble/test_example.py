"""The ensemble that ships as an example."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import rankdata

from antiphon.soundscape.ensemble.blending import Ensemble
from antiphon.soundscape.ensemble.config import read_ensemble
from antiphon.soundscape.ensemble.describe import describe, effective_weights
from antiphon.soundscape.ensemble.tree import Tree
from tests.soundscape.ensemble.making import rows_of

EXAMPLE = Path(__file__).parents[3] / "examples" / "soundscape" / "birdclef-2026.yaml"

FOLDS = {f"sed-fold{k}": 0.9 * 0.5 / 5 for k in range(5)}
TRIPLET = {"b3": 0.45, "b3-pseudo": 0.40, "convnext-s": 0.15}
WANTED = {
    "probe": 0.9 * 0.5,
    **FOLDS,
    **{name: 0.1 * weight for name, weight in TRIPLET.items()},
}


@pytest.fixture(scope="module")
def example():
    if not EXAMPLE.is_file():
        pytest.skip("the examples are not part of an installed package")
    return read_ensemble(EXAMPLE)


def test_the_triplet_is_rank_blended_at_a_tenth(example):
    nodes = example.nodes
    assert {name: node.kind for name, node in nodes.items()} == {
        "sed": "probability",
        "baseline": "rank",
        "triplet": "rank",
        "blend": "rank",
    }
    found = {one.member: one.weights["weight"] for one in effective_weights(example)}
    assert found == pytest.approx(WANTED)
    assert sum(found.values()) == pytest.approx(1)


def test_the_tree_says_the_same(example):
    tree = Tree.of(example, ["a", "b"])
    found = tree.effective({name: np.ones(2, bool) for name in WANTED})
    assert {name: weight.tolist() for name, weight in found.items()} == {
        name: pytest.approx([weight, weight]) for name, weight in WANTED.items()
    }


def test_without_the_probe_the_folds_are_the_baseline(example):
    there = {name: np.array([name != "probe"]) for name in WANTED}
    found = Tree.of(example, ["a"]).effective(there)
    assert found["probe"][0] == 0
    assert [found[fold][0] for fold in FOLDS] == pytest.approx([0.9 / 5] * 5)
    assert found["b3"][0] == pytest.approx(0.045)


def test_scores_are_those_of_the_recipe(tmp_path):
    """The whole recipe against SciPy's ranks, on the classes of a sample submission."""
    rng = np.random.default_rng(0)
    classes = [*map(str, range(1491113, 1491160)), *(f"code{k}" for k in range(187))]
    rng.shuffle(classes)
    (tmp_path / "sample_submission.csv").write_text(f"row_id,{','.join(classes)}\n")
    taxa = "".join(f"{name},Aves\n" for name in sorted(classes))
    (tmp_path / "taxonomy.csv").write_text(f"primary_label,class_name\n{taxa}")
    (tmp_path / "train.csv").write_text("primary_label\ncode3\n")
    (tmp_path / EXAMPLE.name).write_text(EXAMPLE.read_text())
    config = read_ensemble(tmp_path / EXAMPLE.name)
    # Each member has its own order of the classes.
    own = {name: rng.permutation(classes).tolist() for name in WANTED}
    ensemble = Ensemble.open(config, own)
    given = {name: rng.random((24, 234), dtype=np.float32) for name in WANTED}
    found = ensemble.combine(
        {name: ensemble.align(name, scores) for name, scores in given.items()},
        rows_of("fg", 12),
    )
    assert found.classes == tuple(classes)
    place = {name: [own[name].index(c) for c in classes] for name in WANTED}
    scores = {name: given[name].astype(float)[:, place[name]] for name in WANTED}

    def rank(some):
        return rankdata(some, axis=0) / 25

    sed = sum(scores[fold] for fold in FOLDS) / 5
    baseline = 0.5 * rank(scores["probe"]) + 0.5 * rank(sed)
    triplet = sum(w * rank(scores[n]) for n, w in TRIPLET.items())
    # Rounding keeps sums that are equal in whole numbers equal in floating point.
    wanted = 0.9 * rank(baseline.round(9)) + 0.1 * rank(triplet.round(9))
    assert np.allclose(found.score, wanted, rtol=1e-12)


def test_the_description_names_every_member_and_what_ranks_are_against(example):
    text = describe(example)
    for name, weight in WANTED.items():
        line = next(line for line in text.splitlines() if line.startswith(f"{name} "))
        assert f"{weight:.4f}" in line
    assert "over all windows of the run" in text
    assert "train.csv" in text

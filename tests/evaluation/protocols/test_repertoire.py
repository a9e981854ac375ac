from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from antiphon.errors import UserError
from antiphon.evaluation.protocols import repertoire as module
from antiphon.evaluation.protocols.attention_model import Frames
from antiphon.evaluation.protocols.clustering import clustering
from antiphon.evaluation.protocols.repertoire import repertoire, repertoire_frames
from antiphon.evaluation.protocols.retrieval import retrieval
from antiphon.evaluation.protocols.sequences import sequence_similarity
from tests.evaluation.protocols.sets import classes


def sweeps(n: int, seed: int):
    """Rising and falling calls of the same frames: their means are equal."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n)
    steps = np.eye(10)[:, :]
    x = np.stack([steps if label else steps[::-1] for label in y])
    x = x + 0.1 * rng.standard_normal(x.shape)
    padded = np.concatenate([x, rng.standard_normal((n, 4, 10))], axis=1)
    return padded.astype(np.float32), np.full(n, 10 / 14), y


def test_pooled_units_get_the_published_pair() -> None:
    x, y = classes(120, 8, 4, seed=0, spread=1.5)
    found = repertoire(x, y)
    assert found["r_auc"].value == retrieval(x, y)["r_auc"].value
    assert found["nmi"].value == clustering(x, y)["nmi"].value


def test_raw_frames_tell_apart_what_the_mean_cannot() -> None:
    x, valid, y = sweeps(40, 0)
    found = repertoire_frames(x, valid, y, kind="dtw")
    assert found["r_auc"].value == pytest.approx(1.0)
    assert found["nmi"].value == pytest.approx(1.0)
    assert found["p_at_1"].value == 1.0
    assert found["r_auc_pooled"].high < 0.7
    assert "dtw similarity" in found["r_auc"].note


def test_areas_are_those_of_the_loop() -> None:
    x, valid, y = sweeps(25, 1)
    x += np.random.default_rng(2).standard_normal(x.shape).astype(np.float32)
    found = repertoire_frames(x, valid, y)
    similarity = sequence_similarity(Frames.of(x, valid))
    for i in range(25):
        kept = np.arange(25) != i
        want = roc_auc_score(y[kept] == y[i], similarity[i, kept])
        assert found.details["per_query_auc"][i] == pytest.approx(want, abs=1e-9)


def test_a_lonely_unit_is_named_and_a_limit_said(monkeypatch: pytest.MonkeyPatch) -> None:
    x, valid, y = sweeps(20, 0)
    y = y.copy()
    y[0] = 2
    found = repertoire_frames(x, valid, y, names=["fall", "rise", "trill"])
    assert found.notes == ("Units alone in their class are no queries: trill.",)
    monkeypatch.setattr(module, "MOST", 10)
    with pytest.raises(UserError, match="10 at most, not 20"):
        repertoire_frames(x, valid, y)

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, balanced_accuracy_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from antiphon.errors import UserError
from antiphon.evaluation.protocols.inputs import Labelled
from antiphon.evaluation.protocols.linear import fit_linear_probe
from antiphon.evaluation.protocols.probe import linear_probe
from tests.evaluation.protocols.sets import classes, several


def three(k: int = 5, dim: int = 16, spread: float = 3.0):
    return [classes(n, dim, k, seed=i, spread=spread) for i, n in enumerate((300, 120, 200))]


def test_predictions_are_those_of_scikit_learn_at_the_same_strength() -> None:
    (x, y), _, (tx, ty) = three()
    found = linear_probe(x, y, tx, ty, l2=20.0)
    peer = make_pipeline(StandardScaler(), LogisticRegression(C=0.05, tol=1e-8, max_iter=5000))
    predicted = peer.fit(x.astype(np.float64), y).predict(tx)
    assert (found.details["predicted"] == predicted).mean() > 0.995
    assert found["accuracy"].value == pytest.approx((predicted == ty).mean(), abs=0.006)
    assert found["balanced_accuracy"].value == pytest.approx(
        balanced_accuracy_score(ty, found.details["predicted"]), abs=1e-12
    )


def test_several_labels_are_fitted_one_against_the_rest() -> None:
    (x, y), (tx, ty) = several(300, 12, 4, 0), several(200, 12, 4, 1)
    found = linear_probe(x, y, tx, ty, l2=10.0)
    z = StandardScaler().fit(x)
    for c in range(4):
        peer = LogisticRegression(C=0.1, tol=1e-8, max_iter=5000).fit(z.transform(x), y[:, c])
        want = peer.decision_function(z.transform(tx))
        np.testing.assert_allclose(found.details["scores"][:, c], want, atol=2e-2)
    precision = average_precision_score(ty, found.details["scores"], average="macro")
    assert found["map"].value == pytest.approx(precision, abs=1e-6)


def test_a_class_absent_from_the_test_side_enters_one_mean_only() -> None:
    (x, y), (tx, ty) = several(300, 12, 4, 0), several(150, 12, 4, 1)
    ty[:, 2] = 0.0
    found = linear_probe(x, y, tx, ty, l2=10.0, names=["a", "b", "c", "d"])
    assert found["map_all"].value == pytest.approx(0.75 * found["map"].value)
    assert np.isnan(found.details["per_class"][2])
    assert any("not judged: c." in note for note in found.notes)


def test_validation_chooses_the_strength_with_the_smallest_loss() -> None:
    (x, y), (vx, vy), (tx, ty) = three()
    found = linear_probe(x, y, tx, ty, validation=(vx, vy))
    curve = found.details["validation_curve"]
    assert found.details["l2"] == min(curve, key=lambda s: curve[s])
    scaler = StandardScaler().fit(x)
    for l2, loss in list(curve.items())[::3]:
        peer = LogisticRegression(C=1.0 / l2, tol=1e-8, max_iter=5000)
        p = peer.fit(scaler.transform(x).astype(np.float64), y).predict_proba(scaler.transform(vx))
        assert loss == pytest.approx(-np.log(p[np.arange(len(vy)), vy]).mean(), abs=1e-2)


def test_the_test_side_has_no_say() -> None:
    (x, y), (vx, vy), (tx, ty) = three()
    one = linear_probe(x, y, tx, ty, validation=(vx, vy))
    other = linear_probe(x, y, tx[:50] + 1.0, np.roll(ty[:50], 1), validation=(vx, vy))
    assert one.details["validation_curve"] == other.details["validation_curve"]


def test_folds_of_the_training_side_never_split_a_group() -> None:
    # Copies of one item within a group: only grouped folds see that they carry no information.
    rng = np.random.default_rng(0)
    base = rng.standard_normal((40, 30)).astype(np.float32)
    labels = rng.integers(0, 2, 40)
    x, y, group = np.repeat(base, 5, axis=0), np.repeat(labels, 5), np.repeat(np.arange(40), 5)
    grouped = fit_linear_probe(Labelled(x, y, 2), groups=group)
    split = fit_linear_probe(Labelled(x, y, 2))
    assert grouped.chosen_on == split.chosen_on == "folds"
    assert min(grouped.curve.values()) > min(split.curve.values()) + 0.1
    assert grouped.l2 > split.l2


def test_intervals_are_wider_when_test_items_come_in_groups() -> None:
    (x, y), _, (tx, ty) = three(spread=1.5)
    group = np.arange(200) // 20
    # Whole groups right or wrong.
    tx = tx.copy()
    tx[group % 2 == 0] = tx[group % 2 == 0][:, ::-1]
    alone = linear_probe(x, y, tx, ty, l2=20.0)["accuracy"]
    grouped = linear_probe(x, y, tx, ty, l2=20.0, test_groups=group)["accuracy"]
    assert alone.value == grouped.value
    assert grouped.high - grouped.low > 1.5 * (alone.high - alone.low)
    assert alone.low < alone.value < alone.high
    assert "10 groups drawn" in grouped.note


def test_classes_with_little_or_nothing_are_named() -> None:
    x, y = classes(200, 8, 6, seed=0)
    tx, ty = classes(100, 8, 6, seed=1)
    names = ["ant", "bee", "cat", "dog", "eel", "fox"]
    train = (y != 0) & ((y != 1) | (np.cumsum(y == 1) <= 2))
    test = (ty != 2) & ((ty != 3) | (np.cumsum(ty == 3) <= 3))
    found = linear_probe(x[train], y[train], tx[test], ty[test], l2=10.0, names=names)
    said = " ".join(found.notes)
    assert "without a training example (their test items count as wrong): ant." in said
    assert "fewer than 5 training examples: bee (2)." in said
    assert "without a test example, so not judged: cat." in said
    assert "fewer than 5 test examples: dog (3)." in said
    assert found.details["per_class"][0] == 0.0
    assert not (found.details["predicted"] == 0).any()


def test_the_end_of_the_grid_is_said() -> None:
    (x, y), (vx, vy), (tx, ty) = three()
    found = linear_probe(x, y, tx, ty, validation=(vx, vy), grid=[1e-3, 1e-2])
    assert any("strong end of the grid" in note for note in found.notes)


def test_equal_seeds_give_equal_results() -> None:
    (x, y), _, (tx, ty) = three()
    one, two = (linear_probe(x, y, tx, ty, seed=3) for _ in range(2))
    assert one.measures == two.measures


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"test_x": np.ones((200, 3))}, "length 3, the training ones 16"),
        ({"test_y": np.full(200, np.nan)}, "test row 0 is nan"),
        ({"train_y": np.full(300, -1)}, "training row 0 is -1"),
        ({"train_y": np.zeros(300, int)}, "one class only"),
        ({"names": ["a"]}, "there are 1 class names"),
        ({"groups": np.zeros(3)}, "each of the 300 training items"),
        ({"test_groups": np.zeros(3)}, "each of the 200 test items"),
        ({"l2": -1.0}, "above 0"),
        ({"multilabel": True}, "with 0 and 1"),
    ],
)
def test_faults_are_named(change: dict[str, object], said: str) -> None:
    (x, y), _, (tx, ty) = three()
    given = {"train_x": x, "train_y": y, "test_x": tx, "test_y": ty} | change
    with pytest.raises(UserError, match=said):
        linear_probe(**given)


def test_an_embedding_that_is_not_finite_is_named() -> None:
    (x, y), _, (tx, ty) = three()
    x[7, 2] = np.nan
    with pytest.raises(UserError, match=r"training embeddings .* row 7"):
        linear_probe(x, y, tx, ty)


def test_identifiers_are_not_taken_for_numbers_of_classes() -> None:
    (x, y), _, (tx, ty) = three()
    with pytest.raises(UserError, match="count the classes from 0"):
        linear_probe(x, y + 10**9, tx, ty + 10**9)

from __future__ import annotations

import numpy as np
import pytest

from antiphon.errors import UserError
from antiphon.evaluation.protocols.fewshot import draw_shots, few_shot_curve
from antiphon.evaluation.protocols.probe import linear_probe
from tests.evaluation.protocols.sets import classes, several


def test_every_class_gives_so_many_rows_and_fewer_are_among_more() -> None:
    y = np.repeat(np.arange(3), [50, 20, 10])
    draws = draw_shots(y, (1, 4, 8), draws=5, seed=0)
    for rows in draws.rows:
        for shot, chosen in zip(draws.shots, rows, strict=True):
            assert np.bincount(y[chosen]).tolist() == [shot] * 3
        assert set(rows[0]) < set(rows[1]) < set(rows[2])
    assert len({tuple(rows[0]) for rows in draws.rows}) > 1
    assert draws.short == {}


def test_draws_depend_on_labels_and_seed_alone() -> None:
    y = classes(100, 2, 4, seed=0)[1]
    one, two, other = (draw_shots(y, seed=s) for s in (1, 1, 2))
    assert all((a[2] == b[2]).all() for a, b in zip(one.rows, two.rows, strict=True))
    assert any((a[2] != b[2]).any() for a, b in zip(one.rows, other.rows, strict=True))


def test_rare_classes_give_what_they_have_and_are_named() -> None:
    x, y = classes(60, 4, 3, seed=0)
    keep = (y != 2) | (np.cumsum(y == 2) <= 3)
    found = few_shot_curve(x[keep], y[keep], x, y, shots=(1, 8), names=["a", "b", "c"])
    assert any("most shots: c (3)" in note for note in found.notes)


def test_several_labels_count_for_each_of_their_classes() -> None:
    y = several(300, 6, 4, 0)[1]
    rows = draw_shots(y, (2,), draws=3).rows
    for (chosen,) in rows:
        assert (y[chosen].sum(axis=0) >= np.minimum(2, y.sum(axis=0))).all()


def test_examples_come_from_as_many_groups_as_possible() -> None:
    y = np.zeros(40, int)
    y[20:] = 1
    group = np.arange(40) // 5
    for (rows,) in draw_shots(y, (4,), draws=6, groups=group).rows:
        assert len(np.unique(group[rows])) == 8


def test_the_curve_rises_and_ends_near_the_whole_training_side() -> None:
    (x, y), (tx, ty) = classes(400, 10, 4, 0, spread=1.5), classes(300, 10, 4, 1, spread=1.5)
    found = few_shot_curve(x, y, tx, ty, shots=(1, 4, 64), seed=0)
    values = [found[f"accuracy@{shot}"].value for shot in (1, 4, 64)]
    assert values[0] < values[1] < values[2]
    whole = linear_probe(x, y, tx, ty, l2=10.0)["accuracy"].value
    assert values[2] == pytest.approx(whole, abs=0.03)
    assert found.details["values"].shape == (3, 10)
    assert found["accuracy@4"].low < values[1] < found["accuracy@4"].high


def test_the_interval_holds_both_draws_and_test_items() -> None:
    (x, y), (tx, ty) = classes(200, 10, 4, 0, spread=2.0), classes(300, 10, 4, 1, spread=2.0)
    found = few_shot_curve(x, y, tx, ty, shots=(1,), seed=0)["accuracy@1"]
    value = few_shot_curve(x, y, tx, ty, shots=(1,), seed=0).details["values"][0]
    draws_only = 2 * 1.96 * value.std(ddof=1) / np.sqrt(len(value))
    assert found.high - found.low > draws_only


def test_the_same_draws_serve_two_encoders() -> None:
    (x, y), (tx, ty) = classes(100, 10, 4, 0), classes(100, 10, 4, 1)
    draws = draw_shots(y, (2,), draws=4, seed=3)
    one = few_shot_curve(x, y, tx, ty, draws=draws)
    two = few_shot_curve(x[:, ::-1], y, tx[:, ::-1], ty, draws=draws)
    np.testing.assert_allclose(one.details["values"], two.details["values"], atol=0.02)


def test_several_labels_give_average_precision() -> None:
    (x, y), (tx, ty) = several(200, 8, 3, 0), several(150, 8, 3, 1)
    found = few_shot_curve(x, y, tx, ty, shots=(2, 16), validation=(tx, ty))
    assert found["map@2"].value < found["map@16"].value


def test_draws_of_another_training_side_are_refused() -> None:
    x, y = classes(50, 4, 2, seed=0)
    with pytest.raises(UserError, match="longer training side"):
        few_shot_curve(x[:20], y[:20], x, y, draws=draw_shots(y, (8,)))
    with pytest.raises(UserError, match="at least 1"):
        draw_shots(y, (0,))


@pytest.mark.filterwarnings("error")
def test_a_test_side_without_positives_has_no_score() -> None:
    x, y = several(60, 4, 3, seed=0)
    found = few_shot_curve(x, y, x, np.zeros_like(y), shots=(2,))
    assert np.isnan([found.measures[0].value, found.measures[0].low]).all()

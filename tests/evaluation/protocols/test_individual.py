from __future__ import annotations

import numpy as np
import pytest

from antiphon.errors import UserError
from antiphon.evaluation.protocols.individual import individual_id
from tests.evaluation.protocols.sets import classes


def made(seed: int, first_day: int):
    x, y = classes(120, 10, 4, seed=seed, spread=1.5)
    return x, y, np.array([f"2024-05-{first_day + i // 30:02d}" for i in range(120)])


def test_individuals_are_told_apart_on_other_days() -> None:
    (x, y, days), (tx, ty, later) = made(0, 1), made(1, 10)
    found = individual_id(x, y, days, tx, ty, later, names=["A", "B", "C", "D"])
    assert found["accuracy"].low > 0.6
    assert "4 groups drawn" in found["accuracy"].note
    assert found["largest_class"].value == pytest.approx((ty == np.bincount(y).argmax()).mean())
    assert found.notes[0] == "4 training days, 4 test days, none shared."
    assert found.details["chosen_on"] == "folds"


def test_a_day_on_both_sides_is_refused() -> None:
    (x, y, days), (tx, ty, later) = made(0, 1), made(1, 4)
    with pytest.raises(UserError, match=r"1 day is on the training and the test side: 2024-05-04"):
        individual_id(x, y, days, tx, ty, later)


def test_years_as_numbers_and_as_text_are_the_same_years() -> None:
    (x, y, _), (tx, ty, _) = made(0, 1), made(1, 10)
    years, same = np.full(120, 2023), np.full(120, "2023")
    with pytest.raises(UserError, match="2023"):
        individual_id(x, y, years, tx, ty, same)


def test_validation_days_are_looked_at_too() -> None:
    one, two, three = made(0, 1), made(1, 10), made(2, 12)
    with pytest.raises(UserError, match="test and the validation side"):
        individual_id(*one, *two, validation=three)
    fine = individual_id(*one, *two, validation=made(2, 20))
    assert fine.details["chosen_on"] == "validation"

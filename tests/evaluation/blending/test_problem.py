from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from antiphon.errors import UserError
from antiphon.evaluation.blending.problem import Problem


@pytest.fixture
def problem() -> Problem:
    return Problem(
        models=("a", "b"),
        scores=np.arange(24.0).reshape(2, 4, 3),
        truth=np.array([[1, 0, 1], [0, 0, 1], [1, 0, 1], [0, 0, 1]], dtype=bool),
        rows=("x_5", "x_10", "y_5", "z_5"),
        classes=("one", "two", "three"),
        file=np.array([0, 0, 1, 2]),
        files=("x", "y", "z"),
        site=("S1", None, "S2"),
        hour=(1, 2, None),
        merged=2,
    )


def test_what_is_counted(problem: Problem) -> None:
    assert problem.positives.tolist() == [2, 0, 4]
    assert problem.positive_files.tolist() == [2, 0, 3]
    assert problem.scored.tolist() == [True, False, False]
    assert problem.without_positives == ("two",)
    assert problem.without_negatives == ("three",)
    assert problem.site_of_rows is not None
    assert problem.site_of_rows.tolist() == ["S1", "S1", None, "S2"]
    assert replace(problem, site=None).site_of_rows is None


def test_notes_tell_how_rows_and_classes_were_treated(problem: Problem) -> None:
    notes = " ".join(replace(problem, unlisted=3, left_out=4).notes())
    for part in ("2 doubled", "3 windows", "4 scored", "1 of 3 classes", "every window has"):
        assert part in notes


def test_models_and_files_can_be_taken_out(problem: Problem) -> None:
    only = problem.with_models(["b"])
    assert (only.models, only.scores.tolist()) == (("b",), problem.scores[1:].tolist())
    some = problem.with_files(np.array([True, False, True]))
    assert some.rows == ("x_5", "x_10", "z_5")
    assert (some.files, some.file.tolist()) == (("x", "z"), [0, 0, 1])
    assert (some.site, some.hour) == (("S1", "S2"), (1, None))
    assert some.truth.tolist() == problem.truth[[0, 1, 3]].tolist()
    assert some.scores.tolist() == problem.scores[:, [0, 1, 3]].tolist()
    assert problem.with_files([2]).rows == ("z_5",)
    with pytest.raises(UserError, match="no model 'c'; there are a, b"):
        problem.with_models(["c"])


def test_what_does_not_fit_is_refused(problem: Problem) -> None:
    scores = problem.scores.copy()
    scores[1, 2, 0] = np.nan
    with pytest.raises(UserError, match="model b at row y_5, class one is nan; 1 such"):
        replace(problem, scores=scores)
    with pytest.raises(UserError, match="Scores must be"):
        replace(problem, scores=scores[:1])
    with pytest.raises(UserError, match="truth must be bool"):
        replace(problem, truth=problem.truth.astype(int))
    with pytest.raises(UserError, match="file 2 of 2"):
        replace(problem, files=("x", "y"), site=None, hour=None)
    with pytest.raises(UserError, match="one file index"):
        replace(problem, file=problem.file - 1)
    with pytest.raises(UserError, match="one site"):
        replace(problem, site=("S1",))

"""Who labelled what, and what each person says of shared windows."""

from __future__ import annotations

import numpy as np
import pytest

from antiphon.api import Project
from antiphon.pipeline.annotate.answers import answer, undo
from antiphon.pipeline.annotate.comparing import (
    answerers,
    imported_by,
    people_of,
    ratings_of,
    work_of,
)
from antiphon.pipeline.annotate.disagreement import span_of
from antiphon.pipeline.annotate.said import Said
from antiphon.pipeline.windows import load_windows
from antiphon.store.project import ProjectFolder
from tests.pipeline.annotate.making import said, span


def test_work_is_counted_by_person_and_day(folder: ProjectFolder) -> None:
    answer(folder, "ann", span(0), said("dove"), key="1", seconds=4.0)
    answer(folder, "ann", span(0), said("finch"), key="2", seconds=6.0)
    answer(folder, "ann", span(1), None, kind="skip", key="3", seconds=2.0)
    # Somebody went for lunch: that is no time of an answer.
    kept = answer(folder, "ben", span(1), said("toad"), key="4", seconds=5000.0)
    undo(folder, "ben", kept.id, key="5")
    ann, ben = work_of(folder)
    assert (ann.person, ann.answers, ann.windows, ann.skipped) == ("ann", 2, 1, 1)
    assert (ann.seconds, ann.per_answer) == (10.0, 5.0)
    assert (ben.answers, ben.retracted, ben.seconds, ben.per_answer) == (1, 1, None, None)
    assert answerers(folder) == people_of(folder) == ["ann", "ben"]
    assert imported_by(folder) == []


def test_ratings_hold_opinions_and_no_settlement(trained: Project) -> None:
    folder = trained.folder
    folder.catalogue.remove_annotations(ids=folder.catalogue.annotations()["id"].to_pylist())
    windows = load_windows(folder, trained.table())
    one, two, *_ = labels = folder.catalogue.label_names()
    for k, who in enumerate(("ann", "ben")):
        present = (one,) if k else (one, two)
        answer(folder, who, span_of(windows, 3), Said(present=present, complete=True), key=who)
    answer(folder, "ann", span_of(windows, 4), Said(present=(one,)), key="alone")
    answer(folder, "mia", span_of(windows, 3), Said(absent=(two,)), kind="settle", key="settle")
    ratings = ratings_of(folder, windows)
    assert (ratings.people, ratings.labels) == (("ann", "ben"), tuple(labels))
    assert ratings.rows.tolist() == [3]
    expected = np.zeros((2, len(labels)))
    expected[:, 0] = 1.0
    expected[0, 1] = 1.0
    np.testing.assert_array_equal(ratings.values[0], expected)
    found = {row.label: row for row in ratings.agreement(n_resamples=20)}
    assert found[two].pairs[0].observed == 0.0
    assert found[one].positive == pytest.approx(1.0)

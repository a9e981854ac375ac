from __future__ import annotations

import pytest

from antiphon.errors import UserError
from antiphon.pipeline.history import all_curves, learning


def add_points(project, quality, points, **other):
    for spent, value in points:
        same = {
            "table": project.table().name,
            "group_by": quality.group_by,
            "labels": [c.label for c in quality.classes],
        }
        project.folder.catalogue.add_event(
            "evaluation",
            {
                **same,
                **other,
                "labels_spent": spent,
                "macro_average_precision": {
                    "value": value, "low": value - 0.04, "high": value + 0.04,
                },
            },
        )  # fmt: skip


CURVE = [(10, 0.30), (20, 0.42), (40, 0.52), (80, 0.60), (160, 0.66)]


def test_each_evaluation_is_a_point_of_the_curve(labelled):
    (quality, *_) = labelled.evaluate(folds=2)
    events = labelled.folder.catalogue.events("evaluation")
    assert len(events) == 1
    assert events[0].data["labels_spent"] == labelled.folder.catalogue.labels_spent()
    assert learning(labelled.folder, labelled.table(), quality) is None
    # The same again is read from the file and adds nothing.
    labelled.evaluate(folds=2)
    assert len(labelled.folder.catalogue.events("evaluation")) == 1


def test_points_of_other_labels_groups_or_embeddings_are_left_out(labelled):
    (quality, *_) = labelled.evaluate(folds=2)
    add_points(labelled, quality, CURVE)
    add_points(labelled, quality, [(50, 0.9)], labels=["other"])
    add_points(labelled, quality, [(60, 0.9)], group_by="site")
    add_points(labelled, quality, [(70, 0.9)], table="other")
    found = learning(labelled.folder, labelled.table(), quality)
    assert found is not None
    assert set(found.curves[0].labels) >= {10, 20, 40, 80, 160}
    assert not {50, 60, 70} & set(found.curves[0].labels)


def test_a_forecast_says_how_many_labels_a_target_takes_and_when_to_stop(labelled):
    (quality, *_) = labelled.evaluate(folds=2)
    labelled.folder.catalogue.add_event("evaluation", {"old": True})
    add_points(labelled, quality, CURVE)
    found = labelled.forecast(target=0.62, min_gain=0.2, per_labels=50)
    assert found.spent[:4] == (10, 20, 40, 80)
    assert found.reach is not None
    assert found.reach.labels.value < 300
    assert found.advice is not None
    assert found.advice.stop
    far = labelled.forecast(target=0.75, min_gain=1e-6)
    assert far.reach.labels.value > found.reach.labels.value
    assert not far.advice.stop
    if far.effort is not None:
        assert far.effort.low < far.effort.value < far.effort.high
        assert far.effort_note


def test_too_few_evaluations_are_named(labelled):
    with pytest.raises(UserError, match="after each round"):
        labelled.forecast(target=0.8)


def test_a_curve_begins_anew_when_the_labels_change(labelled):
    (quality, *_) = labelled.evaluate(folds=2)
    add_points(labelled, quality, [(5, 0.2), (8, 0.3)], labels=["one"])
    add_points(labelled, quality, CURVE)
    add_points(labelled, quality, [(90, 0.9)], table="other")
    found = all_curves(labelled.folder, labelled.table())
    assert len(found) == 2
    assert found[0].name == "1 label, by recording"
    assert found[0].labels.tolist() == [5, 8]
    assert set(found[1].labels) >= {10, 20, 40, 80, 160}
    assert found[1].value[0] == 0.30

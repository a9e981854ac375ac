from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from antiphon.app.context import AppContext
from antiphon.app.jobs.figures import LabelFigures, desk_of
from antiphon.app.jobs.limits import limits
from antiphon.app.jobs.preferences import Preferences
from antiphon.app.jobs.records import Measured
from antiphon.app.settings import Settings
from antiphon.pipeline.annotate.answers import Said, Span, answer
from antiphon.store.project import ProjectFolder

CURVE = [(10, 0.30), (20, 0.42), (40, 0.52), (80, 0.60), (160, 0.66)]
FLAT = [(10, 0.50), (20, 0.70), (40, 0.72), (80, 0.72), (160, 0.72), (320, 0.72)]


@pytest.fixture
def context(project: Path):
    context = AppContext(ProjectFolder.open(project), Settings(annotator="ann"))
    yield context
    context.close()


def add_points(context, points, labels=("a", "b"), width=0.04):
    for spent, value in points:
        reached = {"value": value, "low": value - width, "high": value + width}
        context.folder.catalogue.add_event(
            "evaluation",
            {
                "table": context.table().name,
                "group_by": "recording",
                "labels": list(labels),
                "labels_spent": spent,
                "macro_average_precision": reached,
            },
        )


def test_the_curve_is_drawn_with_its_band_and_its_future(context):
    add_points(context, [(4, 0.9)], labels=("a",))
    add_points(context, CURVE)
    figures = desk_of(context).figures(Preferences(target=0.62))
    assert [(p.labels, p.value) for p in figures.points] == CURVE
    assert figures.points[0].low == pytest.approx(0.26)
    assert figures.earlier == ["1 label, by recording: 1 training"]
    drawing = ET.fromstring(figures.chart)
    words = " ".join(drawing.itertext())
    for text in (
        "measured",
        "predicted",
        "before: mean over 1 label",
        "wanted: 0.62",
        "Labels spent",
    ):
        assert text in words
    assert "0.66 after 160 labels" in drawing.attrib["aria-label"]
    ahead = figures.ahead
    assert ahead.missing == ""
    assert "more labels" in ahead.reach
    assert ahead.more.low <= ahead.more.value
    assert (ahead.stop, ahead.within_reach) == (False, True)


def test_a_flat_curve_gives_the_hint_to_stop_with_its_reason(context):
    add_points(context, FLAT, width=0.005)
    ahead = desk_of(context).figures(Preferences(target=0.95, min_gain=0.05)).ahead
    assert ahead.stop is True
    assert "asked for were 0.05" in ahead.advice
    assert "Labelling may stop" in ahead.advice
    assert "not within reach" in ahead.reach


def test_figures_are_kept_until_something_changes(context):
    desk, wanted = desk_of(context), Preferences()
    first = desk.figures(wanted)
    assert desk.figures(wanted) is first
    name = context.folder.catalogue.label_names()[0]
    recording = int(context.windows().recording_id[-1])
    said = Said(unsure=(name,))
    answer(context.folder, "ann", Span(recording, -1, 0.0, 2.0), said, key="k", seconds=4.0)
    second = desk.figures(wanted)
    assert second is not first
    assert second.labels[0].unsure == first.labels[0].unsure + 1
    assert (second.cost.answers, second.cost.events, second.cost.seconds) == (1, 0, 4.0)
    assert desk.figures(Preferences(target=0.5)) is not second


def test_a_project_without_anything_has_figures_too(tmp_path):
    (tmp_path / "sounds").mkdir()
    folder = ProjectFolder.create(tmp_path / "bare", [tmp_path / "sounds"])
    context = AppContext(folder, Settings(annotator="ann"))
    figures = desk_of(context).figures(Preferences())
    assert (figures.labels, figures.points, figures.chart) == ([], [], "")
    context.close()


def label(name, present, groups, absent=50, reached=0.9):
    return LabelFigures(
        name=name,
        present=present,
        absent=absent,
        groups=groups,
        average_precision=None if reached is None else Measured(value=reached),
    )


def test_what_limits_quality_begins_with_what_helps_most():
    found = limits(
        [
            label("Well", 40, 20),
            label("Never", 0, 0, reached=None),
            label("Narrow", 9, 2),
            label("Lone", 1, 1, reached=None),
            label("Weak", 30, 12, reached=0.4),
        ],
        "date",
    )
    assert found[0] == "No example yet of Never."
    assert found[1].startswith("Lone: 1 positive window from 1 day only")
    assert found[2].startswith("Narrow: 9 positive windows from 2 days only")
    assert found[3].startswith("Weak is found least well (average precision 0.40)")
    assert len(found) == 4


def test_many_labels_without_an_example_are_one_sentence():
    found = limits([label(f"l{i}", 0, 0) for i in range(9)], "recording")
    assert found == ["No example yet of l0, l1, l2, l3 and 5 more."]

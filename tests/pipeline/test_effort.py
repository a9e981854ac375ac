from __future__ import annotations

import numpy as np
import pytest

from antiphon.pipeline.annotate.answers import Box, Said, Span, answer, undo
from antiphon.pipeline.effort import spent


def give(project, start, said, key, *, seconds, kind="answer"):
    recording = int(project.folder.catalogue.recordings().column("id")[0].as_py())
    span = Span(recording, -1, start, start + 1.0)
    return answer(project.folder, "ann", span, said, kind=kind, key=key, seconds=seconds)


def test_answers_events_and_time_are_counted(labelled):
    name, other = labelled.folder.catalogue.label_names()[:2]
    box = Box(name, 1.0, 1.2, 500.0, 900.0)
    again = Box(name, 1.5, 1.8, 500.0, 900.0)
    give(labelled, 0.0, Said(complete=True), "a", seconds=2.0)
    give(labelled, 1.0, Said(present=(other,), boxes=(box, again)), "b", seconds=6.0)
    give(labelled, 2.0, None, "c", seconds=1.0, kind="skip")
    wrong = give(labelled, 3.0, Said(present=(name,)), "d", seconds=4.0)
    undo(labelled.folder, "ann", wrong.id, key="e")
    found = spent(labelled.folder)
    assert (found.answers, found.skips, found.retracted) == (3, 1, 1)
    # Two boxes and a label without one; then one label.
    assert found.events == 4
    assert found.seconds == pytest.approx(13.0)
    assert found.per_answer == pytest.approx(4.0)
    assert found.people == ("ann",)
    assert found.time.assumed


def test_a_break_counts_as_a_typical_answer_and_no_time_as_nothing(labelled):
    nothing = Said(complete=True)
    for i, seconds in enumerate((2.0, 4.0, 3.0, 4000.0, None, 0.01)):
        give(labelled, float(i), nothing, f"k{i}", seconds=seconds)
    found = spent(labelled.folder)
    assert (found.answers, found.timed, found.breaks, found.untimed) == (6, 3, 1, 2)
    assert found.seconds == pytest.approx(2.0 + 4.0 + 3.0 + 3.0)


def test_measured_answers_are_what_forecasts_rest_on(labelled):
    name = labelled.folder.catalogue.label_names()[0]
    rng = np.random.default_rng(0)
    for i in range(12):
        said = Said(present=(name,)) if i % 2 else Said(complete=True)
        give(labelled, 0.5 * i, said, f"k{i}", seconds=3.0 + 2.0 * (i % 2) + 0.1 * rng.random())
    for i in range(12):
        give(labelled, 0.25 + 0.5 * i, Said(complete=True), f"m{i}", seconds=3.0)
    time = spent(labelled.folder).time
    assert not time.assumed
    assert time.seconds == pytest.approx(3.0, abs=0.1)
    assert time.per_event == pytest.approx(2.0, abs=0.2)

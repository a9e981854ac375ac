"""What annotations say of windows, as the pages Search and Map show it."""

from __future__ import annotations

import numpy as np
import pytest

from antiphon.app.services.shown import row_infos, said_of, span_infos
from antiphon.pipeline.annotate.answers import answer
from antiphon.pipeline.annotate.disagreement import span_of
from antiphon.pipeline.annotate.queues import make_queue
from antiphon.pipeline.annotate.said import Said
from antiphon.pipeline.windows import load_windows, targets
from antiphon.store.project import ProjectFolder
from tests.app.conftest import LABELS

FIRST = LABELS[0]


@pytest.fixture
def folder(project):
    folder = ProjectFolder.open(project)
    yield folder
    folder.close()


@pytest.fixture
def windows(folder):
    return load_windows(folder, folder.table())


@pytest.fixture
def row(folder, windows):
    """A window of a recording that no table speaks of."""
    unknown = np.isnan(targets(folder, windows, list(LABELS))).all(axis=1)
    return np.flatnonzero(unknown)[:1]


def test_rows_and_spans_are_described_alike(client, windows):
    rows = np.array([len(windows) - 1, 0, 0])
    spans = [span_of(windows, int(i)) for i in rows]
    assert row_infos(windows, rows) == span_infos(client.context, spans)
    assert [info.time for info in row_infos(windows, rows)] == windows.time[rows].tolist()
    assert row_infos(windows, rows[:0]) == []


def test_a_settlement_is_shown_and_a_disagreement_is_not(folder, windows, row):
    span = span_of(windows, int(row[0]))
    answer(folder, "ben", span, Said(present=(FIRST,)), key="ben")
    assert said_of(folder, windows, row, "ann") == [{FIRST: "present"}]
    answer(folder, "cem", span, Said(absent=(FIRST,)), key="cem")
    assert said_of(folder, windows, row, "ann") == [{}]
    answer(folder, "dot", span, Said(absent=(FIRST,)), kind="settle", key="dot")
    assert said_of(folder, windows, row, "ann") == [{FIRST: "absent"}]


def test_a_window_that_waits_in_ones_own_queue_tells_nothing(folder, windows, row):
    span = span_of(windows, int(row[0]))
    answer(folder, "ben", span, Said(present=(FIRST,)), key="ben")
    make_queue(folder, None, "chosen", 1, windows=[span], owner="ann")
    assert said_of(folder, windows, row, "ann") == [{}]
    assert said_of(folder, windows, row, "ben") == [{FIRST: "present"}]

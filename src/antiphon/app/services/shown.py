"""Windows as the pages show them, and what is said of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from antiphon.app.context import AppContext
from antiphon.app.shapes import WindowInfo
from antiphon.labels.disputes import judge_windows
from antiphon.pipeline.annotate.disagreement import span_of
from antiphon.pipeline.annotate.said import Span
from antiphon.pipeline.annotate.sharing import to_answer
from antiphon.pipeline.windows import WindowSet, channels_of
from antiphon.store.project import ProjectFolder

Int64 = npt.NDArray[np.int64]


def span_infos(context: AppContext, spans: Sequence[Span]) -> list[WindowInfo]:
    """Return windows with what is known of their recordings, embedded or not."""
    wanted = sorted({span.recording_id for span in spans})
    facts: dict[int, dict[str, Any]] = {}
    if context.has_embeddings():
        facts = _facts(context.windows().recordings, wanted)
    rest = [i for i in wanted if i not in facts]
    if rest:
        rows = context.folder.catalogue.recordings(all_states=True)
        facts |= _facts(rows.append_column("name", rows.column("path")), rest)
    return [_info(span, facts[span.recording_id]) for span in spans]


def row_infos(windows: WindowSet, rows: Int64) -> list[WindowInfo]:
    """Return windows of a table with what is known of their recordings."""
    some = windows.take(rows)
    facts = _facts(windows.recordings, np.unique(some.recording_id).tolist())
    spans = [span_of(some, i) for i in range(len(some))]
    return [_info(span, facts[span.recording_id]) for span in spans]


def said_of(
    folder: ProjectFolder, windows: WindowSet, rows: Int64, person: str
) -> list[dict[str, str]]:
    """Return for each window the labels that training takes for ``present`` or ``absent``.

    What people disagree about is left out, and so are windows that wait in a queue of the
    person's own. Only the annotations of these windows' recordings are read.
    """
    some = windows.take(rows)
    names = folder.catalogue.label_names()
    annotations = folder.catalogue.annotations(recording_ids=np.unique(some.recording_id).tolist())
    if not names or annotations.num_rows == 0:
        return [{} for _ in rows]
    said = judge_windows(
        some.recording_id,
        some.start_s,
        some.end_s,
        some.channel,
        annotations,
        names,
        min_overlap=folder.config.labels.min_overlap,
        channels=channels_of(some),
    ).targets
    waiting = to_answer(folder, person)
    words = {1.0: "present", 0.0: "absent"}
    return [
        {}
        if span_of(some, i).window in waiting
        else {name: words[value] for name, value in zip(names, line, strict=True) if value in words}
        for i, line in enumerate(said.tolist())
    ]


def _facts(recordings: pa.Table, wanted: Sequence[int]) -> dict[int, dict[str, Any]]:
    names = ["id", "name", "site", "sample_rate", "duration_s", "start_time"]
    place = pc.index_in(pa.array(wanted, pa.int64()), value_set=recordings.column("id"))
    rows = recordings.select(names).take(place.drop_null())
    return {int(row["id"]): row for row in rows.to_pylist()}


def _info(span: Span, fact: dict[str, Any]) -> WindowInfo:
    start = fact["start_time"]
    return WindowInfo(
        recording=span.recording_id,
        channel=span.channel,
        start_s=span.start_s,
        end_s=span.end_s,
        name=fact["name"],
        site=fact["site"],
        time=None if start is None else start + timedelta(seconds=span.start_s),
        sample_rate=fact["sample_rate"] or 0,
        duration_s=fact["duration_s"] or 0.0,
    )

"""Windows of a table as the pages show them."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import numpy.typing as npt

from antiphon.app.api.models import WindowInfo
from antiphon.labels.disputes import judge_windows
from antiphon.pipeline.annotate.disagreement import span_of
from antiphon.pipeline.annotate.sharing import to_answer
from antiphon.pipeline.windows import WindowSet, channels_of
from antiphon.store.project import ProjectFolder

Int64 = npt.NDArray[np.int64]


def window_infos(windows: WindowSet, rows: Int64) -> list[WindowInfo]:
    """Return windows with what is known of their recordings."""
    some = windows.take(rows)
    facts = windows.recordings.select(["name", "site", "sample_rate", "duration_s"]).take(some.row)
    times = some.time.astype("datetime64[us]").astype(object).tolist()
    return [
        WindowInfo(
            recording=int(some.recording_id[i]),
            channel=int(some.channel[i]),
            start_s=float(some.start_s[i]),
            end_s=float(some.end_s[i]),
            name=fact["name"],
            site=fact["site"],
            time=times[i] if isinstance(times[i], datetime) else None,
            sample_rate=fact["sample_rate"] or 0,
            duration_s=fact["duration_s"] or 0.0,
        )
        for i, fact in enumerate(facts.to_pylist())
    ]


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

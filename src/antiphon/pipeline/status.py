"""Where a project stands: recordings, embeddings, labels, detectors, and what is missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from antiphon.store.project import ProjectFolder


@dataclass(frozen=True, slots=True)
class TableStatus:
    """One table of embeddings.

    Parameters
    ----------
    recordings, of
        Recordings embedded, and recordings that can be read.
    failed
        ``(path, reason)`` of recordings that could not be embedded.
    """

    name: str
    encoder: str
    window_s: float
    hop_s: float
    channel: str
    windows: int
    recordings: int
    of: int
    failed: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Status:
    """All that ``antiphon status`` prints.

    Parameters
    ----------
    audio
        Name and place of each audio folder.
    recordings
        Count by state: ok, partial, unreadable, missing.
    problems
        ``(path, state, reason)`` of recordings that are not ok.
    hours
        Hours of audio that can be read.
    sites, first, last
        Sites by name with their recordings; the earliest and latest known start.
    without_time
        Recordings whose start time is unknown.
    labels
        Present annotations by label.
    annotations
        All annotations, absent and unsure ones too.
    """

    project: str
    audio: tuple[tuple[str, str], ...]
    recordings: dict[str, int]
    problems: tuple[tuple[str, str, str], ...]
    hours: float
    sites: dict[str, int]
    first: str | None
    last: str | None
    without_time: int
    tables: tuple[TableStatus, ...]
    labels: dict[str, int]
    annotations: int
    detectors: tuple[str, ...]


def status(folder: ProjectFolder) -> Status:
    """Read a project's state; nothing is changed but what a killed run left is taken over."""
    rows = folder.catalogue.recordings(all_states=True)
    column = {
        name: rows.column(name).to_pylist()
        for name in ("id", "path", "status", "problem", "duration_s", "site", "start_time")
    }
    states = Counter(column["status"])
    readable = [s in ("ok", "partial") for s in column["status"]]
    times = [t for t, good in zip(column["start_time"], readable, strict=True) if good and t]
    path = dict(zip(column["id"], column["path"], strict=True))
    tables = []
    for table in folder.tables():
        windows = table.windows()
        failures = folder.catalogue.failures(table.id)
        tables.append(
            TableStatus(
                name=table.name,
                encoder=str(table.spec["name"]),
                window_s=float(table.windows_spec["window_s"]),
                hop_s=float(table.windows_spec["hop_s"]),
                channel=str(table.windows_spec["channel"]),
                windows=int(windows.num_rows),
                recordings=len(np.unique(windows.column("recording_id").to_numpy())),
                of=sum(readable),
                failed=tuple((path[i], f.reason) for i, f in failures.items() if i in path),
            )
        )
    said = folder.catalogue.annotations()
    label = said.column("label").to_pylist()
    presence = said.column("presence").to_pylist()
    present = Counter(n for n, p in zip(label, presence, strict=True) if p == "present")
    return Status(
        project=str(folder.root),
        audio=tuple((r.name, str(folder.audio_root(r.name))) for r in folder.config.audio),
        recordings=dict(states),
        problems=tuple(
            (p, s, why or "")
            for p, s, why in zip(column["path"], column["status"], column["problem"], strict=True)
            if s in ("partial", "unreadable", "missing")
        ),
        hours=sum(d or 0.0 for d, good in zip(column["duration_s"], readable, strict=True) if good)
        / 3600.0,
        sites=dict(
            Counter(str(s) for s, good in zip(column["site"], readable, strict=True) if good and s)
        ),
        first=str(min(times)) if times else None,
        last=str(max(times)) if times else None,
        without_time=sum(readable) - len(times),
        tables=tuple(tables),
        labels=dict(sorted(present.items())),
        annotations=int(said.num_rows),
        detectors=tuple(row.name for row in folder.catalogue.detectors()),
    )


def without_time(folder: ProjectFolder, sites: Sequence[str] = ()) -> tuple[int, int]:
    """Count recordings whose start time is unknown, and all recordings, of some sites.

    Parameters
    ----------
    sites
        Names of sites; all recordings when empty.

    Returns
    -------
    tuple of int
        How many have no start time, and out of how many. Conditions on hour or date leave them
        out.
    """
    rows = folder.catalogue.recordings()
    columns = (rows.column(name).to_pylist() for name in ("start_time", "site"))
    times = [time for time, site in zip(*columns, strict=True) if not sites or site in sites]
    return sum(time is None for time in times), len(times)

"""What several people said of the same windows: who labelled what, and how far they agree."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import select

from antiphon.evaluation.agreement import LabelAgreement, agreement
from antiphon.labels.disputes import people, votes
from antiphon.pipeline.effort import timings_of
from antiphon.pipeline.windows import WindowSet, annotations_of, channels_of
from antiphon.store import answers
from antiphon.store.answers import AnswerRow
from antiphon.store.project import ProjectFolder
from antiphon.store.schema import Answer


@dataclass(frozen=True, slots=True)
class Day:
    """What a person did in the app on one day (UTC).

    Parameters
    ----------
    answers, settled, skipped, retracted
        Windows answered, disagreements settled, windows skipped, answers taken back.
    windows
        Different windows among those answered and settled.
    seconds
        Time at work, breaks left out; None where nobody took it.
    per_answer
        Median seconds of an answer; None where nobody took it.
    """

    person: str
    day: date
    answers: int
    settled: int
    skipped: int
    retracted: int
    windows: int
    seconds: float | None
    per_answer: float | None


@dataclass(frozen=True, slots=True)
class Imported:
    """Annotations that came from a table; ``person`` is None where the table names nobody."""

    person: str | None
    source: str | None
    day: date
    annotations: int
    recordings: int


@dataclass(frozen=True, slots=True, eq=False)
class Ratings:
    """What each person says of the windows that two or more speak of.

    Parameters
    ----------
    people, labels
        Names, in the order of the axes.
    values
        ``(n, n_people, n_labels)``: 1 present, 0 absent, NaN not said or unsure.
    rows
        ``(n,)`` rows of the windows.
    groups
        ``(n,)`` recording of each, identical copies being one.
    """

    people: tuple[str, ...]
    labels: tuple[str, ...]
    values: npt.NDArray[np.float64]
    rows: npt.NDArray[np.int64]
    groups: npt.NDArray[np.int64]

    def agreement(self, *, seed: int = 0, n_resamples: int = 1000) -> list[LabelAgreement]:
        """Return how far people agree on each label; intervals resample recordings."""
        rng = np.random.default_rng(seed)
        return agreement(self.values, self.labels, self.groups, rng=rng, n_resamples=n_resamples)


def ratings_of(folder: ProjectFolder, windows: WindowSet) -> Ratings:
    """Return what each named person alone says of windows; settlements are left out.

    See :func:`antiphon.labels.disputes.votes` for what counts as said: answers given in the app
    and tables that name an annotator.
    """
    labels = folder.catalogue.label_names()
    annotations = annotations_of(folder, windows)
    there = np.flatnonzero(np.isin(windows.recording_id, _shared_recordings(annotations)))
    some = windows.take(there)
    told = {}
    if len(some) and labels:
        told = votes(
            some.recording_id,
            some.start_s,
            some.end_s,
            some.channel,
            annotations.filter(
                pc.is_in(
                    annotations.column("recording_id"),
                    value_set=pa.array(np.unique(some.recording_id)),
                )
            ),
            labels,
            min_overlap=folder.config.labels.min_overlap,
            channels=channels_of(some),
        )
    names = tuple(sorted(told))
    if not names:
        nothing = np.empty(0, np.int64)
        return Ratings((), tuple(labels), np.empty((0, 0, len(labels))), nothing, nothing)
    values = np.stack([told[name] for name in names], axis=1).astype(np.float64)
    kept = ((~np.isnan(values)).sum(axis=1) >= 2).any(axis=1)
    groups = some.groups("recording")[0]
    return Ratings(names, tuple(labels), values[kept], there[kept].astype(np.int64), groups[kept])


def work_of(folder: ProjectFolder) -> list[Day]:
    """Return what each person did in the app on each day, the newest day first."""
    with folder.catalogue.database.read() as connection:
        rows = answers.given(connection, answers.KINDS)
    by_day: dict[tuple[date, str], list[AnswerRow]] = defaultdict(list)
    for row in rows:
        by_day[row.created_at.date(), row.annotator].append(row)
    ordered = sorted(by_day.items(), key=lambda item: (-item[0][0].toordinal(), item[0][1]))
    return [_day(person, day, found) for (day, person), found in ordered]


def imported_by(folder: ProjectFolder) -> list[Imported]:
    """Return what tables brought in, by person, table and day (UTC), the newest first."""
    found: dict[tuple[date, str, str], list[int]] = defaultdict(list)
    table = folder.catalogue.annotations(all_states=True)
    columns = [
        table.column(name).to_pylist()
        for name in ("annotator", "source", "created_at", "recording_id", "batch")
    ]
    for person, source, when, recording, batch in zip(*columns, strict=True):
        if not answers.is_derived(batch):
            found[when.date(), person or "", source or ""].append(recording)
    return [
        Imported(person or None, source or None, day, len(ids), len(set(ids)))
        for (day, person, source), ids in sorted(
            found.items(), key=lambda item: (-item[0][0].toordinal(), *item[0][1:])
        )
    ]


def people_of(folder: ProjectFolder) -> list[str]:
    """Return everybody who ever answered in the app or whom a table names."""
    named = folder.catalogue.annotations(all_states=True).column("annotator").drop_null()
    return sorted({*answerers(folder), *named.unique().to_pylist()})


def answerers(folder: ProjectFolder) -> list[str]:
    """Return everybody who ever answered in the app."""
    with folder.catalogue.database.read() as connection:
        return sorted(set(connection.execute(select(Answer.annotator).distinct()).scalars()))


def _day(person: str, day: date, rows: Sequence[AnswerRow]) -> Day:
    kinds = [row.kind for row in rows]
    said = [row for row in rows if row.kind in (answers.ANSWER, answers.SETTLE)]
    times = timings_of(said).seconds
    return Day(
        person=person,
        day=day,
        answers=kinds.count(answers.ANSWER),
        settled=kinds.count(answers.SETTLE),
        skipped=kinds.count(answers.SKIP),
        retracted=kinds.count(answers.RETRACT),
        windows=len({row.window for row in said}),
        seconds=float(times.sum()) if len(times) else None,
        per_answer=float(np.median(times)) if len(times) else None,
    )


def _shared_recordings(annotations: pa.Table) -> npt.NDArray[np.int64]:
    """Return the recordings of which two named people or more speak."""
    names = people(annotations)
    ids = annotations.column("recording_id").to_numpy()
    seen: dict[int, set[str]] = defaultdict(set)
    for recording, name in zip(ids.tolist(), names.tolist(), strict=True):
        if name is not None:
            seen[recording].add(name)
    return np.array(sorted(i for i, some in seen.items() if len(some) > 1), np.int64)

"""Bring labels in: read any program's table and tie its rows to the project's recordings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from antiphon.audio.recording import AUDIO_SUFFIXES
from antiphon.errors import FormatError, UserError
from antiphon.labels.annotation import ABSENT, PRESENT, UNSURE, make_annotations
from antiphon.labels.formats.registry import Problem, read_annotations
from antiphon.pipeline.names import RecordingNames
from antiphon.store.project import ProjectFolder


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import brought.

    Parameters
    ----------
    added, already
        Annotations that are new, and ones that the project had.
    recordings
        Recordings that the tables speak about.
    labels
        Present annotations in the tables, by label.
    skipped
        Rows that say nothing, such as queue rows that were not filled in.
    changed
        Windows of a queue whose earlier answer was replaced.
    unsure, absences
        Unsure annotations in the tables, and those that say that something is absent.
    unknown
        Names of recordings in the tables that the project does not have, with their rows.
    problems
        Files that could not be read, and oddities in those that could.
    beyond
        Rows that begin after the end of their recording; they were left out.
    """

    added: int
    already: int
    recordings: int
    labels: dict[str, int]
    skipped: int = 0
    changed: int = 0
    unsure: int = 0
    absences: int = 0
    unknown: dict[str, int] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    beyond: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether every row of every file was taken."""
        return not (self.unknown or self.beyond or any(p.unread for p in self.problems))


def import_labels(
    folder: ProjectFolder,
    path: Path,
    *,
    format: str = "auto",
    complete: bool = False,
    labels: Sequence[str] = (),
    annotator: str | None = None,
    **options: Any,
) -> ImportReport:
    """Read a label table, or a folder of them, into the project.

    Importing the same table again adds nothing. An answer to a window of a queue replaces the
    earlier answer of the same annotator to the same window; other tables only add.

    Parameters
    ----------
    format
        A name from ``antiphon formats``; ``auto`` finds it out.
    complete
        The tables say all there is: a label of the tables (or of ``labels``) that is not marked
        is absent, over whole recordings for selection tables, within its windows for a queue.
        Without it, a mark for one label says nothing of any other.
    labels
        Labels that were looked for, besides those that occur in the tables.
    annotator
        Who labelled; the tables' own word is kept where they have one.
    **options
        Passed to the format's reader, such as ``label_column``.

    Raises
    ------
    UserError
        If a name is ambiguous or nothing in the tables belongs to the project.
    FormatError
        If a single file does not follow its format.
    """
    if labels and not complete:
        raise UserError(
            "--labels names what was looked for and is absent where it is not marked; it goes with "
            "--complete."
        )
    _refuse_binary(path)
    result = read_annotations(path, format, **options)
    if not result.files:
        first = result.problems[0]
        raise FormatError(
            path,
            f"none of its {len(result.problems)} label tables can be read; the first, "
            f"{first.path.name}: {first.problem.rstrip('.')}",
        )
    names = RecordingNames(folder)
    mentioned = list(
        dict.fromkeys([*result.table.column("recording").to_pylist(), *result.reviewed])
    )
    ids = names.find_all(mentioned, result.placed)
    # Tables of one recording in several folders speak of one recording.
    own = {name: names.name[i] for name in result.placed if (i := ids[name]) is not None}
    result = result.renamed(own)
    ids = {own.get(name, name): i for name, i in ids.items()}
    table = result.table
    counts = dict(
        zip(
            *np.unique(
                table.column("recording").to_numpy(zero_copy_only=False), return_counts=True
            ),
            strict=True,
        )
    )
    unknown = {name: int(counts.get(name, 0)) for name, i in ids.items() if i is None}
    if mentioned and len(unknown) == len(mentioned):
        some = ", ".join(repr(name) for name in list(unknown)[:3])
        raise UserError(
            f"{path} speaks of {len(unknown)} recording{'s' * (len(unknown) > 1)} and the project "
            f"has none of them ({some}). Recordings are matched by path, file name or stem."
            + (
                " A table without a column of recordings goes by its own name; say which one it "
                "is about: --recording NAME"
                if list(unknown) == [path.stem]
                else ""
            )
        )
    if complete:
        named = {*labels, *_named(table)}
        known = named | set(folder.catalogue.label_names())
        if not (named if result.reviewed else known):
            raise UserError(
                f"{path} marks nothing, so it does not tell which labels were looked for. "
                "Name them: --labels 'A; B'"
            )
        table = pa.concat_tables([table, _absences(table, result.reviewed, named, known)])
    recording_id = [ids[name] for name in table.column("recording").to_pylist()]
    start = table.column("start_s").to_pylist()
    late = [
        i is not None and s is not None and s >= names.duration[i] > 0.0
        for i, s in zip(recording_id, start, strict=True)
    ]
    beyond = tuple(
        f"{name} at {s:g} s"
        for name, s, is_late in zip(table.column("recording").to_pylist(), start, late, strict=True)
        if is_late
    )
    keep = [i is not None and not is_late for i, is_late in zip(recording_id, late, strict=True)]
    table = table.append_column("recording_id", pa.array(recording_id, pa.int64()))
    table = table.filter(pa.array(keep, pa.bool_()))
    whole = set(result.reviewed)
    shown = [name not in whole for name in table.column("recording").to_pylist()]
    answers = table.filter(pa.array(shown, pa.bool_()))
    stale = _earlier_answers(folder, answers, annotator)
    said = folder.catalogue.add_annotations(
        table, source=str(path), annotator=annotator, replacing=list(stale)
    )
    present = table.filter(pc.equal(table.column("presence"), PRESENT)).column("label").to_pylist()
    return ImportReport(
        added=said.added,
        already=said.already_there,
        recordings=len({i for i in ids.values() if i is not None}),
        labels={name: present.count(name) for name in sorted(set(present))},
        skipped=result.skipped,
        changed=len(set(stale.values())),
        unsure=table.column("presence").to_pylist().count(UNSURE),
        absences=table.column("presence").to_pylist().count(ABSENT),
        unknown=unknown,
        problems=result.problems,
        beyond=beyond,
    )


def _earlier_answers(
    folder: ProjectFolder, answers: pa.Table, annotator: str | None
) -> dict[int, tuple[Any, ...]]:
    """Return what the same annotator said otherwise of windows that are answered anew.

    Returns
    -------
    dict
        The window of each such annotation, by the annotation's id.
    """
    if answers.num_rows == 0:
        return {}
    span = ("recording_id", "start_s", "end_s", "channel")
    said = ("label", "presence", "scope")

    def entries(table: pa.Table) -> list[tuple[tuple[Any, ...], tuple[Any, ...]]]:
        rows = table.select([*span, *said, "annotator"]).to_pylist()
        return [
            (
                (*(row[n] for n in span), row["annotator"] or annotator),
                (row["label"], row["presence"], tuple(sorted(row["scope"] or ()))),
            )
            for row in rows
        ]

    now: dict[tuple[Any, ...], set[tuple[Any, ...]]] = {}
    for window, answer in entries(answers):
        now.setdefault(window, set()).add(answer)
    ids = sorted({window[0] for window in now})
    before = folder.catalogue.annotations(recording_ids=ids)
    # What was settled is nobody's answer; a table does not undo it.
    settled = pc.fill_null(pc.starts_with(before.column("batch"), "settle "), False)
    before = before.filter(pc.invert(settled))
    return {
        i: window
        for i, (window, answer) in zip(
            before.column("id").to_pylist(), entries(before), strict=True
        )
        if window in now and answer not in now[window]
    }


def _named(table: pa.Table) -> set[str]:
    return {name for name in table.column("label").to_pylist() if name is not None}


def _absences(
    table: pa.Table, reviewed: Sequence[str], named: set[str], known: set[str]
) -> pa.Table:
    """Return rows that say "absent" for what was looked for, where the tables were filled in whole.

    Over whole recordings, that is the labels ``named`` in the tables: a table of frogs says
    nothing of birds. Within single windows, shown to somebody who labels for this project, it is
    all labels ``known``.
    """
    whole = set(reviewed)
    spans: list[tuple[str, float | None, float | None, int | None]] = [
        (name, None, None, None) for name in reviewed
    ]
    columns = [table.column(c).to_pylist() for c in ("recording", "start_s", "end_s", "channel")]
    spans += [row for row in dict.fromkeys(zip(*columns, strict=True)) if row[0] not in whole]
    scopes = [sorted(named) if i < len(reviewed) else sorted(known) for i in range(len(spans))]
    return make_annotations(
        {
            "recording": [s[0] for s in spans],
            "start_s": [s[1] for s in spans],
            "end_s": [s[2] for s in spans],
            "channel": [s[3] for s in spans],
            "presence": [ABSENT] * len(spans),
            "scope": scopes,
        }
    )


def _refuse_binary(path: Path) -> None:
    """Refuse a recording, or another file that is no text, given as a label table."""
    if not path.is_file() or path.suffix.lower() == ".parquet":
        return
    if path.suffix.lower() in AUDIO_SUFFIXES:
        raise FormatError(
            path,
            "this is a recording and no label table",
            "Recordings are added with antiphon init PROJECT --audio DIR",
        )
    with path.open("rb") as stream:
        head = stream.read(4096)
    if b"\0" in head and not head.startswith((b"\xff\xfe", b"\xfe\xff", b"PAR1")):
        raise FormatError(path, "this is no label table: it is not text", "Export it as CSV")

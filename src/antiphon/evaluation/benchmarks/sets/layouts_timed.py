"""Readers of events in time: tables beside recordings, one table of all, lists of stretches."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from antiphon.audio.recording import AUDIO_SUFFIXES
from antiphon.encoders.checking import Strict
from antiphon.errors import FileError, FormatError
from antiphon.evaluation.benchmarks.sets.items import Absent, Event, Item, Side, Split
from antiphon.evaluation.benchmarks.sets.rows import (
    AudioByName,
    files_matching,
    fill,
    inside,
    read_table,
    read_text,
)


class BesideOptions(Strict):
    """A table of events beside each recording.

    Parameters
    ----------
    audio
        Pattern of the recordings.
    table
        Template of the table's path, from ``{folder}`` (of the recording) and ``{stem}``.
    separator
        Between its cells.
    start, end, label
        Columns.
    positive, not_labels
        Instead of ``label``: what marks an event in the column of its class, and the columns
        that are no classes.
    known, other
        Classes to keep apart, and what all others are called.
    drop_labels
        Classes to leave out.
    """

    audio: str
    table: str
    separator: str = "\t"
    start: str
    end: str
    label: str = ""
    positive: str = ""
    not_labels: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    other: str = ""
    drop_labels: tuple[str, ...] = ()


def read_beside(folder: Path, options: dict[str, object]) -> tuple[list[Item], list[str]]:
    """Read recordings, each with a table of its own; see :class:`BesideOptions`."""
    given = BesideOptions.model_validate(options)
    items, lonely = [], []
    for path in files_matching(folder, (given.audio,)):
        where = path.parent.relative_to(folder).as_posix()
        name = given.table.format(folder=where, stem=path.stem)
        if not (folder / name).is_file():
            lonely.append(path.name)
            continue
        items.append(stretch(path, _events(folder / name, given)))
    notes = []
    if lonely:
        notes.append(
            f"{len(lonely)} recordings have no table of annotations ({', '.join(lonely[:3])}); "
            "they are left out"
        )
    if not items:
        raise FileError(
            folder,
            f"no recording has its table ({given.table})",
            "Unpack the publisher's annotations there, or get them with --download",
        )
    return items, notes


def _events(path: Path, given: BesideOptions) -> list[Event]:
    table = read_table(path, given.separator)
    table.need(given.start, given.end, *([given.label] if given.label else []))
    classes = [c for c in table.columns if c not in given.not_labels] if given.positive else []
    events = []
    for index, row in enumerate(table.rows):
        start, end = table.number(index, given.start), table.number(index, given.end)
        if given.positive:
            labels = [c for c in classes if row[c] == given.positive]
        else:
            labels = [row[given.label]] if row[given.label] else []
        for label in labels:
            if label in given.drop_labels:
                continue
            name = label if not given.known or label in given.known else given.other
            events.append(Event(start, end, name))
    return events


class EventOptions(Strict):
    """One row for each event, over whole recordings.

    Parameters
    ----------
    table
        The table.
    recording, audio
        Column of the recording, and template of its audio file's path.
    every_audio
        Pattern of all recordings, also those without an event.
    start, end, label
        Columns.
    """

    table: str
    recording: str
    audio: str
    every_audio: str
    start: str
    end: str
    label: str


def read_events(folder: Path, options: dict[str, object]) -> tuple[list[Item], list[str]]:
    """Read recordings with the events of one table; see :class:`EventOptions`."""
    given = EventOptions.model_validate(options)
    table = read_table(inside(folder, given.table))
    table.need(given.recording, given.start, given.end, given.label)
    events: dict[Path, list[Event]] = defaultdict(list)
    for index, row in enumerate(table.rows):
        start, end = table.number(index, given.start), table.number(index, given.end)
        path = inside(folder, fill(given.audio, row, table.path))
        events[path].append(Event(start, end, row[given.label]))
    paths = files_matching(folder, (given.every_audio,))
    lacking = sorted(set(events) - set(paths))
    absent = Absent([path.name for path in lacking])
    return [stretch(path, events[path]) for path in paths], absent.note(len(paths) + len(lacking))


class LineOptions(Strict):
    """One JSON object for each stretch: ``path``, ``length``, ``annotations``.

    Parameters
    ----------
    files
        One file for each side of the split.
    """

    files: dict[Side, str]


def read_lines(folder: Path, options: dict[str, object]) -> tuple[list[Item], list[str]]:
    """Read BEANS's own lists of stretches; audio is found by its name."""
    given = LineOptions.model_validate(options)
    names = AudioByName([folder], AUDIO_SUFFIXES)
    absent, items, total = Absent(), [], 0
    for side, name in given.files.items():
        path = inside(folder, name)
        for number, line in enumerate(read_text(path).splitlines(), start=1):
            if not line.strip():
                continue
            total += 1
            try:
                row = json.loads(line)
                events = [
                    Event(float(a["st"]), float(a["ed"]), str(a["label"]))
                    for a in row["annotations"] or ()
                ]
                audio = names.get(str(row["path"]))
            except (ValueError, KeyError, TypeError) as error:
                raise FormatError(
                    path,
                    f"line {number} is no object with path and annotations "
                    f"({type(error).__name__}: {error})",
                    "Get the file from its publisher again",
                ) from error
            if audio is None:
                absent.names.append(str(row["path"]))
                continue
            items.append(stretch(audio, events, split=side))
    return items, absent.note(total)


def stretch(path: Path, events: Iterable[Event], split: Split = "") -> Item:
    """Return a whole recording with its events as an item."""
    ordered = tuple(sorted(events, key=lambda e: (e.start_s, e.end_s, e.label)))
    labels = tuple(sorted({event.label for event in ordered}))
    return Item(path, labels, events=ordered, split=split)

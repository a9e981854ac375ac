"""Labelled folders of a user's own: folder per class, a table, or a project of Antiphon.

What a folder holds decides which families it can be judged in. Sides of the split are those that
the table gives (fold, split), else folds over whole recordings (or sources): never over windows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from antiphon.encoders.checking import nearest
from antiphon.errors import FileError, UserError
from antiphon.evaluation.benchmarks.sets.items import (
    Event,
    Item,
    Labelled,
    class_names,
    named_recording,
)
from antiphon.evaluation.benchmarks.sets.local_reading import (
    read_class_folders,
    read_label_table,
    read_project,
)
from antiphon.evaluation.benchmarks.sets.local_tables import find_table
from antiphon.evaluation.benchmarks.sets.recipe import Family

LOCAL_FAMILIES: tuple[Family, ...] = ("classification", "detection", "individual", "repertoire")
WINDOW_S, SHIFT_S = 2.0, 1.0


@dataclass(frozen=True, slots=True)
class LocalSet:
    """A user's data in the form of one family.

    Parameters
    ----------
    name
        Of the folder.
    family
        How it is judged.
    labelled
        Its items.
    multilabel
        Whether clips may have several labels.
    window_s, shift_s
        Windows of detection, else None.
    """

    name: str
    family: Family
    labelled: Labelled
    multilabel: bool = False
    window_s: float | None = None
    shift_s: float | None = None


def read_local(
    folder: Path,
    *,
    labels: Path | None = None,
    families: Sequence[str] = (),
    window_s: float = WINDOW_S,
    shift_s: float = SHIFT_S,
    each_individual: bool = False,
) -> tuple[list[LocalSet], list[str]]:
    """Read a labelled folder in every family that it allows.

    Parameters
    ----------
    folder
        With ``antiphon.toml``; or with a table of labels; or with a subfolder for each class.
    labels
        The table, where it is not the only one in the folder.
    families
        Only these of :data:`LOCAL_FAMILIES`; all that the data allow when empty.
    window_s, shift_s
        Windows of detection.
    each_individual
        Whether each individual has a repertoire of its own, whose labels mean nothing for others,
        and so is a set of its own.

    Returns
    -------
    list of LocalSet
        In the order of :data:`LOCAL_FAMILIES`.
    list of str
        Which families are left out, and why.

    Raises
    ------
    FileError
        If the folder is missing or holds nothing that can be read.
    FormatError
        If the table's columns or cells do not fit.
    UserError
        If a family is unknown, or none is possible; the message says why.
    """
    for name in families:
        if name not in LOCAL_FAMILIES:
            raise UserError(
                f"There is no family {name!r}.{nearest(name, LOCAL_FAMILIES)} There are: "
                f"{', '.join(LOCAL_FAMILIES)}."
            )
    if not folder.is_dir():
        raise FileError(folder, "there is no such folder", "Check --data")
    if (folder / "antiphon.toml").is_file() and labels is None:
        clips, segments, notes = read_project(folder)
    elif labels is not None or (table := find_table(folder)) is not None:
        clips, segments, notes = read_label_table(folder, labels or table or folder)
    else:
        clips, segments, notes = read_class_folders(folder), [], []
    clips, segments = ([named_recording(i, folder) for i in items] for items in (clips, segments))
    found, left_out = _sets(
        folder.resolve().name, clips, segments, notes, families, window_s, shift_s
    )
    if each_individual:
        found = [part for one in found for part in _by_individual(one)]
    if not found:
        raise UserError(f"{folder} cannot be judged: {'; '.join(left_out)}.")
    return found, left_out


def _by_individual(one: LocalSet) -> list[LocalSet]:
    """Divide a repertoire by individuals; other families stay whole."""
    names = sorted({item.individual for item in one.labelled.items if item.individual})
    if one.family != "repertoire" or not names:
        return [one]
    found = []
    for name in names:
        items = tuple(item for item in one.labelled.items if item.individual == name)
        labelled = Labelled(items, class_names(items), one.labelled.notes)
        found.append(replace(one, name=f"{one.name}-{name}", labelled=labelled))
    return found


def _sets(
    name: str,
    clips: list[Item],
    segments: list[Item],
    notes: list[str],
    families: Sequence[str],
    window_s: float,
    shift_s: float,
) -> tuple[list[LocalSet], list[str]]:
    wanted = families or LOCAL_FAMILIES
    found: list[LocalSet] = []
    left_out: list[str] = []
    for family in LOCAL_FAMILIES:
        if family not in wanted:
            continue
        items, why = _items_of(family, clips, segments, explicit=bool(families))
        if not items:
            left_out.append(f"{name} as {family}: {why}")
            continue
        several = family == "classification" and any(len(i.labels) > 1 for i in items)
        timed = family == "detection"
        labelled = Labelled(tuple(items), class_names(items), tuple(notes))
        found.append(
            LocalSet(
                name,
                family,
                labelled,
                multilabel=several or timed,
                window_s=window_s if timed else None,
                shift_s=shift_s if timed else None,
            )
        )
    return found, left_out


def _items_of(
    family: Family, clips: list[Item], segments: list[Item], *, explicit: bool
) -> tuple[list[Item], str]:
    """Return the items of a family, or none and the reason."""
    every = segments or clips
    groups = {item.group for item in every}
    classes = {label for item in every for label in item.labels}
    if family == "individual":
        named = [replace(i, labels=(i.individual,)) for i in every if i.individual]
        if len({i.individual for i in named}) < 2:
            return [], "no column names at least two individuals"
        return named, ""
    if family == "detection":
        if not segments:
            return [], "its table has no start and end"
        return _recordings(segments), ""
    if len(classes) < 2:
        return [], f"it has {len(classes)} class" + ("" if len(classes) == 1 else "es")
    if family == "repertoire":
        if not segments and not explicit:
            return [], "its table has no start and end (ask for it with --family repertoire)"
        single = [i for i in every if len(i.labels) == 1]
        return single, "" if single else "no item has a single label"
    if len(groups) < 2:
        return [], "all of it is one recording, so nothing could be judged on an unseen one"
    return every, ""


def _recordings(segments: Sequence[Item]) -> list[Item]:
    """Turn labelled segments into recordings with events."""
    by_file: dict[Path, list[Item]] = defaultdict(list)
    for item in segments:
        by_file[item.path].append(item)
    found = []
    for path, mine in sorted(by_file.items()):
        events = tuple(
            Event(i.start_s, i.end_s, label)
            for i in mine
            if i.end_s is not None
            for label in i.labels
        )
        first = mine[0]
        labels = tuple(sorted({event.label for event in events}))
        found.append(
            replace(first, path=path, labels=labels, start_s=0.0, end_s=None, events=events)
        )
    return found

"""The truth of windows: which classes are present, several in one window."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from antiphon.errors import FormatError
from antiphon.evaluation.blending.files.rows import file_stem, first_few, parse_seconds, row_id
from antiphon.evaluation.blending.files.tables import read_table

_COLUMNS = ("filename", "start", "end", "primary_label")


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """Labelled windows, ordered by file and time.

    Parameters
    ----------
    path
        The file they are from.
    rows
        Window names, ``<file stem>_<end second>``.
    files
        File stem of each window.
    start_s, end_s
        Of each window, in seconds.
    labels
        Classes present in each window; an empty set is a window in which nothing was heard, a
        real negative of all classes.
    merged
        Rows of the file that repeated a window and were merged into it by union.
    """

    path: Path
    rows: tuple[str, ...]
    files: tuple[str, ...]
    start_s: tuple[float, ...]
    end_s: tuple[float, ...]
    labels: tuple[frozenset[str], ...]
    merged: int

    @property
    def classes(self) -> tuple[str, ...]:
        """Classes that are present somewhere, sorted."""
        return tuple(sorted(frozenset().union(*self.labels)))


def read_truth(path: Path | str, *, nothing: Collection[str] = ("", "nocall")) -> Truth:
    """Read window-level labels.

    Parameters
    ----------
    path
        ``.csv``, ``.csv.gz`` or ``.parquet`` with the columns ``filename`` (its folder and audio
        suffix do not count), ``start`` and ``end`` (seconds, or ``hh:mm:ss``), and
        ``primary_label`` (classes joined by ``;``). Rows of the same window are merged by union.
    nothing
        Labels that say that no class is present.

    Raises
    ------
    FormatError
        If it cannot be read, lacks a column, a time is no time, a window does not end after its
        start, or two windows of a file end at the same second but start at different ones.
    """
    path = Path(path)
    table = read_table(path, all_text=True)
    missing = [name for name in _COLUMNS if table.column_names.count(name) != 1]
    if missing:
        raise FormatError(
            path,
            f"columns missing or doubled: {', '.join(missing)}",
            "A truth file has filename, start, end, primary_label",
        )
    columns = [table.column(name).to_pylist() for name in _COLUMNS]
    found: dict[tuple[str, float], tuple[float, set[str]]] = {}
    bad_names, bad_times, clashes = [], [], []
    merged = 0
    for number, (name, start, end, label) in enumerate(zip(*columns, strict=True), start=1):
        stem = file_stem(name or "")
        if not stem:
            bad_names.append(f"row {number}")
            continue
        start_s, end_s = parse_seconds(start or ""), parse_seconds(end or "")
        if start_s is None or end_s is None or end_s <= start_s:
            bad_times.append(f"row {number} ({stem}: {start!r} to {end!r})")
            continue
        present = {part.strip() for part in (label or "").split(";")} - set(nothing)
        if (stem, end_s) not in found:
            found[stem, end_s] = (start_s, present)
        elif found[stem, end_s][0] != start_s:
            clashes.append(f"{row_id(stem, end_s)} (row {number})")
        else:
            merged += 1
            found[stem, end_s][1].update(present)
    for problem, names in (
        ("rows without a file name", bad_names),
        ("windows without a start and a later end", bad_times),
        ("windows end where another one of the file ends, but start elsewhere", clashes),
    ):
        if names:
            raise FormatError(path, f"{len(names)} {problem}: {first_few(names)}")
    if not found:
        raise FormatError(path, "there is no labelled window")
    keys = sorted(found)
    return Truth(
        path=path,
        rows=tuple(row_id(*key) for key in keys),
        files=tuple(stem for stem, _ in keys),
        start_s=tuple(found[key][0] for key in keys),
        end_s=tuple(end for _, end in keys),
        labels=tuple(frozenset(found[key][1]) for key in keys),
        merged=merged,
    )

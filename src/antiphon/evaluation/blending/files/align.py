"""Score files and truth brought to one order of rows and classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np

from antiphon.errors import FileError, FormatError, UserError
from antiphon.evaluation.blending.files.rows import counted, first_few, split_row_id
from antiphon.evaluation.blending.files.sites import site_and_hour
from antiphon.evaluation.blending.problem import Problem

if TYPE_CHECKING:
    from antiphon.evaluation.blending.files.submission import ScoreFile
    from antiphon.evaluation.blending.files.truth import Truth

Unlisted = Literal["error", "negative", "leave-out"]


def align(
    files: Sequence[ScoreFile],
    truth: Truth,
    *,
    unlisted: Unlisted = "error",
    site_pattern: str | None = None,
) -> Problem:
    """Return the models and the truth on one set of windows.

    The order of rows and classes in the files does not matter. Every score file must have the
    same rows and classes as the first; every window of the truth must have been scored, and every
    class of the truth must be a column. Windows that the truth lists without a label are real
    negatives. Nothing is ever filled in.

    Parameters
    ----------
    files
        At least one score file.
    truth
        Labelled windows.
    unlisted
        What becomes of scored windows that the truth does not list, since a truth file may leave
        out windows because nothing was heard or because nobody listened. ``"error"``: they are
        an error that names them. ``"negative"``: they have no class, if the truth lists another
        window of the same file; windows of files that it never mentions remain an error.
        ``"leave-out"``: they are not scored. The number of them is kept in the problem.
    site_pattern
        Regular expression for site and time in file names; see
        :func:`antiphon.evaluation.blending.files.sites.site_and_hour`.

    Raises
    ------
    FileError
        If rows or classes are missing or unknown: the first few are named, with their number.
    UserError
        If there is no score file, or two have the same name.
    """
    if not files:
        raise UserError("There is no score file to align.")
    names = [file.name for file in files]
    same = sorted({name for name in names if names.count(name) > 1})
    if same:
        raise UserError(f"Several score files have the name {first_few(same)}; name them apart.")
    first = files[0]
    for other in files[1:]:
        _same(first, other, "rows", first.rows, other.rows)
        _same(first, other, "classes", first.classes, other.classes)
    _has(first, truth, "classes", truth.classes, first.classes)
    _has(first, truth, "windows", truth.rows, first.rows)
    chosen, left_out = _windows(first, truth, unlisted)
    stems = [stem for stem, _, _ in chosen]
    rows = tuple(row for _, _, row in chosen)
    labels = dict(zip(truth.rows, truth.labels, strict=True))
    column = {name: c for c, name in enumerate(first.classes)}
    present = np.zeros((len(rows), len(column)), dtype=bool)
    for r, row in enumerate(rows):
        present[r, [column[name] for name in labels.get(row, ())]] = True
    kept = tuple(dict.fromkeys(stems))
    number = {stem: i for i, stem in enumerate(kept)}
    facts = [site_and_hour(stem, site_pattern) for stem in kept]
    return Problem(
        models=tuple(names),
        scores=np.stack([_ordered(file, rows, first.classes) for file in files]),
        truth=present,
        rows=rows,
        classes=first.classes,
        file=np.array([number[stem] for stem in stems], dtype=np.int64),
        files=kept,
        site=tuple(s for s, _ in facts) if any(s is not None for s, _ in facts) else None,
        hour=tuple(h for _, h in facts) if any(h is not None for _, h in facts) else None,
        merged=truth.merged,
        unlisted=sum(row not in labels for row in rows),
        left_out=left_out,
    )


def _same(
    first: ScoreFile, other: ScoreFile, what: str, wanted: Sequence[str], got: Sequence[str]
) -> None:
    there, here = set(wanted), set(got)
    missing = [name for name in wanted if name not in here]
    extra = [name for name in got if name not in there]
    odd = [
        f"{counted(len(names), what)} {problem}: {first_few(names)}"
        for names, problem in ((missing, "missing"), (extra, "unknown"))
        if names
    ]
    if odd:
        raise FileError(
            other.path,
            f"compared with {first.path.name}, {'; '.join(odd)}",
            "All score files must have the same rows and classes",
        )


def _has(
    file: ScoreFile, truth: Truth, what: str, wanted: Sequence[str], got: Sequence[str]
) -> None:
    here = set(got)
    missing = [name for name in wanted if name not in here]
    if missing:
        raise FileError(
            file.path,
            f"{counted(len(missing), what)} of the truth {truth.path.name} without scores: "
            f"{first_few(missing)}",
            "Score them, or take them out of the truth",
        )


def _windows(
    file: ScoreFile, truth: Truth, unlisted: Unlisted
) -> tuple[list[tuple[str, float, str]], int]:
    """Return (stem, end, row) of the windows to score in order, and how many are left out."""
    listed, stems = set(truth.rows), set(truth.files)
    chosen, odd = [], []
    left_out = 0
    for row in file.rows:
        parts = split_row_id(row)
        if parts is None:
            raise FormatError(file.path, f"row {row!r} is not <file stem>_<end second>")
        if row in listed or (unlisted == "negative" and parts[0] in stems):
            chosen.append((*parts, row))
        elif unlisted == "leave-out":
            left_out += 1
        else:
            odd.append(row)
    if odd:
        advice = (
            "The truth has no window of these files: score the files it has, or leave them out"
            if unlisted == "negative"
            else "Say what they are: --unlisted negative (nothing was heard there) or leave-out "
            "(nobody listened)"
        )
        raise FileError(
            file.path,
            f"{counted(len(odd), 'rows')} without a window in the truth {truth.path.name}: "
            f"{first_few(odd)}",
            advice,
        )
    return sorted(chosen), left_out


def _ordered(
    file: ScoreFile, rows: Sequence[str], classes: Sequence[str]
) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    row = {name: i for i, name in enumerate(file.rows)}
    column = {name: i for i, name in enumerate(file.classes)}
    chosen = file.score[[row[name] for name in rows]]
    ordered: np.ndarray[tuple[int, int], np.dtype[np.float64]] = chosen[
        :, [column[name] for name in classes]
    ]
    return ordered

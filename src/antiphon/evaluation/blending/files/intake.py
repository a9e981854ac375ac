"""Score files and truth, parted into windows that judge and windows without truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from antiphon.errors import UserError
from antiphon.evaluation.blending.files.align import Unlisted, align
from antiphon.evaluation.blending.files.rows import split_row_id
from antiphon.evaluation.blending.files.sites import site_and_hour
from antiphon.evaluation.blending.files.submission import ScoreFile
from antiphon.evaluation.blending.files.truth import Truth
from antiphon.evaluation.blending.problem import Problem

Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Windows:
    """All windows that every model scored, with and without truth, by recording and time.

    Parameters
    ----------
    models, classes, rows
        Names.
    scores
        ``(m, N, C)``.
    file
        ``(N,)`` index into ``files``.
    files, sites, hours
        Of the recordings; sites and hours None where their names have none.
    judged
        ``(n_files,)``, whether the truth has windows of it.
    left_out
        Windows without truth that some model did not score.
    """

    models: tuple[str, ...]
    classes: tuple[str, ...]
    rows: tuple[str, ...]
    scores: Float64
    file: npt.NDArray[np.int64]
    files: tuple[str, ...]
    sites: tuple[str | None, ...]
    hours: tuple[int | None, ...]
    judged: npt.NDArray[np.bool_]
    left_out: int

    @property
    def n_unlabelled(self) -> int:
        """Recordings without truth."""
        return int((~self.judged).sum())


def take_in(
    files: Sequence[ScoreFile],
    truth: Truth,
    *,
    unlisted: Unlisted = "error",
    site_pattern: str | None = None,
) -> tuple[Problem, Windows]:
    """Return the windows that judge as a problem, and all windows.

    Scored recordings that the truth does not mention at all are no error: they are what a
    submission has besides, and serve to test where a model's confidence comes from. For the others
    the rules of :func:`~antiphon.evaluation.blending.files.align.align` hold.

    Raises
    ------
    FileError
        As :func:`~antiphon.evaluation.blending.files.align.align` does.
    UserError
        If there is no score file.
    """
    if not files:
        raise UserError("There is no score file to evaluate.")
    known = set(truth.files)
    problem = align(
        [_only(file, known) for file in files],
        truth,
        unlisted=unlisted,
        site_pattern=site_pattern,
    )
    shared = set(files[0].rows).intersection(*(file.rows for file in files[1:]))
    every = set().union(*(file.rows for file in files))
    keys = sorted((parts, row) for row in shared if (parts := split_row_id(row)) is not None)
    rows = tuple(row for _, row in keys)
    names = tuple(dict.fromkeys(stem for (stem, _), _ in keys))
    number = {stem: i for i, stem in enumerate(names)}
    facts = [site_and_hour(stem, site_pattern) for stem in names]
    windows = Windows(
        models=problem.models,
        classes=problem.classes,
        rows=rows,
        scores=np.stack([_ordered(file, rows, problem.classes) for file in files]),
        file=np.array([number[stem] for (stem, _), _ in keys], dtype=np.int64),
        files=names,
        sites=tuple(site for site, _ in facts),
        hours=tuple(hour for _, hour in facts),
        judged=np.array([stem in known for stem in names]),
        left_out=len(every - shared),
    )
    return problem, windows


def _only(file: ScoreFile, stems: set[str]) -> ScoreFile:
    """Return the rows of some recordings; what is no row name stays, to be named as an error."""
    keep = [
        i
        for i, row in enumerate(file.rows)
        if (parts := split_row_id(row)) is None or parts[0] in stems
    ]
    if len(keep) == len(file.rows):
        return file
    return replace(file, rows=tuple(file.rows[i] for i in keep), score=file.score[keep])


def _ordered(file: ScoreFile, rows: Sequence[str], classes: Sequence[str]) -> Float64:
    row = {name: i for i, name in enumerate(file.rows)}
    column = {name: i for i, name in enumerate(file.classes)}
    chosen = file.score[[row[name] for name in rows]]
    return np.asarray(chosen[:, [column[name] for name in classes]])

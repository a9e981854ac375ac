"""Models, truth, files and sites on one set of rows and classes, ready to be blended and scored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from antiphon.errors import UserError

Bool = npt.NDArray[np.bool_]
Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """Score matrices of several models aligned with the truth.

    Made by :func:`antiphon.evaluation.blending.files.submission.align`; rows of one file are next
    to each other, in order of time.

    Parameters
    ----------
    models
        Names of the m models.
    scores
        ``(m, n, C)``, finite.
    truth
        ``(n, C)``, True where the class is present.
    rows
        ``row_id`` of the n windows.
    classes
        Names of all C classes of the submission, scored or not.
    file
        ``(n,)`` index into ``files``.
    files
        File stems.
    site
        Site of each file, None where its name has none; None if no name has one.
    hour
        Hour of the day (0 to 23, by the clock of the file name) of each file, likewise.
    merged
        Doubled rows of the truth that were merged by union.
    unlisted
        Scored windows without a row in the truth that were taken for negatives.
    left_out
        Scored windows without a row in the truth that were left out.

    Raises
    ------
    UserError
        If the shapes do not fit or a score is not finite.
    """

    models: tuple[str, ...]
    scores: Float64
    truth: Bool
    rows: tuple[str, ...]
    classes: tuple[str, ...]
    file: Int64
    files: tuple[str, ...]
    site: tuple[str | None, ...] | None = None
    hour: tuple[int | None, ...] | None = None
    merged: int = 0
    unlisted: int = 0
    left_out: int = 0

    def __post_init__(self) -> None:
        n, classes = len(self.rows), len(self.classes)
        if self.scores.shape != (len(self.models), n, classes):
            raise UserError(
                f"Scores must be (models, rows, classes) = {(len(self.models), n, classes)}, "
                f"but are {self.scores.shape}."
            )
        if self.truth.shape != (n, classes) or self.truth.dtype != np.bool_:
            raise UserError(
                f"The truth must be bool of shape {(n, classes)}, but is {self.truth.dtype} of "
                f"shape {self.truth.shape}."
            )
        if self.file.shape != (n,) or (n and not 0 <= self.file.min() <= self.file.max()):
            raise UserError(f"There must be one file index for each of the {n} rows.")
        if n and self.file.max() >= len(self.files):
            raise UserError(f"A row belongs to file {self.file.max()} of {len(self.files)}.")
        for name, values in (("site", self.site), ("hour", self.hour)):
            if values is not None and len(values) != len(self.files):
                raise UserError(f"There must be one {name} (or None) for each file.")
        odd = ~np.isfinite(self.scores)
        if odd.any():
            model, row, column = np.argwhere(odd)[0]
            raise UserError(
                f"The score of model {self.models[model]} at row {self.rows[row]}, class "
                f"{self.classes[column]} is {self.scores[model, row, column]}; "
                f"{int(odd.sum())} such in all."
            )

    @property
    def positives(self) -> Int64:
        """Windows with each class, ``(C,)``."""
        return np.asarray(self.truth.sum(axis=0), dtype=np.int64)

    @property
    def positive_files(self) -> Int64:
        """Files with each class, ``(C,)``."""
        seen = np.zeros((len(self.files), len(self.classes)), dtype=bool)
        np.logical_or.at(seen, self.file, self.truth)
        return np.asarray(seen.sum(axis=0), dtype=np.int64)

    @property
    def scored(self) -> Bool:
        """Whether each class counts, ``(C,)``: it has a positive and a negative window."""
        positives = self.positives
        return np.asarray((positives > 0) & (positives < len(self.rows)))

    @property
    def without_positives(self) -> tuple[str, ...]:
        """Classes that the truth never has: kept as columns, not scored."""
        return tuple(c for c, k in zip(self.classes, self.positives, strict=True) if k == 0)

    @property
    def without_negatives(self) -> tuple[str, ...]:
        """Classes that every window has: they have no ROC curve and are not scored."""
        n = len(self.rows)
        return tuple(c for c, k in zip(self.classes, self.positives, strict=True) if 0 < k == n)

    @property
    def site_of_rows(self) -> npt.NDArray[np.object_] | None:
        """Site of each row, ``(n,)``, None where not known; None if no file has a site."""
        if self.site is None:
            return None
        return np.asarray(np.array(self.site, dtype=object)[self.file])

    def model(self, name: str) -> int:
        """Return the index of a model.

        Raises
        ------
        UserError
            If there is none of that name.
        """
        if name not in self.models:
            raise UserError(f"There is no model {name!r}; there are {', '.join(self.models)}.")
        return self.models.index(name)

    def with_models(self, names: Sequence[str]) -> Problem:
        """Return the problem with some of the models, in the order given."""
        index = [self.model(name) for name in names]
        return replace(self, models=tuple(names), scores=self.scores[index])

    def with_files(self, keep: npt.ArrayLike) -> Problem:
        """Return the problem on some files.

        Parameters
        ----------
        keep
            ``(F,)`` bool, or indices of the files to keep.
        """
        chosen = np.zeros(len(self.files), dtype=bool)
        chosen[np.asarray(keep)] = True
        number = np.cumsum(chosen) - 1
        rows = chosen[self.file]
        kept = np.flatnonzero(chosen)
        return replace(
            self,
            scores=self.scores[:, rows],
            truth=self.truth[rows],
            rows=tuple(self.rows[i] for i in np.flatnonzero(rows)),
            file=number[self.file[rows]],
            files=tuple(self.files[i] for i in kept),
            site=None if self.site is None else tuple(self.site[i] for i in kept),
            hour=None if self.hour is None else tuple(self.hour[i] for i in kept),
            merged=0,
            unlisted=0,
            left_out=0,
        )

    def notes(self) -> list[str]:
        """Return what a reader must know of how rows and classes were treated, in sentences."""
        out = []
        if self.merged:
            out.append(f"{self.merged} doubled rows of the truth were merged by union.")
        if self.unlisted:
            out.append(f"{self.unlisted} windows without a row in the truth count as negatives.")
        if self.left_out:
            out.append(f"{self.left_out} scored windows without a row in the truth are left out.")
        if self.without_positives:
            out.append(
                f"{len(self.without_positives)} of {len(self.classes)} classes have no positive "
                "window and are not scored."
            )
        if self.without_negatives:
            out.append(
                "Not scored, as every window has them: " + ", ".join(self.without_negatives) + "."
            )
        return out

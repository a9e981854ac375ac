"""Classes of the output, and those of each member brought to them by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from antiphon.encoders.checking import nearest
from antiphon.errors import FormatError, UserError
from antiphon.evaluation.blending.files.rows import counted, first_few
from antiphon.evaluation.blending.files.tables import read_table
from antiphon.evaluation.blending.files.taxonomy import read_taxonomy, taxon_of
from antiphon.soundscape.ensemble.config import EnsembleConfig

Floats = npt.NDArray[np.floating]
Bool = npt.NDArray[np.bool_]

_ROW, _LABEL = "row_id", "primary_label"
_FROM, _TO = "member_class", "class"


@dataclass(frozen=True, slots=True, eq=False)
class ClassAlignment:
    """Where the classes of a member go.

    Parameters
    ----------
    member
        Its name.
    n_member
        Classes that it scores.
    classes
        Of the output.
    sources
        Indices of the member's classes for each class of the output; empty where it knows none.
    unused
        Classes of the member that the output does not have.
    """

    member: str
    n_member: int
    classes: tuple[str, ...]
    sources: tuple[tuple[int, ...], ...]
    unused: tuple[str, ...]

    @property
    def known(self) -> Bool:
        """Which classes of the output the member scores, ``(C,)``."""
        return np.array([bool(found) for found in self.sources], dtype=np.bool_)

    @property
    def unknown(self) -> tuple[str, ...]:
        """Classes of the output that the member does not know."""
        return tuple(c for c, found in zip(self.classes, self.sources, strict=True) if not found)

    def apply(self, scores: npt.ArrayLike) -> Floats:
        """Return the member's scores in the order of the output.

        Parameters
        ----------
        scores
            ``(n, n_member)``.

        Returns
        -------
        ndarray
            ``(n, C)``, float32 unless the scores are finer: the highest score where several
            classes of the member are one of the output, NaN where it does not know the class.

        Raises
        ------
        UserError
            If the shape is another.
        """
        values = np.asarray(scores)
        values = values.astype(np.result_type(values.dtype, np.float32), copy=False)
        if values.ndim != 2 or values.shape[1] != self.n_member:
            raise UserError(
                f"Scores of member {self.member!r} must be (windows, {self.n_member}), but have "
                f"shape {values.shape}."
            )
        out = np.full((len(values), len(self.classes)), np.nan, dtype=values.dtype)
        single = [c for c, found in enumerate(self.sources) if len(found) == 1]
        out[:, single] = values[:, [self.sources[c][0] for c in single]]
        for c, found in enumerate(self.sources):
            if len(found) > 1:
                out[:, c] = values[:, list(found)].max(axis=1)
        return out


def align_classes(
    member: str,
    member_classes: Sequence[str],
    classes: Sequence[str],
    class_map: Mapping[str, str] | None = None,
) -> ClassAlignment:
    """Return where the classes of a member go: to those of the same name, or as the map says.

    Parameters
    ----------
    member
        Its name.
    member_classes
        In the order of its scores.
    classes
        Of the output.
    class_map
        Class of the output for classes of the member; an empty name leaves one out. Classes that
        are not in it go by their name. Several may go to one class.

    Raises
    ------
    UserError
        If the member has a class twice, the map names a class that is not there, or no class of
        the member is in the output.
    """
    if doubled := sorted({name for name in member_classes if member_classes.count(name) > 1}):
        raise UserError(f"Member {member!r} has classes twice: {first_few(doubled)}.")
    column = {name: c for c, name in enumerate(classes)}
    given = dict(class_map or {})
    _check_map(member, given, member_classes, classes)
    found: list[list[int]] = [[] for _ in classes]
    unused = []
    for k, name in enumerate(member_classes):
        goal = given.get(name, name)
        if goal in column:
            found[column[goal]].append(k)
        else:
            unused.append(name)
    if not any(found):
        raise UserError(
            f"None of the {counted(len(member_classes), 'classes')} of member {member!r} "
            f"({first_few(member_classes)}) is one of the ensemble ({first_few(classes)}). "
            "Give it a class_map: a table with member_class and class."
        )
    return ClassAlignment(
        member,
        len(member_classes),
        tuple(classes),
        tuple(tuple(indices) for indices in found),
        tuple(unused),
    )


def _check_map(
    member: str, given: Mapping[str, str], member_classes: Sequence[str], classes: Sequence[str]
) -> None:
    for names, known, whose in (
        (given, member_classes, f"member {member!r}"),
        ([goal for goal in given.values() if goal], classes, "the ensemble"),
    ):
        there = set(known)
        if odd := [name for name in names if name not in there]:
            raise UserError(
                f"The class map of member {member!r} names {counted(len(odd), 'classes')} that "
                f"{whose} does not have: {first_few(odd)}.{nearest(odd[0], known)}"
            )


def read_class_map(path: Path | str) -> dict[str, str]:
    """Read a class map.

    Parameters
    ----------
    path
        A table (``.csv``, ``.csv.gz``, ``.parquet``) with ``member_class`` and ``class``; an
        empty ``class`` leaves the member's class out.

    Raises
    ------
    FormatError
        If it cannot be read, lacks a column, or gives a class two goals.
    """
    path = Path(path)
    table = read_table(path, all_text=True)
    if lacking := [name for name in (_FROM, _TO) if table.column_names.count(name) != 1]:
        raise FormatError(
            path,
            f"columns missing or doubled: {', '.join(lacking)}",
            f"A class map has {_FROM} and {_TO}",
        )
    found: dict[str, str] = {}
    names, goals = (table.column(name).to_pylist() for name in (_FROM, _TO))
    for name, goal in zip(names, goals, strict=True):
        if found.setdefault(name or "", goal or "") != (goal or ""):
            raise FormatError(path, f"class {name} goes to two: {found[name]} and {goal}")
    return found


def read_classes(path: Path | str) -> tuple[str, ...]:
    """Read the classes of the output, in order.

    Parameters
    ----------
    path
        A sample submission (``row_id`` and a column for each class), a table with
        ``primary_label`` (repeats count once, in the order of the file), or a text file with a
        name a line (``#`` starts a comment).

    Raises
    ------
    FormatError
        If it cannot be read, has neither column, or names no class or one twice.
    """
    path = Path(path)
    if not path.name.lower().endswith((".csv", ".csv.gz", ".parquet")):
        names = _lines(path)
    else:
        table = read_table(path, all_text=True)
        if _ROW in table.column_names:
            names = [name for name in table.column_names if name != _ROW]
        elif _LABEL in table.column_names:
            names = list(dict.fromkeys(table.column(_LABEL).to_pylist()))
        else:
            raise FormatError(
                path,
                f"there is no column {_ROW} or {_LABEL}, only {first_few(table.column_names)}",
                "Give a sample submission, a taxonomy, or a text file with a class a line",
            )
    if doubled := sorted({name for name in names if names.count(name) > 1}):
        raise FormatError(path, f"{counted(len(doubled), 'classes')} doubled: {first_few(doubled)}")
    if not names or "" in names:
        raise FormatError(path, "it names no class" if not names else "a class has no name")
    return tuple(names)


def classes_of(config: EnsembleConfig) -> tuple[str, ...]:
    """Return the classes of the output, read from their file if they are in one."""
    return config.classes if isinstance(config.classes, tuple) else read_classes(config.classes)


def taxa_of(config: EnsembleConfig, classes: Sequence[str]) -> tuple[str, ...] | None:
    """Return the taxon of each class, None without a taxonomy.

    Raises
    ------
    FileError
        If the taxonomy cannot be read.
    UserError
        If a class has no taxon, or a step names one that no class has.
    """
    if config.taxonomy is None:
        return None
    taxa = taxon_of(classes, read_taxonomy(config.taxonomy))
    for step in config.steps:
        if odd := [name for name in step.taxa if name not in taxa]:
            known = sorted(set(taxa))
            raise UserError(
                f"The step {step} names {first_few(odd)}, but the taxa are {', '.join(known)}."
                + nearest(odd[0], known)
            )
    return taxa


def _lines(path: Path) -> list[str]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise FormatError(path, "there is no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise FormatError(path, f"it cannot be read: {error}") from None
    lines = (line.partition("#")[0].strip() for line in text.splitlines())
    return [line for line in lines if line]

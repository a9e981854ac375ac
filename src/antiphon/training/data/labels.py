"""The labels of many sources brought to one list of classes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from antiphon.errors import UserError
from antiphon.labels.formats.cells import split_labels
from antiphon.labels.formats.table import read_delimited
from antiphon.labels.labelset import KINDS, Label, LabelSet

_COLUMNS = ("name", "scientificname", "commonname", "synonyms", "kind", "rank")


@dataclass(frozen=True, slots=True)
class SourceLabels:
    """What one source calls its labels.

    Parameters
    ----------
    source
        Its name, for messages.
    labels
        What is known of each; just the name where the source has no label set.
    rename
        Its names to be read as others; None for a name that is no class.
    """

    source: str
    labels: tuple[Label, ...]
    rename: dict[str, str | None]


@dataclass(frozen=True, slots=True)
class Classes:
    """The classes of all sources together.

    Parameters
    ----------
    label_set
        One label for each class, in the order of the columns of targets.
    columns
        For each source ``(labels,)`` int32: the class of each of its labels, -1 for none.
    """

    label_set: LabelSet
    columns: tuple[npt.NDArray[np.int32], ...]


def read_taxonomy(path: Path) -> LabelSet:
    """Read a table of names.

    Parameters
    ----------
    path
        CSV or TSV with a column ``name`` and any of ``scientific_name``, ``common_name``,
        ``synonyms`` (joined by ";"), ``kind`` and ``rank``.

    Raises
    ------
    FormatError
        There is no column ``name``, or a kind is unknown.
    UserError
        A name stands for two labels.
    """
    table = read_delimited(path, frozenset(_COLUMNS).__contains__)
    if table.find("name") is None:
        raise table.error(f"there is no column 'name'; {table.listing()}")
    texts = [table.optional_text(table.find(column)) for column in _COLUMNS]
    labels = []
    for row, (name, scientific, common, synonyms, kind, rank) in enumerate(
        zip(*texts, strict=True)
    ):
        chosen = (kind or "species").casefold()
        if chosen not in KINDS or not name:
            what = (
                f"the kind {kind!r} is none of {', '.join(KINDS)}"
                if name
                else "the name is missing"
            )
            raise table.error(f"row {table.rows[row]}: {what}")
        others = tuple(split_labels(synonyms or ""))
        labels.append(Label(name, chosen, scientific, common, rank, others))  # type: ignore[arg-type]
    return LabelSet(labels)


def unify(
    sources: Sequence[SourceLabels], taxonomy: LabelSet | None = None, *, closed: bool = False
) -> Classes:
    """Bring the labels of all sources to one list of classes.

    Each label is looked up among the classes so far by its name, then by its synonyms, then, if
    it is a species, by its scientific and common names; what is found nowhere becomes a new
    class. A class learns the names that other sources have for it. With a taxonomy its labels
    come first; those that no source uses are no class unless ``closed``.

    Parameters
    ----------
    sources
        In the order of the settings, which decides the order of the classes.
    taxonomy
        Names to look up in.
    closed
        Whether the classes are exactly those of the taxonomy.

    Raises
    ------
    UserError
        A label fits two classes, or is called like a class of another scientific name, or is not
        in a closed taxonomy; the message names source and labels.
    """
    book = _Book(() if taxonomy is None else taxonomy)
    given = len(book.labels)
    found: list[list[int]] = []
    for source in sources:
        mine: list[int] = []
        for label in source.labels:
            wanted = source.rename.get(label.name, label.name)
            if wanted is None:
                mine.append(-1)
                continue
            if wanted != label.name:
                label = Label(wanted, label.kind)
            at = book.find(label, source.source)
            if at is not None:
                book.learn(at, label, source.source)
            elif closed:
                near = LabelSet(book.labels).suggest(label.name)
                hint = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
                raise UserError(
                    f"Source {source.source!r}: label {label.name!r} is not in the taxonomy, "
                    f"which is closed.{hint} Add it there, or rename it in the source."
                )
            else:
                at = book.add(label)
            mine.append(at)
        found.append(mine)
    used = {at for mine in found for at in mine if at >= 0}
    kept = [at for at in range(len(book.labels)) if at in used or (closed and at < given)]
    column = {at: number for number, at in enumerate(kept)} | {-1: -1}
    return Classes(
        LabelSet(book.labels[at] for at in kept),
        tuple(np.array([column[at] for at in mine], np.int32) for mine in found),
    )


class _Book:
    """Labels that grow, found by any of their names without a pass over all of them."""

    def __init__(self, labels: Iterable[Label]) -> None:
        self.labels: list[Label] = []
        self._names: dict[str, int] = {}
        self._others: dict[str, set[int]] = {}
        for label in labels:
            self.add(label)

    def add(self, label: Label) -> int:
        at = len(self.labels)
        self.labels.append(label)
        self._names[_fold(label.name)] = at
        self._index(at)
        return at

    def _index(self, at: int) -> None:
        label = self.labels[at]
        others = {*map(_fold, label.synonyms), *_parts(label.name)}
        for synonym in label.synonyms:
            others |= _parts(synonym)
        if label.kind == "species":
            # Call types and individuals share the names of their taxon with other labels.
            others |= {_fold(n) for n in (label.scientific_name, label.common_name) if n}
        for name in others:
            self._others.setdefault(name, set()).add(at)

    def _named(self, name: str) -> set[int]:
        folded = _fold(name)
        if folded in self._names:
            return {self._names[folded]}
        return self._others.get(folded, set())

    def find(self, label: Label, source: str) -> int | None:
        """Return the class of a label, None for a new one.

        Raises
        ------
        UserError
            If it fits several.
        """
        names = [label.name, *label.synonyms]
        for name in (label.name, *label.synonyms):
            names += sorted(_parts(name))
        if label.kind == "species":
            names += [name for name in (label.scientific_name, label.common_name) if name]
        hits = {at for name in names for at in self._named(name)}
        if len(hits) > 1:
            listed = " and ".join(repr(self.labels[at].name) for at in sorted(hits))
            raise UserError(
                f"Source {source!r}: label {label.name!r} fits several classes, {listed}. Join "
                "them in a taxonomy, or rename the label in the source."
            )
        return hits.pop() if hits else None

    def learn(self, at: int, label: Label, source: str) -> None:
        """Add what another source knows of a class."""
        mine = self.labels[at]
        if label == mine:
            return
        theirs, ours = label.scientific_name, mine.scientific_name
        if theirs and ours and _fold(theirs) != _fold(ours) and _fold(theirs) not in self._others:
            raise UserError(
                f"Source {source!r}: label {label.name!r} is {theirs}, but the class "
                f"{mine.name!r} of another source is {ours}. Rename one of them in its source, or "
                "list the other scientific name as a synonym in a taxonomy."
            )
        known = {_fold(mine.name), *map(_fold, mine.synonyms)}
        new = [
            n
            for n in dict.fromkeys((label.name, *label.synonyms))
            if _fold(n) not in known
            and _fold(n) not in map(_fold, filter(None, (ours, mine.common_name)))
        ]
        if not new and (ours or not theirs) and (mine.common_name or not label.common_name):
            return
        self.labels[at] = replace(
            mine,
            scientific_name=ours or theirs,
            common_name=mine.common_name or label.common_name,
            rank=mine.rank or label.rank,
            synonyms=(*mine.synonyms, *new),
        )
        self._index(at)


def _fold(name: str) -> str:
    return " ".join(name.split()).casefold()


def _parts(name: str) -> set[str]:
    """Return both names in ``Scientific_Common``: two or more words before the only "_"."""
    scientific, _, common = name.partition("_")
    if " " not in scientific.strip() or not common.strip() or "_" in common:
        return set()
    return {_fold(scientific), _fold(common)}

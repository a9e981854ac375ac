"""Columns of a metadata table that tell the labels, found by their name and by their content."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Int64 = npt.NDArray[np.int64]

# Words in a column's title that name what the labels say.
_WORDS = frozenset(
    {
        "label",
        "labels",
        "target",
        "targets",
        "category",
        "categories",
        "class",
        "classes",
        "species",
        "taxon",
        "taxa",
        "event",
        "events",
        "annotation",
        "annotations",
        "call",
        "calls",
        "code",
        "codes",
        "ebird",
        "genus",
        "family",
        "order",
        "scientific",
        "common",
        "vernacular",
        "truth",
        "positive",
        "positives",
        "presence",
        "cluster",
        "clusters",
    }
)
# A column tells the labels if rows that share its value share their labels this often (or the
# other way round), and rows at large do so less often.
_SURE = 0.98
_USUAL = 0.9
# Pairs of rows below which agreement is no evidence.
_PAIRS = 20
# Share of labelled rows in whose text their own label stands, above that of other rows' labels.
_NAMED = 0.5
_TOKEN = re.compile(r"[^0-9a-zA-Z]+")


@dataclass(frozen=True, slots=True)
class Leak:
    """A column that tells the labels, and how."""

    column: str
    reason: str


def find_leaks(
    columns: Mapping[str, Sequence[str]],
    labels: Sequence[tuple[str, ...]],
    *,
    keep: Sequence[str] = (),
) -> list[Leak]:
    """Return the columns that equal the labels, determine them, or are determined by them.

    Parameters
    ----------
    columns
        Texts of each column by title, one for each row.
    labels
        The labels of each row.
    keep
        Titles that are judged by content only.

    Notes
    -----
    With ``P`` the share among pairs of rows, a column ``g`` leaks the label sets ``y`` if
    ``P(same y | same g)`` or ``P(same g | same y)`` is at least 0.98 while ``P(same y)`` or
    ``P(same g)`` is below 0.9. So ``target = 3`` for every dog is found, and ``has_event`` too,
    but not a column of ever different values. The parts of a text between its marks are columns
    of their own, which finds a class number within a file name. A column by which segments of one
    recording are grouped leaks as well where every recording has one label.
    """
    sets = _codes([";".join(sorted(found)) for found in labels])
    leaks = []
    for title, cells in columns.items():
        reason = "" if title in keep else _by_name(title)
        reason = reason or _by_content(cells, sets) or _by_parts(cells, sets)
        reason = reason or _by_mention(cells, labels)
        if reason:
            leaks.append(Leak(title, reason))
    return leaks


def _by_name(title: str) -> str:
    split = re.sub(r"([a-z])([A-Z])", r"\1 \2", title)
    words = {word.casefold() for word in _TOKEN.split(split)}
    return "its title names labels" if words & _WORDS else ""


def _by_content(cells: Sequence[str], sets: Int64) -> str:
    """Compare pairs of rows: the same value, the same labels."""
    values = _codes(cells)
    rows = len(sets)
    all_pairs = rows * (rows - 1) / 2
    same_value, same_set = _pairs(values), _pairs(sets)
    both = _pairs(values * (int(sets.max(initial=0)) + 1) + sets)
    if both < _PAIRS:
        return ""
    if same_set < _USUAL * all_pairs and both >= _SURE * same_value:
        return "equal values have equal labels"
    if same_value < _USUAL * all_pairs and both >= _SURE * same_set:
        return "equal labels have equal values"
    return ""


def _by_parts(cells: Sequence[str], sets: Int64) -> str:
    """Treat the n-th part of each text, counted from either end, as a column."""
    split = [_TOKEN.split(cell) for cell in cells]
    width = max(map(len, split), default=0)
    if width < 2:
        return ""
    for place in [*range(min(width, 12)), *range(-min(width, 4), 0)]:
        part = [tokens[place] if -len(tokens) <= place < len(tokens) else "" for tokens in split]
        if _by_content(part, sets):
            where = f"{place + 1} from the start" if place >= 0 else f"{-place} from the end"
            return f"its part number {where} and the labels go together"
    return ""


def _by_mention(cells: Sequence[str], labels: Sequence[tuple[str, ...]]) -> str:
    """Look for a row's own label in its text, and as a yardstick for that of a row far away."""
    marked = [row for row, found in enumerate(labels) if found]
    if len(marked) < _PAIRS:
        return ""
    texts = [cells[row].casefold() for row in marked]
    own = [[label.casefold() for label in labels[row]] for row in marked]
    half = len(marked) // 2
    mine = np.mean(
        [any(label in text for label in found) for text, found in zip(texts, own, strict=True)]
    )
    other = np.mean(
        [any(label in text for label in own[(i + half) % len(own)]) for i, text in enumerate(texts)]
    )
    return "it mentions the labels" if mine - other >= _NAMED else ""


def _codes(cells: Sequence[str]) -> Int64:
    """Number the different texts."""
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(cell, len(numbers)) for cell in cells], dtype=np.int64)


def _pairs(codes: Int64) -> float:
    """Return the number of pairs of rows with the same code."""
    _, count = np.unique(codes, return_counts=True)
    return float((count * (count - 1) / 2).sum())

"""From names to rows: candidates, and which of them is meant.

The rules, in this order. Of the candidates in one kingdom, the checklist that comes first decides,
and in it an accepted name before a synonym, that before a doubtful and that before a misapplied
one. Between kingdoms, the best of these kinds wins; if two kingdoms have it, the name is a homonym
and stays open unless the kingdom is told. What is then left open, the rank's marker or the
authors in the name as it was given may settle, or that only one candidate has a main rank.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from antiphon.language.taxonomy.hashing import Int64, sort_keys
from antiphon.language.taxonomy.linking import Int32
from antiphon.language.taxonomy.names import fold, name_keys, parse_name
from antiphon.language.taxonomy.ranks import LINNEAN, RANK_CODE, RANKS, STATUS_CODE, STATUSES
from antiphon.language.taxonomy.table import NameTable, UInt8, equal_text, expand

ANY_KINGDOM = 255
_CLASS = np.array(
    [0 if name in ("accepted", "implied") else 2 if name == "doubtful" else 1 for name in STATUSES],
    np.uint8,
)
_CLASS[STATUS_CODE["misapplied"]] = 3
_IMPLIED = STATUS_CODE["implied"]
_MAIN = np.isin(np.arange(len(RANKS)), [RANK_CODE[rank] for rank in LINNEAN])


@dataclass(slots=True)
class Matches:
    """What names were found to be; arrays of shape ``(m,)``.

    Parameters
    ----------
    matched
        The row of the name itself, -1 where none or several were found.
    candidates
        Rows that a name may mean where that is open, by the name's place.
    elsewhere
        Rows of names that are known in another kingdom only, by the name's place.
    """

    matched: Int32
    candidates: dict[int, list[int]]
    elsewhere: dict[int, list[int]]


def match_keys(names: NameTable, keys: pa.Array, kingdom: UInt8) -> Matches:
    """Look names up.

    Parameters
    ----------
    names
        The compiled names.
    keys
        As :func:`~antiphon.language.taxonomy.names.name_keys` makes them, length m.
    kingdom
        Code of the kingdom that each must be of, 255 for any.
    """
    begin, count = names.ranges(sort_keys(keys))
    which, place = expand(begin, count)
    rows = place.astype(np.int32)
    same = _same_name(names, rows, keys, which)
    return choose(names, which[same], rows[same], kingdom)


def choose(names: NameTable, which: Int64, rows: Int32, kingdom: UInt8) -> Matches:
    """Choose among candidates, see the rules of this module.

    Parameters
    ----------
    names
        The compiled names.
    which
        The place of the name that each candidate belongs to, ascending, shape ``(c,)``.
    rows
        The candidates, shape ``(c,)``.
    kingdom
        Code of the kingdom that each name must be of, 255 for any, shape ``(m,)``.
    """
    fits = (kingdom[which] == ANY_KINGDOM) | (kingdom[which] == names.kingdom[rows])
    found = Matches(np.full(len(kingdom), -1, np.int32), {}, {})
    inside = np.zeros(len(kingdom), bool)
    inside[which[fits]] = True
    for i, row in zip(which[~fits].tolist(), rows[~fits].tolist(), strict=True):
        if not inside[i]:
            found.elsewhere.setdefault(i, []).append(row)
    which, rows = _best(names, which[fits], rows[fits])
    target = names.accepted[rows]
    order = np.lexsort((target, which))
    which, rows, target = which[order], rows[order], target[order]
    new = np.ones(len(which), bool)
    new[1:] = (which[1:] != which[:-1]) | (target[1:] != target[:-1])
    which, rows = which[new], rows[new]
    several = np.bincount(which, minlength=len(kingdom)) > 1
    single = ~several[which] & (_CLASS[names.status[rows]] < 3)
    found.matched[which[single]] = rows[single]
    for i, row in zip(which[~single].tolist(), rows[~single].tolist(), strict=True):
        found.candidates.setdefault(i, []).append(row)
    return found


def settle(names: NameTable, given: str, candidates: list[int]) -> tuple[int, str]:
    """Choose among candidates by what else the name as given says.

    Returns
    -------
    row
        The one that is meant, -1 if that stays open.
    reason
        What settled it; empty if nothing did.
    """
    if len(candidates) == 1:
        return -1, ""
    parsed = parse_name(given)
    if parsed.rank:
        left = [row for row in candidates if names.rank[row] == RANK_CODE[parsed.rank]]
        if len(left) == 1:
            return left[0], f"of several, the {parsed.rank}"
        candidates = left or candidates
    if parsed.authorship:
        left = [r for r in candidates if same_authors(parsed.authorship, names.authorship(r))]
        if len(left) == 1:
            return left[0], "of several, the one of these authors"
        candidates = left or candidates
    left = [row for row in candidates if _MAIN[names.rank[row]]]
    kingdoms = {int(names.kingdom[row]) for row in candidates}
    if len(left) == 1 and len(kingdoms) == 1:
        return left[0], f"of several, the {RANKS[names.rank[left[0]]]}"
    return -1, ""


def same_authors(a: str, b: str) -> bool:
    """Whether two authorships can be one: same year if both tell it, same first author.

    An abbreviated author ("L.", "Temm.") is the same as one that begins so.
    """
    years = [{w for w in _words(text) if w.isdigit() and len(w) == 4} for text in (a, b)]
    if years[0] and years[1] and not years[0] & years[1]:
        return False
    firsts = [next((w for w in _words(text) if len(w) > 1 or w == "l"), "") for text in (a, b)]
    if not firsts[0] or not firsts[1] or firsts[0].isdigit() or firsts[1].isdigit():
        return bool(years[0] & years[1])
    return firsts[0].startswith(firsts[1]) or firsts[1].startswith(firsts[0])


def _words(text: str) -> list[str]:
    return "".join(c if c.isalnum() else " " for c in fold(text)).split()


def _best(names: NameTable, which: Int64, rows: Int32) -> tuple[Int64, Int32]:
    """Keep for each name the candidates of the best checklist and kind."""
    if not len(which):
        return which, rows
    kind = _CLASS[names.status[rows]]
    implied = (names.status[rows] == _IMPLIED).astype(np.uint8)
    checklist, kingdom = names.checklist[rows], names.kingdom[rows]
    order = np.lexsort((kind, checklist, implied, kingdom, which))
    which, rows, kind = which[order], rows[order], kind[order]
    sets = np.stack([implied[order], checklist[order], kind])
    begins = np.ones(len(which), bool)
    begins[1:] = (which[1:] != which[:-1]) | (kingdom[order][1:] != kingdom[order][:-1])
    first = np.flatnonzero(begins)[np.cumsum(begins) - 1]
    keep = (sets == sets[:, first]).all(axis=0)
    which, rows, kind = which[keep], rows[keep], kind[keep]
    best = np.full(int(which.max()) + 1, 255, np.uint8)
    np.minimum.at(best, which, kind)
    keep = kind == best[which]
    return which[keep], rows[keep]


def _same_name(
    names: NameTable, rows: Int32, keys: pa.Array, which: Int64
) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Return which candidates have the wanted name, not only its hash."""
    import pyarrow.compute as pc

    found, wanted = names.name.take(pa.array(rows)), keys.take(pa.array(which))
    same = equal_text(pc.utf8_lower(found), wanted)
    rest = np.flatnonzero(~same)
    if len(rest):
        places = pa.array(rest)
        same[rest] = equal_text(name_keys(found.take(places)), wanted.take(places))
    return same

"""The three ways to look taxa up: by scientific name, by common name, by id."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from antiphon.language.taxonomy.common import CommonNames
from antiphon.language.taxonomy.fuzzy import Suggester
from antiphon.language.taxonomy.hashing import Int64, hash_text
from antiphon.language.taxonomy.matching import Matches, choose, match_keys, settle
from antiphon.language.taxonomy.names import ParsedName, name_keys, parse_name
from antiphon.language.taxonomy.ranks import STATUS_CODE
from antiphon.language.taxonomy.resolution import Found
from antiphon.language.taxonomy.table import NameTable, UInt8

_NOTES = {
    STATUS_CODE["pro parte synonym"]: "synonym in part: the name was also used for other taxa",
    STATUS_CODE["ambiguous synonym"]: "the name is ambiguous in its checklist",
    STATUS_CODE["doubtful"]: "doubtful in its checklist",
}


def by_scientific_name(
    names: NameTable,
    kingdoms: list[str],
    given: pa.Array,
    kingdom: UInt8,
    suggester: Suggester | None,
) -> Found:
    """Look scientific names up: first as written, then without what does not belong to a name.

    Parameters
    ----------
    names
        The compiled names.
    kingdoms
        Their names, by code.
    given
        Different names, length m.
    kingdom
        Code of the kingdom of each, 255 for any, shape ``(m,)``.
    suggester
        For names that are not known; None to leave them.
    """
    keys = name_keys(given)
    first = match_keys(names, keys, kingdom)
    found = Found(given, first.matched)
    _settle_all(names, found, first)
    open_: Int64 = np.flatnonzero(found.matched < 0).astype(np.int64)
    open_ = open_[[int(i) not in first.candidates for i in open_]]
    parsed = [parse_name(given[i].as_py()) for i in open_.tolist()]
    short = pa.array([p.key for p in parsed], pa.string())
    second = match_keys(names, short, kingdom[open_])
    found.matched[open_] = second.matched
    _settle_all(names, found, second, open_)
    for i, name in zip(open_.tolist(), parsed, strict=True):
        if name.qualifier and found.matched[i] >= 0:
            found.notes[i] = f"open nomenclature ({name.qualifier}); the part before it is resolved"
        elif name.authorship.startswith("[") and found.matched[i] >= 0:
            found.notes.setdefault(i, f"what follows the name is passed over: {name.authorship}")
    elsewhere = {int(open_[i]): rows for i, rows in second.elsewhere.items()}
    _note(names, kingdoms, found, {**first.elsewhere, **elsewhere})
    if suggester is not None:
        _suggest(found, suggester, open_, parsed, kingdom)
    return found


def by_common_name(
    names: NameTable, common: CommonNames, given: pa.Array, kingdom: UInt8, language: str
) -> Found:
    """Look common names up; one that several taxa have is a homonym.

    Parameters
    ----------
    names, given, kingdom
        See :func:`by_scientific_name`.
    common
        The common names.
    language
        Of the names.
    """
    which, rows = common.taxa(given, language)
    matches = choose(names, which, rows, kingdom)
    return Found(given, matches.matched, dict(matches.candidates))


def by_id(names: NameTable, given: pa.Array, kingdom: UInt8, checklist: int | None) -> Found:
    """Look ids up; one that two checklists use for different taxa is open.

    Parameters
    ----------
    names, given, kingdom
        See :func:`by_scientific_name`.
    checklist
        Place of the only checklist to look in.
    """
    hashes = (hash_text(given) >> np.uint64(32)).astype(np.uint32)
    which, rows = names.with_ids(given, hashes)
    keep = (kingdom[which] == 255) | (kingdom[which] == names.kingdom[rows])
    if checklist is not None:
        keep &= names.checklist[rows] == checklist
    found = Found(given, np.full(len(given), -1, np.int32))
    for i, row in zip(which[keep].tolist(), rows[keep].tolist(), strict=True):
        found.alternatives.setdefault(i, []).append(row)
    for i, several in list(found.alternatives.items()):
        if len({int(names.accepted[row]) for row in several}) == 1:
            found.matched[i] = several[0]
            del found.alternatives[i]
    return found


def _settle_all(
    names: NameTable, found: Found, matches: Matches, places: Int64 | None = None
) -> None:
    for i, rows in matches.candidates.items():
        place = i if places is None else int(places[i])
        row, reason = settle(names, found.given[place].as_py(), rows)
        if row >= 0:
            found.matched[place], found.notes[place] = row, reason
        else:
            found.alternatives[place] = rows


def _note(
    names: NameTable, kingdoms: list[str], found: Found, elsewhere: dict[int, list[int]]
) -> None:
    """Say what a reader of the answer should know."""
    status = names.status[found.matched]
    for code, words in _NOTES.items():
        for i in np.flatnonzero((status == code) & (found.matched >= 0)).tolist():
            found.notes.setdefault(i, words)
    for i, rows in found.alternatives.items():
        if len(rows) == 1:
            found.notes.setdefault(i, "known only as a misapplied name")
    for i, rows in elsewhere.items():
        if found.matched[i] < 0:
            codes = sorted({int(names.kingdom[row]) for row in rows})
            where = [kingdoms[code] for code in codes if code < len(kingdoms)]
            found.notes.setdefault(i, f"known in another kingdom: {', '.join(where) or 'unplaced'}")


def _suggest(
    found: Found,
    suggester: Suggester,
    places: Int64,
    parsed: list[ParsedName],
    kingdom: UInt8,
) -> None:
    for i, name in zip(places.tolist(), parsed, strict=True):
        if found.matched[i] >= 0 or i in found.alternatives:
            continue
        if near := suggester.suggest(name.key, int(kingdom[i])):
            found.suggestions[i] = near

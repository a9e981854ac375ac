"""The licence ledger of a build: what may be done with its parts, and with the whole."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from antiphon.language.schema import CorpusRow
from antiphon.language.sources.licences import facts
from antiphon.replacing import write_whole

UNSTATED = "not stated"


@dataclass(slots=True)
class Entry:
    """Rows of one source under one licence."""

    source: str
    licence: str
    rows: int = 0
    seconds: float = 0.0
    rows_without_length: int = 0
    without_recordist: int = 0


@dataclass(slots=True)
class Ledger:
    """Counts rows and their length by source and licence, row by row.

    A licence that is not stated, or not known, allows nothing. ``notes`` are terms that bind
    besides.
    """

    entries: dict[tuple[str, str], Entry] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def add(self, row: CorpusRow) -> None:
        """Count a row."""
        key = (row.source, row.licence or UNSTATED)
        entry = self.entries.setdefault(key, Entry(*key))
        entry.rows += 1
        if row.duration_s is None:
            entry.rows_without_length += 1
        else:
            entry.seconds += row.duration_s
        entry.without_recordist += row.recordist is None

    def add_all(self, rows: Iterable[CorpusRow]) -> None:
        """Count rows."""
        for row in rows:
            self.add(row)

    def whole(self) -> dict[str, Any]:
        """Return what the whole allows: what every one of its licences allows."""
        known = [facts(entry.licence) for entry in self.entries.values()]
        found = [licence for licence in known if licence is not None]
        clear = len(found) == len(known)

        def every(name: str) -> bool:
            return bool(known) and clear and all(getattr(licence, name) for licence in found)

        same = sorted({licence.id for licence in found if licence.share_alike})
        return {
            "redistribution": every("redistribution"),
            "commercial": every("commercial"),
            "derivatives": every("derivatives"),
            "attribution": any(licence.attribution for licence in found) or not clear,
            "share_alike": same,
            # Works derived from several share-alike licences cannot carry each of them.
            "share_alike_conflict": len({name.partition("-SA")[0] for name in same}) > 1,
            "unclear_rows": sum(e.rows for e in self.entries.values() if facts(e.licence) is None),
        }

    def as_dict(self) -> dict[str, Any]:
        """Return the ledger as plain data, as it is written."""
        lines = []
        for entry in sorted(self.entries.values(), key=lambda e: (e.source, e.licence)):
            known = facts(entry.licence)
            allowed = {} if known is None else asdict(known)
            allowed.pop("id", None)
            lines.append({**asdict(entry), "known": known is not None, **allowed})
        return {
            "rows": sum(e.rows for e in self.entries.values()),
            "seconds": sum(e.seconds for e in self.entries.values()),
            "whole": self.whole(),
            "notes": self.notes,
            "entries": lines,
        }

    def as_markdown(self) -> str:
        """Return the ledger as a page."""
        data = self.as_dict()
        whole = data["whole"]
        lines = [
            "# Licences",
            "",
            f"{data['rows']:,} rows, {data['seconds'] / 3600:,.2f} hours of stated length.",
            "",
            "| source | licence | rows | hours | commercial use | derived works | copies |",
            "|---|---|---|---|---|---|---|",
        ]
        for entry in data["entries"]:
            known = facts(entry["licence"])
            name = f"[{known.id}]({known.url})" if known and known.url else entry["licence"]
            allowed = " | ".join(
                "unclear" if known is None else _word(getattr(known, flag))
                for flag in ("commercial", "derivatives", "redistribution")
            )
            hours = entry["seconds"] / 3600
            lines.append(
                f"| {entry['source']} | {name} | {entry['rows']:,} | {hours:,.2f} | {allowed} |"
            )
        lines += [
            "",
            "## The whole",
            "",
            *_sentences(whole),
            *(f"- {note}" for note in self.notes),
            "",
        ]
        return "\n".join(lines)

    def write(self, path: Path) -> tuple[Path, Path]:
        """Write ``<path>.json`` and ``<path>.md``.

        Raises
        ------
        FileError
            If one cannot be written.
        """
        data, page = path.with_name(path.name + ".json"), path.with_name(path.name + ".md")
        write_whole(data, json.dumps(self.as_dict(), indent=2, ensure_ascii=False) + "\n")
        write_whole(page, self.as_markdown())
        return data, page


def _word(allowed: bool) -> str:
    return "yes" if allowed else "no"


def _sentences(whole: dict[str, Any]) -> list[str]:
    lines = [
        f"- Copies may be passed on: {_word(whole['redistribution'])}.",
        f"- Commercial use: {_word(whole['commercial'])}.",
        f"- Derived works: {_word(whole['derivatives'])}.",
        f"- Authors must be named: {_word(whole['attribution'])} (column `recordist`).",
    ]
    if whole["share_alike"]:
        lines.append(f"- To be shared alike: {', '.join(whole['share_alike'])}.")
    if whole["share_alike_conflict"]:
        lines.append("- These share-alike licences exclude each other in one derived work.")
    if whole["unclear_rows"]:
        lines.append(
            f"- {whole['unclear_rows']:,} rows have no licence that is known; leave them out."
        )
    return lines


def merge(ledgers: Iterable[Ledger]) -> Ledger:
    """Return one ledger of several builds."""
    total = Ledger()
    for ledger in ledgers:
        total.notes.extend(note for note in ledger.notes if note not in total.notes)
        for key, entry in ledger.entries.items():
            sum_ = total.entries.setdefault(key, Entry(*key))
            sum_.rows += entry.rows
            sum_.seconds += entry.seconds
            sum_.rows_without_length += entry.rows_without_length
            sum_.without_recordist += entry.without_recordist
    return total

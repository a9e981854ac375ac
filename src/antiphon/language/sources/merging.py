"""Join corpus tables into one, without the sounds that are there twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from antiphon.errors import UserError
from antiphon.language.schema import read_batches, to_rows
from antiphon.language.sources.dedup import Duplicate, find_duplicates
from antiphon.language.sources.findings import Finding, Item
from antiphon.language.sources.writing import Outputs, Report, Writer


@dataclass(frozen=True, slots=True)
class Merged:
    """Counts of a join, and the duplicates that were left out."""

    report: Report
    duplicates: list[Duplicate]


def merge_tables(
    paths: Sequence[Path],
    out: Path,
    *,
    reasons: frozenset[str],
    deduplicate: bool = True,
) -> Merged:
    """Write the rows of several tables as one, with rejections, counts and licence ledger.

    Parameters
    ----------
    paths
        The tables; where two hold the same sound or identifier, the first one's row is kept.
    out
        The table to write; none of ``paths``.
    reasons
        Reasons that reject (``findings.rejecting``); licences are looked at again.
    deduplicate
        Whether rows with the same sound are left out.

    Raises
    ------
    UserError
        If ``out`` is one of the tables, or one is given twice.
    FileError
        If a table cannot be read, or one cannot be written.
    """
    from antiphon.language.sources.checks import licence_findings

    full = [path.resolve() for path in paths]
    if out.resolve() in full or len(set(full)) < len(full):
        raise UserError(f"{out}: write to a new file, and give each table once.")
    twins = find_duplicates(paths) if deduplicate else []
    by_number = {one.number: one for one in twins}
    writer = Writer("merge", reasons)
    seen: set[int] = set()
    number = 0
    with writer.opened(Outputs(out)):
        for path in paths:
            for batch in read_batches(path):
                items = []
                for row in to_rows(batch):
                    found = licence_findings(row)
                    if (twin := by_number.get(number)) is not None:
                        detail = f"as {twin.kept} ({twin.how}, {twin.error:.0%} of bits differ)"
                        found.insert(0, Finding("same_audio", detail))
                    elif hash(row.id) in seen:
                        found.insert(0, Finding("repeated_id", row.id))
                    seen.add(hash(row.id))
                    items.append(Item(row, tuple(found), f"{path.name}, row {number}"))
                    number += 1
                writer.write(items)
    return Merged(writer.report, twins)

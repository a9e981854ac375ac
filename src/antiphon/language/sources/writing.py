"""Write what a source gives: rows, rejections, remarks and the licence ledger, in one go."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from antiphon.language.schema import SCHEMA, to_batch
from antiphon.language.sources.base import FINDING_SCHEMA, findings_batch, sort_items
from antiphon.language.sources.findings import Finding, Item
from antiphon.language.sources.ledger import Ledger
from antiphon.replacing import replacing, write_whole

_EXAMPLES = 5


@dataclass(slots=True)
class Report:
    """What came of the sounds of a source.

    Parameters
    ----------
    sounds
        How many were read; always rows and rejected together.
    rows
        How many became rows.
    rejected, remarks
        How many by reason: of the rejected, the reason that rejected; of the rows, each found.
    examples
        A few identifiers or places by reason.
    notes
        What else is to be known, such as terms of the publisher.
    """

    sounds: int = 0
    rows: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    remarks: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def example(self, finding: Finding, item: Item) -> None:
        """Keep an example of a reason, if there are not enough."""
        held = self.examples.setdefault(finding.reason, [])
        if len(held) < _EXAMPLES:
            name = item.row.id if item.row else item.place
            held.append(f"{name}: {finding.detail}" if finding.detail else name)

    def as_dict(self) -> dict[str, Any]:
        """Return the report as plain data."""
        return {
            "sounds": self.sounds,
            "rows": self.rows,
            "rejected": dict(self.rejected.most_common()),
            "remarks": dict(self.remarks.most_common()),
            "examples": self.examples,
            "notes": self.notes,
        }


@dataclass(frozen=True, slots=True)
class Outputs:
    """Files of a build, beside the rows: ``<rows>.rejections.parquet`` and so on."""

    rows: Path

    def beside(self, part: str) -> Path:
        """Return the file of a part."""
        return self.rows.with_name(f"{self.rows.stem}.{part}")

    @property
    def rejections(self) -> Path:
        """One line for each sound that is no row."""
        return self.beside("rejections.parquet")

    @property
    def remarks(self) -> Path:
        """One line for each finding on a row."""
        return self.beside("remarks.parquet")

    @property
    def report(self) -> Path:
        """Counts and examples."""
        return self.beside("report.json")


class Writer:
    """Takes items and writes each where it belongs.

    Parameters
    ----------
    source
        Named where an item has no row.
    reasons
        Those that reject.
    """

    def __init__(self, source: str, reasons: frozenset[str]) -> None:
        self.report = Report()
        self.ledger = Ledger()
        self._source = source
        self._reasons = reasons
        self._files: tuple[Any, Any, Any] | None = None

    @contextmanager
    def opened(self, outputs: Outputs) -> Iterator[Writer]:
        """Open the files; they appear, all of them, when the block ends well.

        Raises
        ------
        FileError
            If one cannot be written.
        """
        import pyarrow.parquet as pq

        words = ("it cannot be written", "Check free space and permissions")
        with ExitStack() as stack:
            writers = []
            # The rows' file is moved into place last.
            for path, schema in (
                (outputs.rows, SCHEMA),
                (outputs.rejections, FINDING_SCHEMA),
                (outputs.remarks, FINDING_SCHEMA),
            ):
                part = stack.enter_context(replacing(path, *words))
                writers.append(
                    stack.enter_context(pq.ParquetWriter(part, schema, compression="zstd"))
                )
            self._files = (writers[0], writers[1], writers[2])
            yield self
            write_whole(outputs.report, json.dumps(self.report.as_dict(), indent=2) + "\n")
            self.ledger.write(outputs.beside("licences"))

    def write(self, items: Iterable[Item]) -> None:
        """Write items, and count them."""
        assert self._files is not None
        rows, rejected, remarks = sort_items(items, self._reasons)
        self.ledger.add_all(rows)
        for counter, found in ((self.report.rejected, rejected), (self.report.remarks, remarks)):
            for item, finding in found:
                counter[finding.reason] += 1
                self.report.example(finding, item)
        self.report.sounds += len(rows) + len(rejected)
        self.report.rows += len(rows)
        if rows:
            self._files[0].write_batch(to_batch(rows))
        if rejected:
            self._files[1].write_batch(findings_batch(self._source, rejected))
        if remarks:
            self._files[2].write_batch(findings_batch(self._source, remarks))

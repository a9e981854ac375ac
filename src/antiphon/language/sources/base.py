"""One generic source: a recipe, the files on disk, and what comes of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from antiphon.errors import FileError
from antiphon.language.schema import BATCH_ROWS, CorpusRow, to_batch
from antiphon.language.sources import values
from antiphon.language.sources.audiofiles import AudioFiles
from antiphon.language.sources.checks import basic_findings
from antiphon.language.sources.findings import ALWAYS, Finding, Item
from antiphon.language.sources.licences import canonical, facts
from antiphon.language.sources.mapping import Mapped, Record
from antiphon.language.sources.records import Faulty
from antiphon.language.sources.windows import cut

FINDING_SCHEMA = pa.schema(
    [
        pa.field("source", pa.string(), nullable=False),
        pa.field("id", pa.string()),
        pa.field("place", pa.string()),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("detail", pa.string()),
    ]
)
"""Columns of a table of rejections (one line for each sound) or of remarks on rows."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How the files of one publisher are read.

    Parameters
    ----------
    name
        Such as "xeno_canto"; the rows' ``source``.
    title
        What it is, a line.
    page
        Where it is described.
    layout
        Which file or folder is expected, a sentence.
    items
        Reads the records under a path.
    licence
        Canonical licence of what states none; None where each record should state its own.
    terms
        What binds whoever got the files besides, a sentence for the ledger.
    """

    name: str
    title: str
    page: str
    layout: str
    items: Callable[[Path], Iterator[Item]]
    licence: str | None = None
    terms: str = ""


@dataclass(frozen=True, slots=True)
class Batch:
    """A part of a source: rows with the corpus schema, rejections and remarks.

    Parameters
    ----------
    rows
        With ``language.schema.SCHEMA``.
    rejections
        With :data:`FINDING_SCHEMA`, one line for each sound that is no row.
    remarks
        With :data:`FINDING_SCHEMA`, what was found on the rows.
    """

    rows: pa.RecordBatch
    rejections: pa.RecordBatch
    remarks: pa.RecordBatch


class Source:
    """Files of one publisher on disk.

    Every sound becomes a row or a rejection: nothing else leaves.

    Parameters
    ----------
    recipe
        How they are read.
    path
        The publisher's file or folder.
    audio
        Folder of the audio files; by default the folder that ``path`` is, or lies in.
    reject
        Reasons that reject besides those that always do.
    window_s
        Cut annotated recordings into windows of so many seconds, the rest at the end included.

    Raises
    ------
    FileError
        If the path is not there.
    """

    def __init__(
        self,
        recipe: Recipe,
        path: Path,
        *,
        audio: Path | None = None,
        reject: Iterable[str] = (),
        window_s: float | None = None,
    ) -> None:
        if not path.exists():
            raise FileError(path, "there is no such file or folder", recipe.layout)
        self.recipe = recipe
        self.path = path
        self.reject = ALWAYS | frozenset(reject)
        self.window_s = window_s
        self.files = AudioFiles(audio or (path if path.is_dir() else path.parent))

    def items(self) -> Iterator[Item]:
        """Return what came of each sound, checked, with its file where that is on disk."""
        seen: set[int] = set()
        for item in self.recipe.items(self.path):
            if item.row is None:
                yield item
                continue
            found = self._located(item)
            for part in cut(found, self.window_s) if self.window_s else (found,):
                yield self._checked(part, seen)

    def read(self, size: int = BATCH_ROWS) -> Iterator[Batch]:
        """Return the rows, rejections and remarks in batches of at most ``size`` sounds."""
        held: list[Item] = []
        for item in self.items():
            held.append(item)
            if len(held) >= size:
                yield self.batch(held)
                held = []
        if held:
            yield self.batch(held)

    def batch(self, items: Iterable[Item]) -> Batch:
        """Sort checked items into rows, rejections and remarks."""
        name = self.recipe.name
        rows, rejected, remarks = sort_items(items, self.reject)
        return Batch(to_batch(rows), findings_batch(name, rejected), findings_batch(name, remarks))

    def _located(self, item: Item) -> Item:
        row = item.row
        assert row is not None
        if self.recipe.licence is not None and row.licence is None:
            known = facts(self.recipe.licence)
            row = replace(
                row,
                licence=self.recipe.licence,
                licence_url=row.licence_url or (known.url if known else None),
            )
            item = replace(item, row=row)
        if row.audio_path is not None or row.audio_bytes is not None:
            return item
        path, problem = self.files.find(item.names)
        if path is not None:
            return replace(item, row=replace(row, audio_path=path))
        if row.audio_url is not None:
            return item
        reason = "audio_not_found" if item.names else "missing_audio"
        return replace(item, findings=(*item.findings, Finding(reason, problem)))

    def _checked(self, item: Item, seen: set[int]) -> Item:
        row = item.row
        assert row is not None
        found = basic_findings(row)
        # Texts of a million identifiers would take more memory than everything else.
        key = hash(row.id)
        if key in seen:
            return replace(item, findings=(Finding("repeated_id", row.id), *item.findings))
        seen.add(key)
        return replace(item, findings=(*item.findings, *found)) if found else item


Found = list[tuple[Item, Finding]]


def sort_items(
    items: Iterable[Item], reasons: frozenset[str]
) -> tuple[list[CorpusRow], Found, Found]:
    """Return the rows, the rejected items each with its reason, and the findings on the rows."""
    rows: list[CorpusRow] = []
    rejected: Found = []
    remarks: Found = []
    for item in items:
        why = rejection(item, reasons)
        if why is not None:
            rejected.append((item, why))
        elif item.row is not None:
            rows.append(item.row)
            remarks.extend((item, finding) for finding in item.findings)
    return rows, rejected, remarks


def rejection(item: Item, reasons: frozenset[str]) -> Finding | None:
    """Return the first finding that rejects an item; None when it becomes a row."""
    for finding in item.findings:
        if finding.reason in reasons:
            return finding
    if item.row is None:
        return item.findings[0]
    return None


def items_of(
    records: Iterable[tuple[int, Record]],
    file: Path,
    build: Callable[[Record, str], Iterable[Item]],
    unit: str = "row",
) -> Iterator[Item]:
    """Build items of records; those that cannot be read become rejections.

    Parameters
    ----------
    records
        Number and content of each.
    file
        Where they come from.
    build
        Makes items of a record and its place.
    unit
        What the numbers count.
    """
    for count, record in records:
        place = f"{file.name}, {unit} {count}"
        if isinstance(record, Faulty):
            yield Item(None, (Finding("malformed_record", record.problem),), place)
        else:
            yield from build(record, place)


def build_item(
    source: str,
    mapped: Mapped,
    place: str,
    *,
    names: Iterable[str | None] = (),
    findings: Iterable[Finding] = (),
    **more: Any,
) -> Item:
    """Make a row of what a mapping found, complete what follows from it, and note what is wrong.

    ``licence`` becomes canonical, genus and species follow from a binomial, a span's length from
    its ends. Columns in ``more`` win over those mapped.
    """
    found = {**mapped.values, **{key: value for key, value in more.items() if value is not None}}
    notes = [*mapped.findings, *findings]
    own = tuple(found.pop("names", ()))
    source_id = found.get("source_id")
    if source_id is None:
        return Item(None, (Finding("no_id"), *notes), place)
    _settle_licence(found, notes)
    _settle_taxon(found)
    start, end = found.get("start_s"), found.get("end_s")
    if start is not None and end is not None and end > start:
        found["duration_s"] = end - start
    row = CorpusRow(id=f"{source}:{source_id}", source=source, **found)
    return Item(row, tuple(notes), place, (*own, *(name for name in names if name)))


def _settle_licence(found: dict[str, Any], notes: list[Finding]) -> None:
    said = found.get("licence")
    if said is None:
        return
    name = canonical(said)
    if name is None:
        notes.append(Finding("unknown_licence", str(said)))
        found["extra"] = {**found.get("extra", {}), "licence_given": str(said)}
        del found["licence"]
        return
    found["licence"] = name
    known = facts(name)
    if known is not None and known.url is not None:
        found.setdefault("licence_url", known.url)


def _settle_taxon(found: dict[str, Any]) -> None:
    name = found.get("scientific_name")
    if name is None:
        return
    found.setdefault("taxon_given", name)
    for column, value in values.ranks_of(name).items():
        if value is not None:
            found.setdefault(column, value)


def findings_batch(source: str, found: Iterable[tuple[Item, Finding]]) -> pa.RecordBatch:
    """Put findings into a batch with :data:`FINDING_SCHEMA`; ``source`` is said where no row is."""
    listed = list(found)
    columns = [
        [item.row.source if item.row else source for item, _ in listed],
        [item.row.id if item.row else None for item, _ in listed],
        [item.place for item, _ in listed],
        [finding.reason for _, finding in listed],
        [finding.detail for _, finding in listed],
    ]
    arrays = [pa.array(values_, pa.string()) for values_ in columns]
    return pa.RecordBatch.from_arrays(arrays, schema=FINDING_SCHEMA)

"""Recordings in the catalogue: bring them up to date with the files, and read them in bulk."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
from sqlalchemy import Connection, bindparam, func, insert, select, update

from antiphon.store.filenames import original, storable
from antiphon.store.schema import Recording

OK = "ok"
PARTIAL = "partial"
UNREADABLE = "unreadable"
MISSING = "missing"
REPLACED = "replaced"

READABLE = (OK, PARTIAL)
"""States in which a recording's windows are shown."""
CURRENT = (OK, PARTIAL, UNREADABLE)
"""States of the files that are there."""

RECORDING_SCHEMA = pa.schema(
    [
        pa.field("id", pa.int64(), nullable=False),
        pa.field("root", pa.string(), nullable=False),
        pa.field("path", pa.string(), nullable=False),
        pa.field("content_key", pa.string(), nullable=False),
        pa.field("size", pa.int64(), nullable=False),
        pa.field("container", pa.string()),
        pa.field("sample_rate", pa.int64()),
        pa.field("channels", pa.int64()),
        pa.field("frames", pa.int64()),
        pa.field("duration_s", pa.float64()),
        # The recorder's clock, without a zone.
        pa.field("start_time", pa.timestamp("us")),
        pa.field("utc_offset_s", pa.int64()),
        pa.field("site", pa.string()),
        pa.field("latitude", pa.float64()),
        pa.field("longitude", pa.float64()),
        pa.field("licence", pa.string()),
        pa.field("status", pa.string(), nullable=False),
        pa.field("problem", pa.string()),
    ]
)
"""Columns of :func:`read_recordings`; ``extra`` (a struct of text, or null) comes last."""


@dataclass(frozen=True, slots=True)
class RecordingEntry:
    """One audio file as it was found.

    Parameters
    ----------
    root
        Name of the audio folder.
    path
        Relative to that folder, with forward slashes.
    content_key
        Identity of the contents, from :func:`antiphon.audio.recording.content_key`.
    size, mtime_ns
        Bytes and modification time; a file that keeps both is not opened again.
    container, sample_rate, channels, frames
        As the header says; None for an unreadable file. ``frames`` counts what can be read.
    start_time
        Naive, by the recorder's clock.
    utc_offset_s
        Seconds that the recorder's clock is ahead of UTC.
    site, latitude, longitude, licence
        From names, folders or metadata tables.
    extra
        Other metadata columns.
    status
        ``ok``, ``partial`` (readable up to a point) or ``unreadable``.
    problem
        What is wrong with a file that is not ``ok``.
    """

    root: str
    path: str
    content_key: str
    size: int
    mtime_ns: int
    container: str | None = None
    sample_rate: int | None = None
    channels: int | None = None
    frames: int | None = None
    start_time: datetime | None = None
    utc_offset_s: int | None = None
    site: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    licence: str | None = None
    extra: dict[str, Any] = field(default_factory=dict)
    status: str = OK
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What became of the recordings of a scan, as ids in the catalogue.

    Parameters
    ----------
    added
        Files that are new.
    changed
        New ids of files whose contents were replaced; the old contents keep their old ids.
    moved
        Files found at another place with the same contents; they keep id, vectors and labels.
    updated
        Files with the same contents and other facts (a new metadata table, a touched file).
    unchanged
        Files that are as before.
    missing
        Recordings whose files are gone.
    """

    added: list[int]
    changed: list[int]
    moved: list[int]
    updated: list[int]
    unchanged: list[int]
    missing: list[int]


_FACTS = tuple(f.name for f in fields(RecordingEntry))
_COLUMNS = [getattr(Recording, name) for name in _FACTS]


def known_files(connection: Connection) -> dict[tuple[str, str], RecordingEntry]:
    """Return the files that were there at the last scan, by audio folder and relative path."""
    rows = connection.execute(select(*_COLUMNS).where(Recording.status.in_(CURRENT)))
    found = {}
    for row in rows:
        path = original(row.path)
        site = None if row.site is None else original(row.site)
        found[(row.root, path)] = replace(RecordingEntry(*row), path=path, site=site)
    return found


def sync(
    connection: Connection, entries: Iterable[RecordingEntry], roots: Iterable[str] | None
) -> SyncReport:
    """Bring the catalogue up to date with a scan; see :meth:`Catalogue.sync_recordings`."""
    entries = list({(entry.root, entry.path): _stored(entry) for entry in entries}.values())
    scanned = None if roots is None else set(roots)
    rows = connection.execute(select(Recording.id, *_COLUMNS)).all()
    before = {(r.root, r.path): r for r in rows if r.status != REPLACED}
    gone_contents = {(r.root, r.path, r.content_key): r for r in rows if r.status == REPLACED}
    there = {(entry.root, entry.path) for entry in entries}
    gone = {
        place: row
        for place, row in before.items()
        if place not in there and (scanned is None or row.root in scanned)
    }
    moves = _moves(entries, before, gone)

    unchanged, updated, moved, changed = [], [], [], []
    replaced: list[int] = []
    revived: list[tuple[int, RecordingEntry]] = []
    changes: list[tuple[int, RecordingEntry]] = []
    fresh: list[RecordingEntry] = []
    fresh_changed: set[int] = set()
    for entry in entries:
        place = (entry.root, entry.path)
        row = before.get(place)
        if row is not None and row.content_key == entry.content_key:
            if tuple(row)[1:] == tuple(getattr(entry, name) for name in _FACTS):
                unchanged.append(row.id)
            else:
                updated.append(row.id)
                changes.append((row.id, entry))
        elif row is None and place in moves:
            moved.append(moves[place].id)
            changes.append((moves[place].id, entry))
            del gone[(moves[place].root, moves[place].path)]
        else:
            if row is not None:
                replaced.append(row.id)
            again = gone_contents.get((*place, entry.content_key))
            if again is not None:
                revived.append((again.id, entry))
                changed.append(again.id)
            else:
                if row is not None:
                    fresh_changed.add(len(fresh))
                fresh.append(entry)

    # Old contents leave their place before new ones take it.
    _set_status(connection, replaced, REPLACED)
    _set_status(connection, [r.id for r in gone.values() if r.status != MISSING], MISSING)
    _write_facts(connection, [*changes, *revived])
    added: list[int] = []
    for position, new_id in enumerate(_insert(connection, fresh)):
        (changed if position in fresh_changed else added).append(new_id)
    return SyncReport(
        added=added,
        changed=changed,
        moved=moved,
        updated=updated,
        unchanged=unchanged,
        missing=sorted(row.id for row in gone.values()),
    )


def _stored(entry: RecordingEntry) -> RecordingEntry:
    """Return an entry with names as the catalogue keeps them."""
    path = storable(entry.path)
    site = None if entry.site is None else storable(entry.site)
    problem = None if entry.problem is None else storable(entry.problem)
    if (path, site, problem) == (entry.path, entry.site, entry.problem):
        return entry
    return replace(entry, path=path, site=site, problem=problem)


def _moves(
    entries: Sequence[RecordingEntry],
    before: dict[tuple[str, str], Any],
    gone: dict[tuple[str, str], Any],
) -> dict[tuple[str, str], Any]:
    """Match new places with recordings that are gone by their contents, where that is certain."""
    lost: dict[str, list[Any]] = {}
    for row in gone.values():
        if row.status != UNREADABLE and row.frames is not None:
            lost.setdefault(row.content_key, []).append(row)
    found: dict[str, list[tuple[str, str]]] = {}
    for entry in entries:
        place = (entry.root, entry.path)
        if place not in before and entry.status != UNREADABLE:
            found.setdefault(entry.content_key, []).append(place)
    return {
        places[0]: lost[key][0]
        for key, places in found.items()
        if len(places) == 1 and len(lost.get(key, ())) == 1
    }


def _set_status(connection: Connection, ids: Sequence[int], status: str) -> None:
    if ids:
        connection.execute(
            update(Recording).where(Recording.id == bindparam("row")).values(status=status),
            [{"row": i} for i in ids],
        )


def _write_facts(connection: Connection, changes: Sequence[tuple[int, RecordingEntry]]) -> None:
    if changes:
        connection.execute(
            update(Recording)
            .where(Recording.id == bindparam("row"))
            .values({name: bindparam(f"new_{name}") for name in _FACTS}),
            [
                {"row": i, **{f"new_{name}": getattr(entry, name) for name in _FACTS}}
                for i, entry in changes
            ],
        )


def _insert(connection: Connection, entries: Sequence[RecordingEntry]) -> list[int]:
    """Insert recordings and return their ids in the same order."""
    if not entries:
        return []
    last = connection.execute(select(func.max(Recording.id))).scalar() or 0
    now = datetime.now(UTC).replace(tzinfo=None)
    connection.execute(
        insert(Recording),
        [{name: getattr(e, name) for name in _FACTS} | {"added_at": now} for e in entries],
    )
    rows = connection.execute(
        select(Recording.id, Recording.root, Recording.path).where(Recording.id > last)
    )
    ids = {(row.root, row.path): row.id for row in rows}
    return [ids[(entry.root, entry.path)] for entry in entries]


def read_recordings(connection: Connection, states: Sequence[str] | None) -> pa.Table:
    """Return recordings as Arrow, ordered by id; see :meth:`Catalogue.recordings`."""
    names = [n for n in RECORDING_SCHEMA.names if n != "duration_s"]
    query = select(*(getattr(Recording, n) for n in names), Recording.extra).order_by(Recording.id)
    if states is not None:
        query = query.where(Recording.status.in_(states))
    rows = connection.execute(query).all()
    columns: dict[str, Any] = dict(
        zip([*names, "extra"], zip(*rows, strict=True), strict=True)
        if rows
        else ((n, ()) for n in [*names, "extra"])
    )
    columns["duration_s"] = [
        None if not rate or frames is None else frames / rate
        for rate, frames in zip(columns["sample_rate"], columns["frames"], strict=True)
    ]
    table = pa.table(
        [pa.array(columns[f.name], f.type) for f in RECORDING_SCHEMA], schema=RECORDING_SCHEMA
    )
    return table.append_column("extra", _extra(columns["extra"]))


def _extra(values: Sequence[dict[str, Any]]) -> Any:
    """Return metadata columns as a struct of text; nulls where nobody has any."""
    keys = sorted({key for value in values for key in value})
    if not keys:
        return pa.nulls(len(values))
    texts = [
        {key: None if value.get(key) is None else str(value[key]) for key in keys}
        for value in values
    ]
    return pa.array(texts, pa.struct([(key, pa.string()) for key in keys]))

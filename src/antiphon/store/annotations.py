"""Annotations and labels in the catalogue: add each fact once, read them in bulk."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa
from sqlalchemy import Connection, Select, delete, func, insert, or_, select

from antiphon.errors import StoreError
from antiphon.store.schema import Annotation, Label, LabelScope, LabelScopeMember, Recording

_SPAN = ("start_s", "end_s", "low_hz", "high_hz", "channel")
_PRESENCES = ("present", "absent", "unsure")
# SQLite takes at least 999 bound values in one statement.
_CHUNK = 900

STORED_ANNOTATION_SCHEMA = pa.schema(
    [
        pa.field("id", pa.int64(), nullable=False),
        pa.field("recording_id", pa.int64(), nullable=False),
        pa.field("start_s", pa.float64()),
        pa.field("end_s", pa.float64()),
        pa.field("low_hz", pa.float64()),
        pa.field("high_hz", pa.float64()),
        pa.field("channel", pa.int16()),
        pa.field("label", pa.string()),
        pa.field("presence", pa.string(), nullable=False),
        pa.field("scope", pa.list_(pa.string())),
        pa.field("confidence", pa.float64()),
        pa.field("annotator", pa.string()),
        pa.field("note", pa.string()),
        pa.field("source", pa.string()),
        pa.field("batch", pa.string()),
        pa.field("created_at", pa.timestamp("us"), nullable=False),
    ]
)
"""Columns of :func:`read_annotations`. A null scope stands for every label."""


@dataclass(frozen=True, slots=True)
class AddReport:
    """How many annotations were new, and how many were there already."""

    added: int
    already_there: int


def add(
    connection: Connection,
    table: pa.Table,
    *,
    source: str | None,
    batch: str | None,
    annotator: str | None,
) -> AddReport:
    """Add annotations that are not there yet; see :meth:`Catalogue.add_annotations`."""
    rows = table.select([n for n in _INPUT if n in table.column_names]).to_pylist()
    _check(connection, rows)
    now = datetime.now(UTC).replace(tzinfo=None)
    for row in rows:
        row["annotator"] = row.get("annotator") or annotator
        row["scope"] = None if row.get("scope") is None else sorted(set(row["scope"]))
        row["key"] = _key(row)
    fresh = {row["key"]: row for row in rows}
    for key in _existing(connection, list(fresh)):
        del fresh[key]
    names = {row["label"] for row in fresh.values() if row.get("label") is not None}
    names.update(name for row in fresh.values() for name in row["scope"] or ())
    labels = ensure_labels(connection, sorted(names))
    scopes: dict[tuple[str, ...], int] = {}
    values = []
    for row in fresh.values():
        scope = row["scope"]
        if scope is not None and tuple(scope) not in scopes:
            scopes[tuple(scope)] = _ensure_scope(connection, scope, labels)
        values.append(
            {
                "recording_id": row["recording_id"],
                **{name: _number(row.get(name)) for name in _SPAN},
                "label_id": None if row.get("label") is None else labels[row["label"]],
                "presence": row["presence"],
                "scope_id": None if scope is None else scopes[tuple(scope)],
                "confidence": _number(row.get("confidence")),
                "annotator": row["annotator"],
                "note": row.get("note"),
                "source": source,
                "batch": batch,
                "created_at": now,
                "key": row["key"],
            }
        )
    if values:
        connection.execute(insert(Annotation), values)
    return AddReport(added=len(values), already_there=len(rows) - len(values))


_INPUT = (
    "recording_id",
    *_SPAN,
    "label",
    "presence",
    "scope",
    "confidence",
    "annotator",
    "note",
)


def add_derived(
    connection: Connection,
    rows: Sequence[dict[str, Any]],
    *,
    annotator: str,
    source: str,
    batch: str,
    created_at: datetime,
) -> None:
    """Add annotations that follow from something else, such as an answer.

    They are there and go as a batch. So one that somebody's table says as well is there twice.

    Parameters
    ----------
    rows
        With the names of :data:`STORED_ANNOTATION_SCHEMA`; those left out are null. Labels and
        scopes name labels that are there.
    """
    if not rows:
        return
    labels = ensure_labels(connection, ())
    full = [
        {**dict.fromkeys(_INPUT), **row, "annotator": annotator, "scope": row.get("scope")}
        for row in rows
    ]
    keys = [_key(row) for row in full]
    taken = _existing(connection, keys)
    values = []
    for row, key in zip(full, keys, strict=True):
        scope = row.pop("scope")
        label = row.pop("label")
        if key in taken:
            key = hashlib.blake2b(f"{key} {batch}".encode(), digest_size=16).hexdigest()
        values.append(
            {
                **row,
                "label_id": None if label is None else labels[label],
                "scope_id": None if scope is None else _ensure_scope(connection, scope, labels),
                "source": source,
                "batch": batch,
                "created_at": created_at,
                "key": key,
            }
        )
    connection.execute(insert(Annotation), values)


def _check(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Refuse rows that speak of no recording, or say something impossible."""
    known = set(connection.execute(select(Recording.id)).scalars())
    for number, row in enumerate(rows):
        where = f"Annotation {number} of the table"
        if row.get("recording_id") not in known:
            raise StoreError(
                f"{where} speaks of recording {row.get('recording_id')}, which the catalogue does "
                "not have. Run the scan again before the import."
            )
        if row.get("presence") not in _PRESENCES:
            raise StoreError(
                f"{where} has the presence {row.get('presence')!r}; it must be one of "
                f"{', '.join(_PRESENCES)}."
            )
        if row.get("label") is None and row["presence"] != "absent":
            raise StoreError(f"{where} has no label; only an absence may do without one.")
        start, end = row.get("start_s"), row.get("end_s")
        if start is not None and end is not None and not start <= end:
            raise StoreError(f"{where} ends at {end} s, before it begins at {start} s.")


def _number(value: Any) -> Any:
    """Return a number, None for NaN."""
    return None if isinstance(value, float) and np.isnan(value) else value


def _key(row: dict[str, Any]) -> str:
    """Return the digest of what an annotation says; times count to the microsecond."""
    said: list[Any] = [row["recording_id"]]
    for name in _SPAN:
        value = _number(row.get(name))
        said.append(None if value is None else round(float(value), 6))
    confidence = _number(row.get("confidence"))
    said += [
        row.get("label"),
        row["presence"],
        row["scope"],
        None if confidence is None else round(float(confidence), 9),
        row["annotator"],
    ]
    return hashlib.blake2b(json.dumps(said).encode(), digest_size=16).hexdigest()


def _existing(connection: Connection, keys: Sequence[str]) -> set[str]:
    found: set[str] = set()
    for begin in range(0, len(keys), _CHUNK):
        some = keys[begin : begin + _CHUNK]
        found.update(
            connection.execute(select(Annotation.key).where(Annotation.key.in_(some))).scalars()
        )
    return found


def ensure_labels(connection: Connection, names: Iterable[str]) -> dict[str, int]:
    """Return the ids of labels by name; names that are new are added."""
    known: dict[str, int] = {
        row.name: row.id for row in connection.execute(select(Label.name, Label.id))
    }
    fresh = [name for name in dict.fromkeys(names) if name not in known]
    if fresh:
        connection.execute(insert(Label), [{"name": name} for name in fresh])
        known = {row.name: row.id for row in connection.execute(select(Label.name, Label.id))}
    return known


def _ensure_scope(connection: Connection, scope: Sequence[str], labels: dict[str, int]) -> int:
    members = sorted(labels[name] for name in scope)
    key = hashlib.blake2b(json.dumps(members).encode(), digest_size=16).hexdigest()
    found = connection.execute(select(LabelScope.id).where(LabelScope.key == key)).scalar()
    if found is not None:
        return int(found)
    result = connection.execute(insert(LabelScope).values(key=key).returning(LabelScope.id))
    scope_id = int(result.scalar_one())
    if members:
        connection.execute(
            insert(LabelScopeMember), [{"scope_id": scope_id, "label_id": i} for i in members]
        )
    return scope_id


def read_annotations(
    connection: Connection,
    labels: Sequence[str] | None,
    presence: Sequence[str] | None,
    recording_ids: Sequence[int] | None,
    states: Sequence[str] | None,
) -> pa.Table:
    """Return annotations as Arrow; see :meth:`Catalogue.annotations`."""
    scopes = _scopes(connection)
    query: Select[Any] = (
        select(*(getattr(Annotation, n) for n in _STORED), Label.name, Annotation.scope_id)
        .join(Label, Annotation.label_id == Label.id, isouter=True)
        .order_by(Annotation.id)
    )
    if states is not None:
        query = query.join(Recording, Annotation.recording_id == Recording.id).where(
            Recording.status.in_(states)
        )
    if labels is not None:
        wanted = set(labels)
        over = [i for i, members in scopes.items() if wanted & set(members)]
        # A row without a label and without a scope is about every label.
        query = query.where(
            or_(
                Label.name.in_(list(labels)),
                Annotation.label_id.is_(None)
                & or_(Annotation.scope_id.is_(None), Annotation.scope_id.in_(over)),
            )
        )
    if presence is not None:
        query = query.where(Annotation.presence.in_(list(presence)))
    rows: list[Any] = []
    if recording_ids is None:
        rows = list(connection.execute(query))
    else:
        ids = [int(i) for i in recording_ids]
        for begin in range(0, len(ids), _CHUNK):
            some = ids[begin : begin + _CHUNK]
            rows += connection.execute(query.where(Annotation.recording_id.in_(some)))
        rows.sort(key=lambda row: row[0])
    columns = list(zip(*rows, strict=True)) if rows else [()] * (len(_STORED) + 2)
    by_name: dict[str, Any] = dict(zip([*_STORED, "label", "scope"], columns, strict=True))
    by_name["scope"] = [None if i is None else scopes[i] for i in by_name["scope"]]
    return pa.table(
        [pa.array(by_name[f.name], f.type) for f in STORED_ANNOTATION_SCHEMA],
        schema=STORED_ANNOTATION_SCHEMA,
    )


_STORED = [n for n in STORED_ANNOTATION_SCHEMA.names if n not in ("label", "scope")]


def _scopes(connection: Connection) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {
        i: [] for i in connection.execute(select(LabelScope.id)).scalars()
    }
    members = select(LabelScopeMember.scope_id, Label.name).join(
        Label, LabelScopeMember.label_id == Label.id
    )
    for scope_id, name in connection.execute(members):
        found[scope_id].append(name)
    # Servers sort by the rules of some language.
    return {scope_id: sorted(names) for scope_id, names in found.items()}


def remove(
    connection: Connection, ids: Sequence[int] | None, source: str | None, batch: str | None
) -> int:
    """Delete annotations by id, source or batch; see :meth:`Catalogue.remove_annotations`."""
    if ids is not None:
        for begin in range(0, len(ids), _CHUNK):
            some = [int(i) for i in ids[begin : begin + _CHUNK]]
            connection.execute(delete(Annotation).where(Annotation.id.in_(some)))
        return len(ids)
    query = delete(Annotation)
    if source is not None:
        query = query.where(Annotation.source == source)
    if batch is not None:
        query = query.where(Annotation.batch == batch)
    return int(connection.execute(query).rowcount)


def labels_spent(connection: Connection) -> int:
    """Return how many distinct spans people labelled; imports without a batch count as well."""
    spans = (
        select(Annotation.recording_id, Annotation.start_s, Annotation.end_s, Annotation.channel)
        .distinct()
        .subquery()
    )
    return int(connection.execute(select(func.count()).select_from(spans)).scalar_one())


def present_counts(connection: Connection) -> dict[int, int]:
    """Return how many annotations say that a label is present, by the label's id."""
    rows = connection.execute(
        select(Annotation.label_id, func.count())
        .where(Annotation.presence == "present")
        .group_by(Annotation.label_id)
    )
    return {int(label): int(count) for label, count in rows if label is not None}

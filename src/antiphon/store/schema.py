"""Tables of the catalogue. A change here needs a migration in ``migrations/versions``."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, DateTime, ForeignKey, Index, MetaData, String, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import Integer

SCHEMA_VERSION = "0002"
"""Newest schema that this code knows; versions are numbers in text, in rising order."""

# SQLite numbers rows by itself only in a column of type INTEGER.
_Id = BigInteger().with_variant(Integer, "sqlite")


class Base(DeclarativeBase):
    """Base of all tables; names of constraints are fixed, so that migrations can name them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {dict[str, Any]: JSON, int: _Id}  # noqa: RUF012


class Fact(Base):
    """Facts of the catalogue itself, such as its identity."""

    __tablename__ = "facts"

    name: Mapped[str] = mapped_column(String, primary_key=True)
    value: Mapped[str]


class Recording(Base):
    """One version of one audio file."""

    __tablename__ = "recordings"
    __table_args__ = (
        # One current recording for a place; older contents of that place stay as "replaced".
        Index(
            "uq_recordings_place",
            "root",
            "path",
            unique=True,
            sqlite_where=text("status != 'replaced'"),
            postgresql_where=text("status != 'replaced'"),
        ),
        Index("ix_recordings_content_key", "content_key"),
        # Vectors carry recording ids, so an id must never be given out twice.
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    root: Mapped[str]
    path: Mapped[str]
    content_key: Mapped[str]
    size: Mapped[int]
    mtime_ns: Mapped[int]
    container: Mapped[str | None]
    sample_rate: Mapped[int | None]
    channels: Mapped[int | None]
    frames: Mapped[int | None]
    start_time: Mapped[datetime | None] = mapped_column(DateTime)
    utc_offset_s: Mapped[int | None]
    site: Mapped[str | None]
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    licence: Mapped[str | None]
    extra: Mapped[dict[str, Any]]
    status: Mapped[str]
    problem: Mapped[str | None]
    added_at: Mapped[datetime] = mapped_column(DateTime)


class Label(Base):
    """A name that annotations use, with the taxon or call type it stands for."""

    __tablename__ = "labels"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String, unique=True)
    kind: Mapped[str | None]
    scientific_name: Mapped[str | None]
    common_name: Mapped[str | None]
    rank: Mapped[str | None]
    synonyms: Mapped[list[str] | None] = mapped_column(JSON)


class LabelScope(Base):
    """A set of labels that an absence speaks of; its members are in ``label_scope_members``."""

    __tablename__ = "label_scopes"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String, unique=True)


class LabelScopeMember(Base):
    """One label of a scope."""

    __tablename__ = "label_scope_members"

    scope_id: Mapped[int] = mapped_column(
        ForeignKey("label_scopes.id", ondelete="CASCADE"), primary_key=True
    )
    label_id: Mapped[int] = mapped_column(ForeignKey("labels.id"), primary_key=True)


class Annotation(Base):
    """Who said what about which span of which recording."""

    __tablename__ = "annotations"

    id: Mapped[int] = mapped_column(primary_key=True)
    recording_id: Mapped[int] = mapped_column(
        ForeignKey("recordings.id", ondelete="CASCADE"), index=True
    )
    start_s: Mapped[float | None]
    end_s: Mapped[float | None]
    low_hz: Mapped[float | None]
    high_hz: Mapped[float | None]
    channel: Mapped[int | None]
    label_id: Mapped[int | None] = mapped_column(ForeignKey("labels.id"), index=True)
    presence: Mapped[str]
    scope_id: Mapped[int | None] = mapped_column(ForeignKey("label_scopes.id"))
    confidence: Mapped[float | None]
    annotator: Mapped[str | None]
    note: Mapped[str | None]
    source: Mapped[str | None]
    batch: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(DateTime)
    # Digest of what is said (not of where it was read), so that saying it twice adds nothing.
    # SQL's own unique keys take two NULLs for different.
    key: Mapped[str] = mapped_column(String, unique=True)


class Import(Base):
    """A label table that was read."""

    __tablename__ = "imports"

    id: Mapped[int] = mapped_column(primary_key=True)
    path: Mapped[str]
    sha256: Mapped[str | None]
    format: Mapped[str | None]
    added: Mapped[int]
    already_there: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(DateTime)


class EmbeddingTable(Base):
    """A table of embeddings: one encoder, one way to cut windows."""

    __tablename__ = "embedding_tables"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String, unique=True)
    key: Mapped[str] = mapped_column(String, unique=True)
    encoder: Mapped[str]
    fingerprint: Mapped[str]
    spec: Mapped[dict[str, Any]]
    windows: Mapped[dict[str, Any]]
    origin: Mapped[dict[str, Any]]
    dim: Mapped[int]
    dtype: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(DateTime)


class Failure(Base):
    """A recording that could not be embedded into a table."""

    __tablename__ = "failures"

    table_id: Mapped[int] = mapped_column(
        ForeignKey("embedding_tables.id", ondelete="CASCADE"), primary_key=True
    )
    recording_id: Mapped[int] = mapped_column(
        ForeignKey("recordings.id", ondelete="CASCADE"), primary_key=True
    )
    reason: Mapped[str]
    attempts: Mapped[int]
    last_at: Mapped[datetime] = mapped_column(DateTime)


class Claim(Base):
    """A recording that a worker has taken on and not yet committed."""

    __tablename__ = "claims"

    table_id: Mapped[int] = mapped_column(
        ForeignKey("embedding_tables.id", ondelete="CASCADE"), primary_key=True
    )
    recording_id: Mapped[int] = mapped_column(
        ForeignKey("recordings.id", ondelete="CASCADE"), primary_key=True
    )
    owner: Mapped[str] = mapped_column(String, index=True)


class Detector(Base):
    """A trained detector; the file itself is in ``models/``."""

    __tablename__ = "detectors"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    file: Mapped[str]
    table_id: Mapped[int | None] = mapped_column(ForeignKey("embedding_tables.id"))
    labels_spent: Mapped[int]
    metrics: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(DateTime)


class Event(Base):
    """Something worth keeping in order, such as the quality after so many labels."""

    __tablename__ = "events"

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String, index=True)
    data: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(DateTime)


class Answer(Base):
    """What a person said of a window, in order; rows are added and never changed.

    The annotations that follow from a person's standing answer carry its id in their ``batch``.
    """

    __tablename__ = "answers"
    __table_args__ = (
        Index("ix_answers_window", "recording_id", "start_s", "end_s", "channel"),
        Index("ix_answers_annotator", "annotator", "id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    recording_id: Mapped[int] = mapped_column(ForeignKey("recordings.id", ondelete="CASCADE"))
    start_s: Mapped[float]
    end_s: Mapped[float]
    channel: Mapped[int]
    annotator: Mapped[str]
    # answer, skip, retract or settle
    kind: Mapped[str]
    # present, absent, unsure: lists of names; complete, scope; boxes; note
    said: Mapped[dict[str, Any]]
    # The earlier answer of the same person to the same window that this one takes the place of.
    replaces: Mapped[int | None] = mapped_column(ForeignKey("answers.id"))
    item_id: Mapped[int | None] = mapped_column(
        ForeignKey("queue_items.id", ondelete="SET NULL"), index=True
    )
    # Time spent on the window, and what the page suggested (null when it was hidden).
    seconds: Mapped[float | None]
    suggested: Mapped[list[Any] | None] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(DateTime)
    # Made by the client, so that an answer sent twice is kept once.
    key: Mapped[str] = mapped_column(String, unique=True)


class Queue(Base):
    """Windows to label, in an order that a strategy, a search or a person chose."""

    __tablename__ = "queues"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    # strategy, search, random, stratified, disagreement or chosen
    kind: Mapped[str]
    parameters: Mapped[dict[str, Any]]
    table_id: Mapped[int | None] = mapped_column(ForeignKey("embedding_tables.id"))
    # Null: shared by everybody, each window shown to one person at a time.
    owner: Mapped[str | None] = mapped_column(String, index=True)
    open: Mapped[bool]
    created_at: Mapped[datetime] = mapped_column(DateTime)


class QueueItem(Base):
    """One window of a queue."""

    __tablename__ = "queue_items"
    __table_args__ = (
        Index("ix_queue_items_queue", "queue_id", "position"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    queue_id: Mapped[int] = mapped_column(ForeignKey("queues.id", ondelete="CASCADE"))
    position: Mapped[int]
    recording_id: Mapped[int] = mapped_column(ForeignKey("recordings.id", ondelete="CASCADE"))
    start_s: Mapped[float]
    end_s: Mapped[float]
    channel: Mapped[int]
    utility: Mapped[float | None]
    # Probability with which the window came into the queue, null where it was sought out.
    chance: Mapped[float | None]
    stratum: Mapped[str | None]
    suggested: Mapped[list[Any] | None] = mapped_column(JSON)
    # Who has it open and until when; done is the id of the answer (or skip) that closed it.
    holder: Mapped[str | None]
    held_until: Mapped[datetime | None] = mapped_column(DateTime)
    done: Mapped[int | None]


class User(Base):
    """Somebody who may log in to the web app."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String, unique=True)
    password_hash: Mapped[str]
    # annotator or manager
    role: Mapped[str]
    disabled: Mapped[bool]
    created_at: Mapped[datetime] = mapped_column(DateTime)


class LoginSession(Base):
    """A browser that has logged in; only a digest of its token is kept."""

    __tablename__ = "login_sessions"

    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(String, unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    csrf: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(DateTime)
    expires_at: Mapped[datetime] = mapped_column(DateTime)

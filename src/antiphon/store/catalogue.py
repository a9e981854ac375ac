"""The catalogue: what a project knows of recordings, labels, annotations and detectors."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
from sqlalchemy import URL, insert, select, update

from antiphon.errors import StoreError
from antiphon.store import annotations as annotation_rows
from antiphon.store import answers, recordings, work
from antiphon.store.annotations import AddReport
from antiphon.store.database import Database, name_of
from antiphon.store.recordings import RecordingEntry, SyncReport
from antiphon.store.schema import Detector, Event, Fact, Import, Label


@dataclass(frozen=True, slots=True)
class DetectorRow:
    """A trained detector.

    Parameters
    ----------
    file
        Name of its file in the project's ``models`` folder.
    table_id
        The table of embeddings it was trained on.
    labels_spent
        Labelled spans there were when it was trained.
    metrics
        Its quality, as plain JSON values.
    """

    id: int
    name: str
    file: str
    table_id: int | None
    labels_spent: int
    metrics: Mapping[str, Any]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class EventRow:
    """Something that happened, in order of ``id``."""

    id: int
    kind: str
    data: Mapping[str, Any]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class LabelRow:
    """A label and the taxon or call type it stands for."""

    id: int
    name: str
    kind: str | None
    scientific_name: str | None
    common_name: str | None
    rank: str | None
    synonyms: tuple[str, ...]


class Catalogue:
    """The catalogue of a project, open for reading and writing.

    Any number of processes and threads may use one catalogue at once.

    Parameters
    ----------
    database
        A prepared database; use :meth:`open`.
    """

    def __init__(self, database: Database) -> None:
        self.database = database
        self._identity: str | None = None

    @classmethod
    def open(cls, path: Path, url: str | None = None, *, wait_s: float = 30.0) -> Catalogue:
        """Open a catalogue; made when it is not there, brought up to date when it is older.

        Parameters
        ----------
        path
            The SQLite file, used without ``url``.
        url
            SQLAlchemy URL of another database.
        wait_s
            How long a write waits for another process's.

        Raises
        ------
        StoreError
            If a newer Antiphon wrote it, or it is damaged, locked or cannot be reached; or if the
            database is empty while the file is there.
        """
        if url is None:
            database = Database(URL.create("sqlite", database=str(path)), str(path), wait_s)
        else:
            database = Database(url, name_of(url), wait_s)
            if path.exists() and database.version() is None:
                raise StoreError(
                    f"{database.name}: this database is empty, and the project's labels are in "
                    f"{path}. Take url out of antiphon.toml and move them: antiphon catalogue "
                    f"{path.parent} --move-to URL. To begin without them, delete that file."
                )
        database.prepare()
        return cls(database)

    def close(self) -> None:
        """Close all connections."""
        self.database.close()

    @property
    def identity(self) -> str:
        """A random name given to the catalogue when it was made; vector tables remember it."""
        query = select(Fact.value).where(Fact.name == "identity")
        if self._identity is None:
            with self.database.read() as connection:
                self._identity = connection.execute(query).scalar()
        if self._identity is None:
            with self.database.write() as connection:
                found = connection.execute(query).scalar()
                if found is None:
                    found = uuid.uuid4().hex
                    connection.execute(insert(Fact).values(name="identity", value=found))
                self._identity = found
        return self._identity

    # Recordings

    def known_files(self) -> dict[tuple[str, str], RecordingEntry]:
        """Return the files that were there at the last scan, by audio folder and path."""
        with self.database.read() as connection:
            return recordings.known_files(connection)

    def sync_recordings(
        self, entries: Iterable[RecordingEntry], *, roots: Iterable[str] | None = None
    ) -> SyncReport:
        """Bring the catalogue up to date with a scan of the audio folders.

        A file with other contents than before gets a new id; the old id becomes ``replaced`` and
        its windows are no longer shown. A file that moved keeps its id, vectors and labels when
        its contents are unmistakable. Recordings of the scanned folders that are not among the
        entries become ``missing`` and come back when their file does.

        Parameters
        ----------
        entries
            All files found.
        roots
            Names of the folders that were scanned; all folders when None.
        """
        with self.database.write() as connection:
            return recordings.sync(connection, entries, roots)

    def recordings(self, *, all_states: bool = False) -> pa.Table:
        """Return the recordings whose files are there, ordered by id.

        Parameters
        ----------
        all_states
            Also those that are missing or replaced.

        Returns
        -------
        pa.Table
            :data:`~antiphon.store.recordings.RECORDING_SCHEMA` and ``extra``.
        """
        with self.database.read() as connection:
            return recordings.read_recordings(
                connection, None if all_states else recordings.CURRENT
            )

    # Labels and annotations

    def label_names(self) -> list[str]:
        """Return the names of all labels, sorted."""
        with self.database.read() as connection:
            # Not sorted by the database: servers sort by the rules of some language.
            return sorted(connection.execute(select(Label.name)).scalars())

    def labels(self) -> list[LabelRow]:
        """Return all labels with what is known of them, sorted by name."""
        with self.database.read() as connection:
            rows = connection.execute(
                select(
                    Label.id,
                    Label.name,
                    Label.kind,
                    Label.scientific_name,
                    Label.common_name,
                    Label.rank,
                    Label.synonyms,
                )
            ).all()
        found = [LabelRow(*row[:6], synonyms=tuple(row[6] or ())) for row in rows]
        return sorted(found, key=lambda row: row.name)

    def set_label(self, name: str, **facts: Any) -> None:
        """Add a label or change what is known of it.

        Parameters
        ----------
        **facts
            ``kind``, ``scientific_name``, ``common_name``, ``rank``, ``synonyms``.
        """
        with self.database.write() as connection:
            label_id = annotation_rows.ensure_labels(connection, [name])[name]
            if facts:
                connection.execute(update(Label).where(Label.id == label_id).values(**facts))

    def add_annotations(
        self,
        table: pa.Table,
        *,
        source: str | None = None,
        batch: str | None = None,
        annotator: str | None = None,
        replacing: Sequence[int] = (),
    ) -> AddReport:
        """Add annotations; what is there already is not added again.

        Two annotations are the same when recording, span, band, channel, label, presence, scope,
        confidence and annotator are; where they were read and the note do not count.

        Parameters
        ----------
        table
            The columns of :data:`antiphon.labels.annotation.ANNOTATION_SCHEMA`, with
            ``recording_id`` (int64).
        source
            The file or tool it comes from.
        batch
            An import or a round of labelling.
        annotator
            Who labelled, where the table does not say.
        replacing
            Ids of annotations that these take the place of; they are deleted in the same
            transaction. An answer that any of them follows from is retracted with all that
            follows from it.

        Raises
        ------
        StoreError
            If a row speaks of a recording that is not there or says something impossible; then
            nothing is added and nothing deleted.
        """
        with self.database.write() as connection:
            answers.retract_replaced(connection, replacing)
            annotation_rows.remove(connection, replacing, None, None)
            return annotation_rows.add(
                connection, table, source=source, batch=batch, annotator=annotator
            )

    def annotations(
        self,
        *,
        labels: Sequence[str] | None = None,
        presence: Sequence[str] | None = None,
        recording_ids: Sequence[int] | None = None,
        all_states: bool = False,
    ) -> pa.Table:
        """Return annotations in the order they were added.

        Parameters
        ----------
        labels
            Only rows that speak of any of these, by name or by scope.
        presence
            Only these, of ``present``, ``absent``, ``unsure``.
        recording_ids
            Only of these recordings.
        all_states
            Also of recordings that are missing or replaced.

        Returns
        -------
        pa.Table
            :data:`~antiphon.store.annotations.STORED_ANNOTATION_SCHEMA`.
        """
        states = None if all_states else recordings.CURRENT
        with self.database.read() as connection:
            return annotation_rows.read_annotations(
                connection, labels, presence, recording_ids, states
            )

    def remove_annotations(
        self,
        *,
        ids: Sequence[int] | None = None,
        source: str | None = None,
        batch: str | None = None,
    ) -> int:
        """Delete annotations by id, or all of a source or batch; return how many.

        Raises
        ------
        ValueError
            If nothing says which.
        """
        if ids is None and source is None and batch is None:
            raise ValueError("say which annotations: ids, source or batch")
        with self.database.write() as connection:
            return annotation_rows.remove(connection, ids, source, batch)

    def labels_spent(self) -> int:
        """Return how many distinct spans of recordings carry any annotation."""
        with self.database.read() as connection:
            return annotation_rows.labels_spent(connection)

    def add_import(
        self,
        path: str,
        *,
        sha256: str | None = None,
        format: str | None = None,
        added: int = 0,
        already_there: int = 0,
    ) -> None:
        """Keep that a label table was read."""
        with self.database.write() as connection:
            connection.execute(
                insert(Import).values(
                    path=path,
                    sha256=sha256,
                    format=format,
                    added=added,
                    already_there=already_there,
                    created_at=work.now(),
                )
            )

    # Tables of embeddings

    def tables(self) -> list[work.TableRow]:
        """Return the tables of embeddings, the newest last."""
        with self.database.read() as connection:
            return work.tables(connection)

    def failures(self, table_id: int) -> dict[int, work.FailureRow]:
        """Return why recordings could not be embedded into a table, by recording id."""
        with self.database.read() as connection:
            return work.failures(connection, table_id)

    # Detectors and history

    def add_detector(
        self,
        *,
        name: str,
        file: str,
        table_id: int | None,
        labels_spent: int,
        metrics: Mapping[str, Any] | None = None,
    ) -> int:
        """Add a trained detector and return its id."""
        with self.database.write() as connection:
            row = connection.execute(
                insert(Detector)
                .values(
                    name=name,
                    file=file,
                    table_id=table_id,
                    labels_spent=labels_spent,
                    metrics=dict(metrics or {}),
                    created_at=work.now(),
                )
                .returning(Detector.id)
            )
            return int(row.scalar_one())

    def detectors(self) -> list[DetectorRow]:
        """Return all detectors, the newest last."""
        columns = [getattr(Detector, name) for name in DetectorRow.__slots__]
        with self.database.read() as connection:
            rows = connection.execute(select(*columns).order_by(Detector.id))
            return [DetectorRow(*row) for row in rows]

    def add_event(self, kind: str, data: Mapping[str, Any]) -> None:
        """Keep something that happened, as plain JSON values."""
        with self.database.write() as connection:
            connection.execute(
                insert(Event).values(kind=kind, data=dict(data), created_at=work.now())
            )

    def events(self, kind: str) -> list[EventRow]:
        """Return the events of a kind in the order they happened."""
        with self.database.read() as connection:
            rows = connection.execute(
                select(Event.id, Event.kind, Event.data, Event.created_at)
                .where(Event.kind == kind)
                .order_by(Event.id)
            )
            return [EventRow(*row) for row in rows]

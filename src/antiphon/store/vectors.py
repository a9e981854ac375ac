"""One table of embeddings: what it holds, reading, searching, and writing through sessions."""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from antiphon.errors import StoreError
from antiphon.store import work
from antiphon.store.dataset import StoredTable, canonical
from antiphon.store.view import View

if TYPE_CHECKING:
    from antiphon.store.catalogue import Catalogue
    from antiphon.store.project import ProjectFolder
    from antiphon.store.session import EmbeddingSession

_log = logging.getLogger(__name__)


class VectorTable(StoredTable):
    """Embeddings of one encoder over one way to cut windows.

    Parameters
    ----------
    folder
        The project.
    row
        The catalogue's entry; use :meth:`ProjectFolder.open_vectors` or ``table``.

    Notes
    -----
    :meth:`windows` reads a new snapshot; :meth:`vectors` and :meth:`nearest` speak of the rows of
    the snapshot read last, whatever other processes add meanwhile. Use :meth:`view` to hold
    several snapshots apart.
    """

    def __init__(self, folder: ProjectFolder, row: work.TableRow) -> None:
        super().__init__(folder.vectors_dir, row, folder.catalogue.identity)
        self.folder = folder
        self._view: View | None = None

    @property
    def id(self) -> int:
        """Id in the catalogue."""
        return self.row.id

    @property
    def name(self) -> str:
        """Name of the table: the encoder's and eight digits of the key."""
        return self.row.name

    @property
    def encoder(self) -> str:
        """Short name of the encoder."""
        return self.row.encoder

    @property
    def fingerprint(self) -> str:
        """Fingerprint of the encoder."""
        return self.row.fingerprint

    @property
    def spec(self) -> Mapping[str, Any]:
        """The encoder's facts."""
        return self.row.spec

    @property
    def windows_spec(self) -> Mapping[str, Any]:
        """``window_s``, ``hop_s`` and ``channel``."""
        return self.row.windows

    @property
    def origin(self) -> Mapping[str, Any]:
        """How the encoder can be made again; empty when it was given from Python."""
        return self.row.origin

    @property
    def dim(self) -> int:
        """Length of an embedding."""
        return self.row.dim

    @classmethod
    def ensure(
        cls,
        folder: ProjectFolder,
        *,
        encoder: str,
        fingerprint: str,
        spec: Mapping[str, Any],
        windows: Mapping[str, Any],
        dim: int,
        origin: Mapping[str, Any],
    ) -> VectorTable:
        """Return a table, made if it is new; see :meth:`ProjectFolder.open_vectors`."""
        dtype = folder.config.vectors.dtype
        identity = {
            "fingerprint": fingerprint,
            "windows": dict(windows),
            "dim": dim,
            "dtype": dtype,
        }
        key = hashlib.sha256(canonical(identity).encode()).hexdigest()
        name = re.sub(r"[^A-Za-z0-9_-]+", "-", encoder).strip("-") or "encoder"
        facts = {
            "name": f"{name}-{key[:8]}",
            "key": key,
            "encoder": encoder,
            "fingerprint": fingerprint,
            "spec": json.loads(canonical(dict(spec))),
            "windows": json.loads(canonical(dict(windows))),
            "origin": json.loads(canonical(dict(origin))),
            "dim": dim,
            "dtype": dtype,
        }
        with folder.catalogue.database.write() as connection:
            row = work.ensure_table(connection, facts)
        return cls.open(folder, row)

    @classmethod
    def open(cls, folder: ProjectFolder, row: work.TableRow) -> VectorTable:
        """Open the table of a catalogue entry; the dataset is made when it is not there.

        Raises
        ------
        StoreError
            If the dataset belongs to another catalogue or another table.
        """
        table = cls(folder, row)
        table.make()
        table._take_over_quietly()
        return table

    def _take_over_quietly(self) -> None:
        """Take over what dead workers finished, so that a reader sees it; a fault only warns."""
        from antiphon.store.recovery import dead_owners

        try:
            if dead_owners(self):
                self.recover()
        except StoreError as error:
            _log.warning("What a killed run finished is not shown yet: %s", error)

    # Work

    def session(
        self, catalogue: Catalogue | None = None, *, retry_failed: bool = False
    ) -> EmbeddingSession:
        """Return a session that embeds recordings into this table; use it with ``with``.

        Parameters
        ----------
        catalogue
            The project's own when None.
        retry_failed
            Let recordings be claimed that failed before this session.
        """
        from antiphon.store.session import EmbeddingSession

        return EmbeddingSession(self, catalogue or self.folder.catalogue, retry_failed=retry_failed)

    def recover(self) -> list[int]:
        """Take over what dead workers finished; return the ids that were committed."""
        from antiphon.store.recovery import recover

        return recover(self, self.folder.catalogue)

    # Reading

    def count(self) -> int:
        """Return the windows in the table, those of recordings that are gone left out."""
        return len(self.view())

    def recording_ids(self) -> list[int]:
        """Return the ids of embedded recordings that are still there, sorted."""
        windows = self.view().windows()
        return np.unique(windows.column("recording_id").to_numpy()).tolist()  # type: ignore[no-any-return]

    def view(self) -> View:
        """Return a snapshot for reading, the same one as long as nothing has changed."""
        dataset = self.dataset()
        live = self._live()
        view = self._view
        if view is None or view.version != dataset.version or not np.array_equal(view.live, live):
            view = View(self, dataset, live)
        self._view = view
        return view

    def _live(self) -> npt.NDArray[np.int64]:
        from sqlalchemy import select

        from antiphon.store.recordings import READABLE
        from antiphon.store.schema import Recording

        with self.folder.catalogue.database.read() as connection:
            query = select(Recording.id).where(Recording.status.in_(READABLE))
            return np.array(sorted(connection.execute(query).scalars()), dtype=np.int64)

    def windows(self) -> pa.Table:
        """Return all windows of a new snapshot; see :meth:`View.windows`."""
        return self.view().windows()

    def vectors(self, rows: npt.ArrayLike) -> npt.NDArray[np.float32]:
        """Return embeddings of rows of the last :meth:`windows`; see :meth:`View.vectors`."""
        return self._current().vectors(rows)

    def all_vectors(self) -> npt.NDArray[np.float32]:
        """Return the embeddings of all rows of the last :meth:`windows`."""
        return self._current().all_vectors()

    def nearest(
        self,
        query: npt.ArrayLike,
        k: int,
        *,
        mask: npt.NDArray[np.bool_] | None = None,
        exact: bool | None = None,
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
        """Return the most similar rows of the last :meth:`windows`, by centred cosine.

        See :meth:`View.nearest`.
        """
        return self._current().nearest(query, k, mask=mask, exact=exact)

    def _current(self) -> View:
        return self._view if self._view is not None else self.view()

    # Index

    def build_index(self) -> None:
        """Build the index for approximate search over all rows, in place of an older one.

        It holds 1024 bits for each window, in a file beside the dataset.
        """
        from antiphon.store.search import build_index

        build_index(self)

    def drop_index(self) -> None:
        """Delete the index; searches are exact again."""
        from antiphon.store.search import drop_index

        drop_index(self)

"""What all pages and all requests of a running app share."""

from __future__ import annotations

import logging
import math
import secrets
import threading
import time
from collections.abc import Callable
from typing import TypeVar, cast

from antiphon.app.security.throttle import Throttle
from antiphon.app.settings import Settings
from antiphon.pipeline.annotate.said import StoredAnswer
from antiphon.pipeline.windows import WindowSet, load_windows
from antiphon.store.accounts import Accounts
from antiphon.store.project import ProjectFolder
from antiphon.store.vectors import VectorTable

T = TypeVar("T")

_log = logging.getLogger(__name__)

# How old the windows at hand may be, in seconds; a look at the table costs a few milliseconds.
_FRESH_S = 2.0
# The same for facts of recordings (site, time, position), which change rarely and cost more.
_FACTS_S = 30.0


class AppContext:
    """A project that is open in the app.

    Everything here may be used from several threads.

    Parameters
    ----------
    folder
        The project.
    settings
        How the app is run.
    """

    def __init__(self, folder: ProjectFolder, settings: Settings | None = None) -> None:
        self.folder = folder
        self.settings = settings or Settings()
        # Stands for the login where there is none: another site's page cannot know it.
        self.token = secrets.token_urlsafe(32)
        # Called with each answer after it is committed, from the thread of the request.
        self.after_answer: list[Callable[[StoredAnswer], None]] = []
        # Called before the project is closed, the last one first.
        self.on_close: list[Callable[[], None]] = []
        self.throttle = Throttle()
        # Of old passwords within sessions. Apart from the login, so that neither who guesses there
        # nor who has found an open session delays the owner at the other place.
        self.session_throttle = Throttle()
        self._services: dict[object, object] = {}
        self._services_lock = threading.RLock()
        self._lock = threading.Lock()
        self._newest: VectorTable | None = None
        self._windows: WindowSet | None = None
        self._looked = self._looked_at_facts = -math.inf

    def service(self, kind: type[T], make: Callable[[], T]) -> T:
        """Return the one object of a class that this app has; ``make`` is called the first time."""
        with self._services_lock:
            if kind not in self._services:
                self._services[kind] = make()
            return cast(T, self._services[kind])

    def tell(self, stored: StoredAnswer) -> None:
        """Call what waits for answers; the answer is kept, whatever becomes of that."""
        if stored.repeated:
            return
        for listener in list(self.after_answer):
            try:
                listener(stored)
            except Exception:
                _log.exception("What follows answer %d failed.", stored.id)

    @property
    def accounts(self) -> Accounts:
        """The people who may log in, and their sessions."""
        return Accounts(self.folder.catalogue.database)

    def table(self, name: str | None = None) -> VectorTable:
        """Return a table of embeddings; the newest when no name is given.

        Raises
        ------
        UserError
            If the project has no embeddings yet, or none of that name.
        """
        return self.folder.table(name)

    def has_embeddings(self) -> bool:
        """Return whether there is a table of embeddings."""
        return bool(self.folder.catalogue.tables())

    def windows(self) -> WindowSet:
        """Return the windows of the newest table whose recordings can be read.

        They are read again, at most two seconds late, when the table has grown, a newer table was
        made, or recordings went missing or came back; within half a minute when facts of
        recordings changed. The same object is returned as long as nothing has changed.

        Raises
        ------
        UserError
            If the project has no embeddings yet.
        """
        now = self._windows
        if now is not None and time.monotonic() - self._looked <= _FRESH_S:
            return now
        # Who comes while another thread looks takes what was there; only the first one must wait.
        if not self._lock.acquire(blocking=now is None):
            assert now is not None
            return now
        try:
            if self._windows is None or time.monotonic() - self._looked > _FRESH_S:
                self._windows = self._read(self._windows)
                self._looked = time.monotonic()
            return self._windows
        finally:
            self._lock.release()

    def _read(self, known: WindowSet | None) -> WindowSet:
        """Return the windows as they are now, ``known`` itself when nothing has changed."""
        rows = self.folder.catalogue.tables()
        table = self._newest
        if table is None or not rows or rows[-1].id != table.id:
            table = self._newest = self.table()
        facts_due = time.monotonic() - self._looked_at_facts > _FACTS_S
        # A table hands out the same view as long as its rows and the live recordings are the same.
        if known is not None and known.view is table.view() and not facts_due:
            return known
        found = load_windows(self.folder, table)
        self._looked_at_facts = time.monotonic()
        if known is not None and known.view is found.view:
            return known if known.recordings.equals(found.recordings) else found
        return found

    def close(self) -> None:
        """End what runs in the background and close the project."""
        for last in reversed(self.on_close):
            last()
        self.on_close.clear()
        self.folder.close()

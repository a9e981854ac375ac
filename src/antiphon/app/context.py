"""What all pages and all requests of a running app share."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from typing import Any

from antiphon.app.settings import Settings
from antiphon.errors import UserError
from antiphon.pipeline.windows import WindowSet, load_windows
from antiphon.store.project import ProjectFolder
from antiphon.store.vectors import VectorTable

# How old the windows at hand may be, in seconds; a look at the table costs a few milliseconds.
_FRESH_S = 2.0


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
        self.after_answer: list[Callable[[Any], None]] = []
        self._lock = threading.Lock()
        self._windows: tuple[tuple[str, int], WindowSet] | None = None
        self._looked = -_FRESH_S

    def table(self, name: str | None = None) -> VectorTable:
        """Return a table of embeddings; the newest when no name is given.

        Raises
        ------
        UserError
            If the project has no embeddings yet, or none of that name.
        """
        return self.folder.table(name)

    def has_embeddings(self) -> bool:
        """Return whether there is anything to label."""
        try:
            self.table()
        except UserError:
            return False
        return True

    def windows(self) -> WindowSet:
        """Return the windows of the newest table, read again when the table has grown."""
        with self._lock:
            now = time.monotonic()
            if self._windows is None or now - self._looked > _FRESH_S:
                table = self.table()
                key = (table.name, table.view().version)
                if self._windows is None or self._windows[0] != key:
                    self._windows = (key, load_windows(self.folder, table))
                self._looked = now
            return self._windows[1]

    def close(self) -> None:
        """Close the project."""
        self.folder.close()

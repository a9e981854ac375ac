"""Overviews of many recordings, made one after another in the background."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from antiphon.app.media.cache import ByteCache
from antiphon.app.media.overview import Overview, keep_overview, make_overview, read_overview
from antiphon.app.media.sources import Source
from antiphon.errors import AntiphonError

_log = logging.getLogger(__name__)

_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an overview is.

    Parameters
    ----------
    state
        ``ready``, ``running``, ``waiting`` or ``failed``.
    share
        Done so far, 0 to 1.
    problem
        Why it failed, None otherwise.
    """

    state: Literal["ready", "running", "waiting", "failed"]
    share: float = 0.0
    problem: str | None = None


class _NotThereError(Exception):
    """No overview is kept yet."""


class Overviews:
    """The overviews of a project.

    Parameters
    ----------
    folder
        Where they are kept; it may be deleted at any time.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._memory: ByteCache[Overview] = ByteCache(_BYTES, lambda made: made.nbytes)
        self._lock = threading.Lock()
        self._waiting: list[Source] = []
        self._running: tuple[str, float] | None = None
        self._failed: dict[str, str] = {}
        self._worker: threading.Thread | None = None

    def get(self, source: Source) -> Overview | None:
        """Return a recording's overview, None if it is not made yet."""

        def read() -> Overview:
            kept = read_overview(self._folder, source)
            if kept is None:
                raise _NotThereError
            return kept

        try:
            return self._memory.get(source.content_key, read)
        except _NotThereError:
            return None

    def want(self, sources: Sequence[Source]) -> list[Progress]:
        """Return how far each is, and make those that are not there, before all others.

        What failed is tried again when the file has changed or the app was started anew.
        """
        missing = [source for source in sources if self.get(source) is None]
        lost = {source.content_key for source in missing}
        with self._lock:
            wanted = [s for s in missing if s.content_key not in self._failed]
            first = {s.content_key for s in wanted}
            later = [s for s in self._waiting if s.content_key not in first]
            if self._running is not None:
                wanted = [s for s in wanted if s.content_key != self._running[0]]
            self._waiting = wanted + later
            if self._waiting and self._worker is None:
                self._worker = threading.Thread(
                    target=self._work, name="antiphon overviews", daemon=True
                )
                self._worker.start()
            return [
                self._progress(s.content_key) if s.content_key in lost else Progress("ready", 1.0)
                for s in sources
            ]

    def _progress(self, key: str) -> Progress:
        if key in self._failed:
            return Progress("failed", 0.0, self._failed[key])
        if self._running is not None and self._running[0] == key:
            return Progress("running", self._running[1])
        return Progress("waiting")

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._running = self._worker = None
                    return
                source = self._waiting.pop(0)
                self._running = (source.content_key, 0.0)
            try:
                self._make(source)
            except Exception as error:
                # One recording that cannot be read must not keep the others from being made.
                known = isinstance(error, AntiphonError)
                if not known:
                    _log.exception("overview of recording %d", source.id)
                said = str(error) if known else "It cannot be shown; the server's log says why."
                with self._lock:
                    self._failed[source.content_key] = said

    def _make(self, source: Source) -> None:
        if read_overview(self._folder, source) is not None:
            return

        def progress(share: float) -> None:
            with self._lock:
                self._running = (source.content_key, share)

        keep_overview(self._folder, source, make_overview(source, progress))

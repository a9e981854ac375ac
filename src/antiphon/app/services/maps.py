"""The maps of one running app: layouts, colourings and a UMAP that is being computed."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from antiphon.app.context import AppContext
from antiphon.errors import AntiphonError, UserError
from antiphon.pipeline import colouring
from antiphon.pipeline.colouring import Colouring
from antiphon.pipeline.detectors import current_detector, find_detector
from antiphon.pipeline.mapping import Layout, keep_umap, kept_umap, pca_layout
from antiphon.pipeline.mapping_umap import check_umap, fit_umap
from antiphon.pipeline.windows import WindowSet

Float32 = npt.NDArray[np.float32]
Made = TypeVar("Made")

_SNAPSHOTS = 3
_KEPT = 12


class OldMapError(UserError):
    """A map of windows that are no longer at hand."""


@dataclass(slots=True, eq=False)
class UmapJob:
    """A UMAP that is computed in the background.

    Parameters
    ----------
    state
        ``running``, ``done`` or ``failed``.
    share
        Of the epochs that are done.
    problem
        What went wrong.
    """

    state: str = "running"
    share: float = 0.0
    problem: str = ""


class Maps:
    """The maps of a project's windows; may be used from several threads.

    Parameters
    ----------
    context
        The running app.
    """

    def __init__(self, context: AppContext) -> None:
        # The table of maps holds its keys weakly, so this must not hold the context for long.
        self._folder = context.folder
        self._lock = threading.Lock()
        self._working = threading.Lock()
        self._snapshots: OrderedDict[str, WindowSet] = OrderedDict()
        self._made: OrderedDict[tuple[object, ...], object] = OrderedDict()
        self._job: UmapJob | None = None
        self._stop = threading.Event()

    def snapshot(self, windows: WindowSet) -> str:
        """Return a name under which these windows stay at hand for a while."""
        view = windows.view
        name = f"{view.table.name}-{view.version}-{len(windows)}-{len(view.live)}"
        with self._lock:
            self._snapshots[name] = self._snapshots.pop(name, windows)
            while len(self._snapshots) > _SNAPSHOTS:
                self._snapshots.popitem(last=False)
        return name

    def windows(self, name: str) -> WindowSet:
        """Return the windows of a snapshot.

        Raises
        ------
        OldMapError
            If they are not at hand any more.
        """
        with self._lock:
            windows = self._snapshots.get(name)
        if windows is None:
            raise OldMapError("The windows have changed since; load the map again.")
        return windows

    def layout(self, name: str, method: str) -> Layout:
        """Return where the windows of a snapshot lie: ``pca`` or ``umap``.

        Raises
        ------
        UserError
            If no UMAP was computed yet.
        """
        windows = self.windows(name)
        pca = self._once((name, "pca"), lambda: pca_layout(windows))
        if method == "pca":
            return pca
        made = self._once((name, "umap", self._job), lambda: kept_umap(windows, pca.position))
        if made is None:
            raise UserError("There is no UMAP of these windows yet; compute it first.")
        return made

    def colours(self, name: str, by: str, value: str = "") -> Colouring:
        """Return the colours of a snapshot's windows.

        Parameters
        ----------
        by
            ``labels``, ``label``, ``score``, ``site``, ``hour``, ``date``, ``cluster``, ``round``
            or ``queue``.
        value
            The name of the label, the number of clusters or the id of the queue.

        Raises
        ------
        UserError
            If there is no such colouring.
        """
        windows, folder = self.windows(name), self._folder
        if by == "labels":
            return colouring.by_labels(folder, windows)
        if by == "label":
            return colouring.by_label(folder, windows, value)
        if by == "site":
            return colouring.by_site(windows)
        if by == "hour":
            return colouring.by_hour(windows)
        if by == "date":
            return colouring.by_date(windows)
        if by == "round":
            return colouring.by_round(folder, windows)
        if by in ("cluster", "queue") and not value.isdecimal():
            raise UserError(f"A map by {by} needs a number, not {value!r}.")
        if by == "queue":
            return colouring.by_queue(folder, windows, int(value))
        if by == "cluster":
            position = self.layout(name, "pca").position
            return self._once(
                (name, "cluster", value), lambda: colouring.by_cluster(position, int(value))
            )
        if by == "score":
            detector = current_detector(folder, windows.view.table)
            key = (name, "score", folder.catalogue.detectors()[-1].id)
            codes, above = self._once(key, lambda: colouring.score_codes(windows, detector))
            return colouring.by_score(detector, codes, above, value)
        raise UserError(f"A map cannot be coloured by {by!r}.")

    def detector_labels(self, windows: WindowSet) -> list[str]:
        """Return the labels that the current detector scores."""
        detector = find_detector(self._folder, windows.view.table)
        return [] if detector is None else list(detector.labels)

    def umap_state(self, name: str) -> UmapJob:
        """Return how far the UMAP of a snapshot is; ``missing`` where nobody asked for it."""
        job = self._job
        if job is not None and job.state != "done":
            return job
        try:
            self.layout(name, "umap")
        except UserError:
            return UmapJob("missing")
        return UmapJob("done", 1.0)

    def start_umap(self, name: str) -> UmapJob:
        """Compute a UMAP in the background; one at a time.

        Raises
        ------
        MissingExtraError
            If umap-learn is not installed.
        UserError
            If there are too few windows, or they are not at hand any more.
        """
        windows = self.windows(name)
        check_umap(len(windows))
        with self._lock:
            if self._job is not None and self._job.state == "running":
                return self._job
            self._stop.clear()
            job = self._job = UmapJob()
        threading.Thread(
            target=self._run, args=(name, windows, job), name="antiphon-umap", daemon=True
        ).start()
        return job

    def stop_umap(self) -> None:
        """Give up the UMAP that is being computed."""
        self._stop.set()

    def _run(self, name: str, windows: WindowSet, job: UmapJob) -> None:
        def progress(share: float) -> None:
            job.share = share

        try:
            components = self.layout(name, "pca").position
            position = fit_umap(components, progress=progress, stop=self._stop)
            if position is None:
                job.state, job.problem = "failed", "It was stopped."
                return
            keep_umap(windows, position)
            job.state, job.share = "done", 1.0
        except (AntiphonError, OSError) as error:
            job.state, job.problem = "failed", str(error)

    def _once(self, key: tuple[object, ...], make: Callable[[], Made]) -> Made:
        """Make something once and keep it, unless it is None; others who want it wait."""
        with self._working:
            made = self._made.pop(key, None)
            if made is None:
                made = make()
            if made is not None:
                self._made[key] = made
                while len(self._made) > _KEPT:
                    self._made.popitem(last=False)
            return made  # type: ignore[return-value]


def maps_of(context: AppContext) -> Maps:
    """Return the maps of a running app, the same ones every time."""
    return context.service(Maps, lambda: Maps(context))

"""Recordings and detections of an open project, read once and kept while they are current."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, TypeVar
from weakref import proxy

import pyarrow as pa

from antiphon.app.context import AppContext
from antiphon.app.services.detecting import Background
from antiphon.errors import UserError
from antiphon.heads.detector import Detector
from antiphon.pipeline.browse.detections import DetectionFilter, Selection, select
from antiphon.pipeline.browse.precision import HeldOut, Precision, held_out, labels_version
from antiphon.pipeline.browse.precision import precision_of as judge_label
from antiphon.pipeline.browse.recordings import overview
from antiphon.pipeline.browse.thresholds import Counts, count_thresholds, set_before
from antiphon.pipeline.detect import DETECTION_SCHEMA, detect, detection_runs, load_detections
from antiphon.pipeline.detectors import find_detector
from antiphon.pipeline.windows import WindowSet

T = TypeVar("T")

# The overview reads all recordings and annotations, so a page may be this many seconds behind.
_FRESH_S = 2.0
_KEPT = 8


class Browsing:
    """What the page of recordings and detections shows, for all requests of an app.

    Parameters
    ----------
    context
        The running app's.
    """

    def __init__(self, context: AppContext) -> None:
        # The dictionary below holds this for as long as the context lives, and no longer.
        self._context = proxy(context)
        self._locks: dict[str, threading.Lock] = {}
        self._guard = threading.Lock()
        self._kept: dict[str, OrderedDict[Hashable, Any]] = {}
        self.detecting = Background()

    # What is there

    def runs(self) -> list[str]:
        """Return the names of all runs, the newest last."""
        return detection_runs(self._context.folder)

    def detections(self, run: str | None = None) -> tuple[str | None, pa.Table]:
        """Return a run's name and detections: the newest without a name; no rows without a run.

        Raises
        ------
        UserError
            If there is no run of that name.
        """
        runs = self.runs()
        if run is None:
            if not runs:
                return None, DETECTION_SCHEMA.empty_table()
            run = runs[-1]
        elif run not in runs:
            raise UserError(f"There are no detections called {run!r}. There are: {runs}.")
        folder = self._context.folder
        key = (run, (folder.detections_dir / f"{run}.parquet").stat().st_mtime_ns)
        return run, self._once("run", key, lambda: load_detections(folder, run))

    def select(
        self, run: str | None, wanted: DetectionFilter, *, spans: bool
    ) -> tuple[str | None, Selection]:
        """Return a run's name and the detections that a filter lets through."""
        name, found = self.detections(run)
        key = (name, id(found), wanted, spans)
        made: tuple[pa.Table, Selection] = self._once(
            "selection", key, lambda: (found, select(found, wanted, spans=spans))
        )
        # The table is kept with the selection, so that its id stands for no other one.
        return name, made[1]

    def recordings(self) -> pa.Table:
        """Return the overview of all recordings, with what the newest run found in each."""
        turn = int(time.monotonic() / _FRESH_S)
        run, found = self.detections()
        return self._once(
            "overview",
            (turn, run, id(found)),
            lambda: overview(self._context.folder, self._windows(), found),
        )

    def detector(self) -> Detector | None:
        """Return the newest detector of the newest embeddings, or None."""
        if not self._context.has_embeddings():
            return None
        folder = self._context.folder
        rows = folder.catalogue.detectors()
        key = rows[-1].id if rows else 0
        return self._once("detector", key, lambda: find_detector(folder, self._context.table()))

    def set_before(self) -> dict[str, float]:
        """Return thresholds that people had set and the last training chose anew, by label."""
        detector = self.detector()
        if detector is None:
            return {}
        folder = self._context.folder
        return self._once(
            "set before",
            detector.facts["name"],
            lambda: set_before(folder, self._context.table(), detector),
        )

    def _windows(self) -> WindowSet | None:
        return self._context.windows() if self._context.has_embeddings() else None

    # What thresholds would detect

    def counts(self) -> dict[str, Counts]:
        """Return what every threshold of the current detector would detect, by label.

        Raises
        ------
        UserError
            If there is no detector.
        """
        detector = self._need()
        windows = self._context.windows()
        key = (detector.facts["name"], id(windows))
        made: tuple[WindowSet, dict[str, Counts]] = self._once(
            "counts", key, lambda: (windows, count_thresholds(windows, detector))
        )
        return made[1]

    def precision(self, label: str) -> Precision:
        """Return what labelled windows say of a label's precision at the thresholds of its counts.

        Raises
        ------
        UserError
            If there is no detector, or nothing can be said.
        """
        detector = self._need()
        folder = self._context.folder
        counts = self.counts()
        if label not in counts:
            raise UserError(f"The detector has no label {label!r}.")
        # Retraining is what takes time; another threshold of the same head changes nothing of it.
        trained = detector.facts.get("thresholds_of", detector.facts["name"])
        version = labels_version(folder)
        held: HeldOut = self._once(
            "held out",
            (trained, detector.facts.get("created"), version),
            lambda: held_out(folder, self._context.table(), detector),
            # It holds the embeddings of all labelled windows.
            keep=1,
        )
        return judge_label(folder, detector, held, label, counts[label].thresholds)

    def _need(self) -> Detector:
        detector = self.detector()
        if detector is None:
            raise UserError(
                "There is no detector yet. Label some windows and train one on the page Loop, or "
                "run: antiphon train PROJECT"
            )
        return detector

    def detect(self) -> None:
        """Run the current detector over all embedded windows, in the background.

        Raises
        ------
        UserError
            If there is no detector, or it is running already.
        """
        self._need()
        folder, table = self._context.folder, self._context.table()
        self.detecting.start(lambda reporter: detect(folder, table, reporter=reporter))

    def _once(self, what: str, key: Hashable, make: Callable[[], T], *, keep: int = _KEPT) -> T:
        """Return what was made for a key, or make it; only one request makes it.

        Parameters
        ----------
        keep
            For how many keys it is held.
        """
        with self._guard:
            lock = self._locks.setdefault(what, threading.Lock())
            kept = self._kept.setdefault(what, OrderedDict())
        with lock:
            if key not in kept:
                # Room first: what is made may be as large as what goes.
                while len(kept) >= keep:
                    kept.popitem(last=False)
                kept[key] = make()
            kept.move_to_end(key)
            made: T = kept[key]
            return made


def browsing_of(context: AppContext) -> Browsing:
    """Return the browsing of a running app, the same one every time."""
    return context.service(Browsing, lambda: Browsing(context))

"""Agreement and disagreements of an open project, computed once for each state of its labels."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from antiphon.app.context import AppContext
from antiphon.evaluation.agreement import LabelAgreement
from antiphon.pipeline.annotate.comparing import Ratings, ratings_of
from antiphon.pipeline.annotate.disagreement import Disagreement, find_disagreements
from antiphon.pipeline.annotate.said import Span
from antiphon.pipeline.browse.precision import labels_version
from antiphon.pipeline.windows import WindowSet
from antiphon.store.project import ProjectFolder

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Disputed:
    """A window on which people disagree, and about which labels."""

    span: Span
    labels: tuple[Disagreement, ...]


class Agreeing:
    """What people agree on; may be used from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[tuple[int, int], WindowSet, Any]] = {}

    def disputed(self, folder: ProjectFolder, windows: WindowSet) -> list[Disputed]:
        """Return the windows in dispute, in the order of the windows."""

        def find() -> list[Disputed]:
            by_span: dict[Span, list[Disagreement]] = {}
            for one in find_disagreements(folder, windows):
                by_span.setdefault(one.span, []).append(one)
            return [Disputed(span, tuple(some)) for span, some in by_span.items()]

        return self._once("disputed", folder, windows, find)

    def measures(
        self, folder: ProjectFolder, windows: WindowSet
    ) -> tuple[Ratings, list[LabelAgreement]]:
        """Return what each person says of shared windows, and how far they agree."""

        def measure() -> tuple[Ratings, list[LabelAgreement]]:
            ratings = ratings_of(folder, windows)
            return ratings, ratings.agreement()

        return self._once("measures", folder, windows, measure)

    def _once(
        self, what: str, folder: ProjectFolder, windows: WindowSet, make: Callable[[], T]
    ) -> T:
        """Return what was made for these labels and windows, or make it; one at a time."""
        with self._lock:
            version = labels_version(folder)
            kept = self._kept.get(what)
            if kept is None or kept[0] != version or kept[1] is not windows:
                kept = self._kept[what] = (version, windows, make())
            made: T = kept[2]
            return made


def agreeing_of(context: AppContext) -> Agreeing:
    """Return the agreement of a running app, the same one every time."""
    return context.service(Agreeing, Agreeing)

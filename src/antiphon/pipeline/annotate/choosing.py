"""Which windows come into a queue, in which order, and with what chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt

from antiphon.errors import UserError
from antiphon.pipeline.annotate.disagreement import disputed_rows
from antiphon.pipeline.annotate.said import Span
from antiphon.pipeline.annotate.stratified import draw_by_score
from antiphon.pipeline.detectors import current_detector, find_detector, score_windows
from antiphon.pipeline.filters import WindowFilter
from antiphon.pipeline.queue import choose_next, suggestions
from antiphon.pipeline.sampling import RANDOM, remember_queue
from antiphon.pipeline.search import at_most, describe, find
from antiphon.pipeline.windows import WindowSet, label_mask, load_windows, time_mask
from antiphon.store.project import ProjectFolder

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

KINDS = ("strategy", "search", "random", "stratified", "disagreement", "chosen")
"""Kinds of queues."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a queue is to hold.

    Parameters
    ----------
    kind
        ``strategy`` (as ``antiphon next``), ``search``, ``random`` (equal chances),
        ``stratified`` (over the range of a label's scores), ``disagreement`` or ``chosen``
        (``windows`` as they are).
    n
        How many windows; of a search and of disagreements the most.
    strategy
        Of ``strategy``.
    where
        Conditions on the windows. Of ``random`` and ``stratified`` they say what archive is drawn
        from; windows that carry labels are in it as others are, unless ``unlabelled`` is set.
    like
        Of ``search``: a window to rank by.
    windows
        Of ``chosen``.
    label
        Of ``stratified``: whose score.
    per_recording
        At most so many windows of one recording; not where chances are to be known.
    seed
        Of all that is drawn.
    """

    kind: str
    n: int
    strategy: str = "antiphon"
    where: WindowFilter = field(default_factory=WindowFilter)
    like: Span | None = None
    windows: tuple[Span, ...] = ()
    label: str | None = None
    per_recording: int | None = None
    seed: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON values, without the list of windows."""
        where = self.where
        return {
            "n": self.n,
            "strategy": self.strategy if self.kind == "strategy" else None,
            "where": {
                "sites": list(where.sites),
                "hours": where.hours,
                "dates": None if where.dates is None else [d.isoformat() for d in where.dates],
                "labels": list(where.labels),
                "unlabelled": where.unlabelled,
                "detected": list(where.detected),
                "min_score": where.min_score,
                "max_score": where.max_score,
            },
            "like": None if self.like is None else list(self.like.window),
            "label": self.label,
            "per_recording": self.per_recording,
            "seed": self.seed,
        }

    @classmethod
    def from_json(cls, kind: str, values: Mapping[str, Any]) -> Wish:
        """Return what :meth:`to_json` described."""
        where = values["where"]
        dates = where["dates"]
        hours = where["hours"]
        return cls(
            kind=kind,
            n=int(values["n"]),
            strategy=values["strategy"] or "antiphon",
            where=WindowFilter(
                sites=tuple(where["sites"]),
                hours=None if hours is None else (hours[0], hours[1]),
                dates=None
                if dates is None
                else (date.fromisoformat(dates[0]), date.fromisoformat(dates[1])),
                labels=tuple(where["labels"]),
                unlabelled=where["unlabelled"],
                detected=tuple(where["detected"]),
                min_score=where["min_score"],
                max_score=where["max_score"],
            ),
            like=None if values["like"] is None else Span.of(tuple(values["like"])),
            label=values["label"],
            per_recording=values["per_recording"],
            seed=int(values["seed"]),
        )


@dataclass(frozen=True, slots=True)
class Choice:
    """The windows of a queue.

    Parameters
    ----------
    items
        By the names of :class:`antiphon.store.queues.ItemRow`, in order.
    facts
        What to keep of how they were chosen.
    """

    items: list[dict[str, Any]]
    facts: dict[str, Any]


def choose(folder: ProjectFolder, windows: WindowSet | None, wish: Wish) -> Choice:
    """Choose the windows of a queue.

    Parameters
    ----------
    windows
        The windows of a table; those of the project's newest one when None.

    Raises
    ------
    UserError
        If the wish does not hold together, or no window fits it.
    """
    if wish.kind not in KINDS:
        raise UserError(f"There is no queue of kind {wish.kind!r}; there are {', '.join(KINDS)}.")
    if wish.n < 1:
        raise UserError(f"A queue needs at least one window, not {wish.n}.")
    drawn = wish.kind in ("random", "stratified")
    if drawn and wish.per_recording is not None:
        raise UserError(
            "With a limit for each recording the chances of the windows are not known; draw "
            "without it, or let a strategy choose."
        )
    windows = load_windows(folder, folder.table()) if windows is None else windows
    make = {
        "strategy": _by_strategy,
        "search": _by_search,
        "random": _at_random,
        "stratified": _by_score,
        "disagreement": _in_dispute,
        "chosen": _as_given,
    }[wish.kind]
    choice = make(folder, windows, wish)
    if not choice.items:
        raise UserError(
            "People agree on all windows that several of them answered."
            if wish.kind == "disagreement"
            else "No window fits; widen the conditions."
        )
    return choice


def _by_strategy(folder: ProjectFolder, windows: WindowSet, wish: Wish) -> Choice:
    where = wish.where
    if where.detected or where.min_score is not None or where.max_score is not None:
        raise UserError(
            "A strategy looks at all scores by itself; a condition on them goes with a search."
        )
    found = choose_next(
        folder,
        windows.view.table,
        wish.n,
        strategy=wish.strategy,
        where=where,
        per_recording=wish.per_recording,
        seed=wish.seed,
    )
    items: list[dict[str, Any]] = [
        {
            **_place(
                Span(
                    item.window.recording_id,
                    item.window.channel,
                    item.window.start_s,
                    item.window.end_s,
                )
            ),
            "utility": item.window.score,
            "chance": None,
            "stratum": None,
            "suggested": [[name, p] for name, p in item.suggested],
        }
        for item in found
    ]
    return Choice(items, {})


def _by_search(folder: ProjectFolder, windows: WindowSet, wish: Wish) -> Choice:
    query = None
    if wish.like is None and wish.where == WindowFilter():
        raise UserError("Nothing to search for: name a window to rank by, or a condition.")
    if wish.like is not None:
        query = windows.vectors(np.array([row_of(windows, wish.like)]))
    found = find(
        folder,
        windows,
        query=query,
        where=wish.where,
        k=wish.n,
        per_recording=wish.per_recording,
    )
    utility = np.array([hit.score for hit in found.hits], np.float64)
    remember_queue(folder, "search", found.hits)
    return Choice(
        _items(folder, windows, found.rows, utility), {"matching": found.total, "by": found.by}
    )


def _at_random(folder: ProjectFolder, windows: WindowSet, wish: Wish) -> Choice:
    frame = np.flatnonzero(matching(folder, windows, wish.where))
    rng = np.random.default_rng(wish.seed)
    n = min(wish.n, len(frame))
    rows = rng.choice(frame, n, replace=False) if n else frame
    chance = np.full(n, n / max(1, len(frame)))
    remember_queue(folder, RANDOM, describe(windows, rows, chance), chance.tolist())
    items = _items(folder, windows, rows, None, chance)
    return Choice(items, {"frame": len(frame)})


def _by_score(folder: ProjectFolder, windows: WindowSet, wish: Wish) -> Choice:
    detector = current_detector(folder, windows.view.table)
    label = wish.label
    if label is None and len(detector.labels) == 1:
        label = detector.labels[0]
    if label not in detector.labels:
        raise UserError(
            f"The detector does not know the label {label!r}. It knows: "
            f"{', '.join(detector.labels)}."
            if label is not None
            else "A sample by score needs the label whose score it is."
        )
    frame = np.flatnonzero(matching(folder, windows, wish.where))
    score = score_windows(windows, detector, frame)[:, detector.labels.index(label)]
    draw = draw_by_score(score, wish.n, np.random.default_rng(wish.seed))
    rows = frame[draw.rows]
    name = f"stratified by the score of {label}"
    remember_queue(folder, name, describe(windows, rows, draw.chance), draw.chance.tolist())
    names = [draw.strata[h].name for h in draw.stratum]
    items = _items(folder, windows, rows, score[draw.rows].astype(np.float64), draw.chance, names)
    return Choice(
        items,
        {
            "frame": len(frame),
            "label": label,
            "detector": detector.facts.get("name"),
            "strata": [stratum.to_json() for stratum in draw.strata],
        },
    )


def _in_dispute(folder: ProjectFolder, windows: WindowSet, wish: Wish) -> Choice:
    rows, count = disputed_rows(folder, windows)
    fits = matching(folder, windows, wish.where)[rows]
    if wish.label is not None:
        raise UserError("Disagreements are listed for all labels together.")
    rows, count = rows[fits], count[fits]
    keep = at_most(windows.recording_id[rows], wish.per_recording)[: wish.n]
    return Choice(_items(folder, windows, rows[keep], count[keep].astype(np.float64)), {})


def _as_given(folder: ProjectFolder, windows: WindowSet, wish: Wish) -> Choice:
    spans = list(dict.fromkeys(wish.windows))[: wish.n]
    place = {span.window: i for i, span in enumerate(spans)}
    known = set(folder.catalogue.recordings(all_states=True).column("id").to_pylist())
    for span in spans:
        if span.recording_id not in known:
            raise UserError(f"The project has no recording {span.recording_id}.")
    items: list[dict[str, Any]] = [
        {**_place(span), "utility": None, "chance": None, "stratum": None, "suggested": None}
        for span in spans
    ]
    rows, at = _rows_of(windows, place)
    for i, item in zip(at, _items(folder, windows, rows, None), strict=True):
        items[i]["suggested"] = item["suggested"]
    remember_queue(folder, "chosen", describe(windows, rows, np.ones(len(rows))))
    return Choice(items, {})


def matching(
    folder: ProjectFolder, windows: WindowSet, where: WindowFilter
) -> npt.NDArray[np.bool_]:
    """Return which windows meet all conditions, those on scores included."""
    mask = time_mask(windows, where) & label_mask(folder, windows, where)
    if where.detected or where.min_score is not None or where.max_score is not None:
        found = find(folder, windows, where=where, k=max(1, len(windows)))
        scored = np.zeros(len(windows), dtype=bool)
        scored[found.rows] = True
        mask &= scored
    return mask


def row_of(windows: WindowSet, span: Span) -> int:
    """Return the row of the window that a span is, or that it overlaps most.

    Raises
    ------
    UserError
        If no window overlaps it.
    """
    same = (windows.recording_id == span.recording_id) & (windows.channel == span.channel)
    low = np.maximum(windows.start_s, span.start_s)
    overlap = np.where(same, np.minimum(windows.end_s, span.end_s) - low, 0.0)
    # Of several that cover it whole, the one that begins closest.
    best = np.lexsort((np.abs(windows.start_s - span.start_s), -overlap))[0] if len(same) else 0
    if not len(same) or overlap[best] <= 0.0:
        raise UserError("No embedded window lies there; embed the recording first.")
    return int(best)


def _rows_of(windows: WindowSet, place: Mapping[Any, int]) -> tuple[Int64, list[int]]:
    """Return the rows of windows that are asked for, and which of those asked each one is."""
    ids = {window[0] for window in place}
    rows, at = [], []
    for row in np.flatnonzero(np.isin(windows.recording_id, list(ids))).tolist():
        key = (
            int(windows.recording_id[row]),
            round(float(windows.start_s[row]), 6),
            round(float(windows.end_s[row]), 6),
            int(windows.channel[row]),
        )
        if key in place:
            rows.append(row)
            at.append(place[key])
    return np.array(rows, np.int64), at


def _items(
    folder: ProjectFolder,
    windows: WindowSet,
    rows: Int64,
    utility: Float64 | None,
    chance: Float64 | None = None,
    stratum: Sequence[str] | None = None,
) -> list[dict[str, Any]]:
    """Return windows as items, with what the newest detector suggests."""
    detector = find_detector(folder, windows.view.table)
    suggested: Sequence[Any] = [None] * len(rows)
    if detector is not None:
        suggested = suggestions(detector, score_windows(windows, detector, rows))
    some = windows.take(rows)
    return [
        {
            **_place(
                Span(
                    int(some.recording_id[i]),
                    int(some.channel[i]),
                    float(some.start_s[i]),
                    float(some.end_s[i]),
                )
            ),
            "utility": None if utility is None else float(utility[i]),
            "chance": None if chance is None else float(chance[i]),
            "stratum": None if stratum is None else stratum[i],
            "suggested": None if names is None else [[name, p] for name, p in names],
        }
        for i, names in enumerate(suggested)
    ]


def _place(span: Span) -> dict[str, Any]:
    return {
        "recording_id": span.recording_id,
        "start_s": span.start_s,
        "end_s": span.end_s,
        "channel": span.channel,
    }

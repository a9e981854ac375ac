"""What the points of a map are coloured by: one byte for each window and a legend for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from sqlalchemy import select

from antiphon.active.geometry.kmeans import kmeans
from antiphon.errors import UserError
from antiphon.heads.detector import Detector
from antiphon.labels.annotation import UNSURE
from antiphon.labels.targets import window_targets
from antiphon.pipeline.windows import WindowSet
from antiphon.store.project import ProjectFolder
from antiphon.store.schema import Answer, QueueItem

Float32 = npt.NDArray[np.float32]
Int64 = npt.NDArray[np.int64]
UInt8 = npt.NDArray[np.uint8]
Kind = Literal["categories", "scale", "cycle"]

NONE = 255
"""Code of a window of which nothing is known."""

STEPS = 250
"""A scale or a cycle has the codes 0 to 250."""

CATEGORIES = 21
"""Names that are told apart; those that follow count as other."""

CLUSTERS = (2, CATEGORIES)
"""Fewest and most clusters."""

_LABELS_AT_ONCE = 32


@dataclass(frozen=True, slots=True)
class Colouring:
    """A code for each window, and what the codes mean.

    Parameters
    ----------
    title
        What it shows.
    kind
        ``categories`` (a code is an entry of the legend), ``scale`` or ``cycle`` (codes 0 to 250
        lie evenly between the two ends).
    codes
        ``(n,)`` uint8; 255 where nothing is known.
    entries
        Names and counts of the categories, in the order of their codes.
    ends
        Words for both ends of a scale or cycle.
    unknown
        Word for the windows with the code 255.
    note
        A sentence to add; may be empty.
    """

    title: str
    kind: Kind
    codes: UInt8
    entries: tuple[tuple[str, int], ...] = ()
    ends: tuple[str, str] = ("", "")
    unknown: str = "unknown"
    note: str = ""


def by_site(windows: WindowSet) -> Colouring:
    """Colour by site."""
    return _by_name("Site", windows.texts("site").tolist(), "no site")


def by_hour(windows: WindowSet) -> Colouring:
    """Colour by the hour of the day, by the recorders' clocks."""
    hour = windows.hour
    codes = _scaled(np.where(np.isnan(hour), np.nan, hour / 24.0))
    return Colouring(
        "Hour of the day", "cycle", codes, ends=("0:00", "24:00"), unknown="no start time"
    )


def by_date(windows: WindowSet) -> Colouring:
    """Colour by date, from the first day to the last."""
    time = windows.time
    known = ~np.isnat(time)
    if not known.any():
        codes = np.full(len(windows), NONE, np.uint8)
        return Colouring("Date", "scale", codes, unknown="no start time")
    first, last = time[known].min(), time[known].max()
    span = max(float((last - first) / np.timedelta64(1, "s")), 1.0)
    share = np.full(len(windows), np.nan)
    share[known] = (time[known] - first) / np.timedelta64(1, "s") / span
    ends = str(first.astype("datetime64[D]")), str(last.astype("datetime64[D]"))
    return Colouring("Date", "scale", _scaled(share), ends=ends, unknown="no start time")


def by_cluster(components: Float32, k: int) -> Colouring:
    """Colour by k-means cluster of the principal components; the largest cluster comes first.

    Raises
    ------
    UserError
        If ``k`` is out of range.
    """
    low, high = CLUSTERS
    if not low <= k <= high:
        raise UserError(f"The map can show {low} to {high} clusters, but {k} are asked for.")
    k = min(k, len(components))
    if k == 0:
        return Colouring("Cluster", "categories", np.empty(0, np.uint8))
    _, cluster, _ = kmeans(components, k, np.random.default_rng(0), rounds=20)
    size = np.bincount(cluster, minlength=k)
    order = np.argsort(-size, kind="stable")
    rank = np.empty(k, np.uint8)
    rank[order] = np.arange(k)
    entries = tuple((f"cluster {i + 1}", int(size[c])) for i, c in enumerate(order))
    note = f"k-means with {k} clusters on the first {components.shape[1]} principal components."
    return Colouring("Cluster", "categories", rank[cluster], entries, note=note)


def by_labels(folder: ProjectFolder, windows: WindowSet) -> Colouring:
    """Colour by the label that is annotated as present; the most frequent labels come first."""
    names = folder.catalogue.label_names()
    count = np.zeros(len(windows), np.int64)
    first = np.full(len(windows), -1, np.int64)
    absent = np.zeros(len(windows), bool)
    for begin in range(0, len(names), _LABELS_AT_ONCE):
        said = _targets(folder, windows, names[begin : begin + _LABELS_AT_ONCE])
        present = said == 1.0
        here = present.any(axis=1)
        first = np.where((first < 0) & here, begin + present.argmax(axis=1), first)
        count += present.sum(axis=1)
        absent |= (said == 0.0).any(axis=1)
    found: list[str | None] = [
        "several labels" if n > 1 else names[i] if n else "only absences" if none else None
        for n, i, none in zip(count.tolist(), first.tolist(), absent.tolist(), strict=True)
    ]
    return _by_name("Label", found, "not labelled", last=("several labels", "only absences"))


def by_label(folder: ProjectFolder, windows: WindowSet, name: str) -> Colouring:
    """Colour by what the annotations say of one label: present, absent, unsure or nothing.

    Raises
    ------
    UserError
        If the project has no such label.
    """
    names = folder.catalogue.label_names()
    if name not in names:
        raise UserError(
            f"The project has no label {name!r}. There are: {', '.join(names) or 'none'}."
        )
    said = _targets(folder, windows, [name])[:, 0]
    codes = np.full(len(windows), NONE, np.uint8)
    codes[said == 1.0] = 0
    codes[said == 0.0] = 1
    codes[_unsure(folder, windows, name) & np.isnan(said)] = 2
    size = np.bincount(codes, minlength=256)
    entries = tuple((word, int(size[i])) for i, word in enumerate(("present", "absent", "unsure")))
    return Colouring(f"Label {name}", "categories", codes, entries, unknown="not labelled")


def score_codes(windows: WindowSet, detector: Detector) -> tuple[UInt8, Int64]:
    """Return the calibrated probabilities of all windows as codes, in one pass over the table.

    Returns
    -------
    codes
        ``(n, n_labels)`` uint8.
    above
        ``(n_labels,)`` windows that reach the label's threshold.
    """
    codes = np.empty((len(windows), len(detector.labels)), np.uint8)
    above = np.zeros(len(detector.labels), np.int64)
    for rows, block in windows.view.scan():
        probability = detector.probabilities(np.asarray(block, np.float32))
        codes[rows] = _scaled(probability)
        above += (probability >= detector.threshold_values).sum(axis=0)
    return codes, above


def by_score(detector: Detector, codes: UInt8, above: Int64, name: str) -> Colouring:
    """Colour by the calibrated probability of a label.

    Parameters
    ----------
    codes, above
        From :func:`score_codes`.

    Raises
    ------
    UserError
        If the detector does not know the label.
    """
    if name not in detector.labels:
        raise UserError(
            f"The detector does not know the label {name!r}. It knows: "
            f"{', '.join(detector.labels)}."
        )
    column = detector.labels.index(name)
    limit = float(detector.threshold_values[column])
    return Colouring(
        f"Probability of {name}",
        "scale",
        np.ascontiguousarray(codes[:, column]),
        ends=("0", "1"),
        note=(
            f"{int(above[column]):,} of {len(codes):,} windows reach the detector's threshold of "
            f"{limit:.2f}."
        ),
    )


def by_round(folder: ProjectFolder, windows: WindowSet) -> Colouring:
    """Colour by the order in which windows were answered for the first time."""
    query = select(Answer.recording_id, Answer.channel, Answer.start_s, Answer.end_s).where(
        Answer.kind == "answer"
    )
    with folder.catalogue.database.read() as connection:
        rows = connection.execute(query.order_by(Answer.id)).all()
    spans = [(int(r[0]), int(r[1]), float(r[2]), float(r[3])) for r in rows]
    share, count = _ranked(windows, spans)
    return Colouring(
        "Order of the answers",
        "scale",
        share,
        ends=("first", f"last of {count:,}"),
        unknown="not answered",
        note="" if count else "Nobody has answered a window of this table in the app yet.",
    )


def by_queue(folder: ProjectFolder, windows: WindowSet, queue_id: int) -> Colouring:
    """Colour by the position in a queue."""
    query = (
        select(QueueItem.recording_id, QueueItem.channel, QueueItem.start_s, QueueItem.end_s)
        .where(QueueItem.queue_id == queue_id)
        .order_by(QueueItem.position, QueueItem.id)
    )
    with folder.catalogue.database.read() as connection:
        rows = connection.execute(query).all()
    spans = [(int(r[0]), int(r[1]), float(r[2]), float(r[3])) for r in rows]
    share, count = _ranked(windows, spans)
    return Colouring(
        "Place in the queue",
        "scale",
        share,
        ends=("first", f"last of {count:,}"),
        unknown="not in it",
    )


def find_rows(windows: WindowSet, spans: Sequence[tuple[int, int, float, float]]) -> Int64:
    """Return the rows of windows by recording, channel, start and end; -1 where there is none."""
    found = np.full(len(spans), -1, np.int64)
    ids = windows.recording_id
    for i, (recording, channel, start_s, end_s) in enumerate(spans):
        begin, end = np.searchsorted(ids, [recording, recording + 1])
        same = (
            (windows.channel[begin:end] == channel)
            & (np.abs(windows.start_s[begin:end] - start_s) < 1e-3)
            & (np.abs(windows.end_s[begin:end] - end_s) < 1e-3)
        )
        if same.any():
            found[i] = begin + int(same.argmax())
    return found


def _ranked(
    windows: WindowSet, spans: Sequence[tuple[int, int, float, float]]
) -> tuple[UInt8, int]:
    rows = find_rows(windows, list(dict.fromkeys(spans)))
    rows = rows[rows >= 0]
    share = np.full(len(windows), np.nan)
    share[rows] = np.arange(len(rows)) / max(len(rows) - 1, 1)
    return _scaled(share), len(rows)


def _by_name(
    title: str, values: Sequence[str | None], unknown: str, last: tuple[str, ...] = ()
) -> Colouring:
    """Give the most frequent names a code each; ``last`` come after the others."""
    count = Counter(value for value in values if value is not None)
    names = sorted(
        (name for name in count if name not in last), key=lambda name: (-count[name], name)
    )
    tail = [name for name in last if name in count]
    room = CATEGORIES - len(tail)
    other = names[room - 1 :] if len(names) > room else []
    shown = names[: room - 1] if other else names
    entries = [(name, count[name]) for name in shown]
    if other:
        entries.append((f"{len(other)} others", sum(count[name] for name in other)))
    code = {name: i for i, name in enumerate(shown)} | dict.fromkeys(other, len(shown))
    for name in tail:
        code[name] = len(entries)
        entries.append((name, count[name]))
    codes = np.array([NONE if v is None else code[v] for v in values], np.uint8)
    return Colouring(title, "categories", codes, tuple(entries), unknown=unknown)


def _targets(folder: ProjectFolder, windows: WindowSet, names: list[str]) -> Float32:
    return window_targets(
        windows.recording_id,
        windows.start_s,
        windows.end_s,
        windows.channel,
        folder.catalogue.annotations(labels=names),
        names,
        min_overlap=folder.config.labels.min_overlap,
        channels=windows.recordings.column("channels").fill_null(1).to_numpy()[windows.row],
    )


def _unsure(folder: ProjectFolder, windows: WindowSet, name: str) -> npt.NDArray[np.bool_]:
    found = np.zeros(len(windows), bool)
    rows = folder.catalogue.annotations(labels=[name], presence=[UNSURE])
    for row in rows.select(["recording_id", "channel", "start_s", "end_s"]).to_pylist():
        begin, end = np.searchsorted(
            windows.recording_id, [row["recording_id"], row["recording_id"] + 1]
        )
        part = slice(int(begin), int(end))
        first = -np.inf if row["start_s"] is None else row["start_s"]
        last = np.inf if row["end_s"] is None else row["end_s"]
        here = (windows.start_s[part] < last) & (windows.end_s[part] > first)
        if row["channel"] is not None and row["channel"] >= 0:
            here &= np.isin(windows.channel[part], (-1, row["channel"]))
        found[part] |= here
    return found


def _scaled(share: npt.NDArray[np.floating]) -> UInt8:
    """Return shares of a scale as codes, not a number as unknown."""
    codes = np.full(share.shape, NONE, np.uint8)
    known = np.isfinite(share)
    codes[known] = np.round(np.clip(share[known], 0.0, 1.0) * STEPS).astype(np.uint8)
    return codes

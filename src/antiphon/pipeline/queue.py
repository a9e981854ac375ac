"""The labelling queue: which windows a person should look at next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from antiphon.active.large.shortlist import shortlist
from antiphon.active.registry import get_strategy
from antiphon.engine.progress import Reporter, Silent
from antiphon.errors import FileError, UserError
from antiphon.heads.detector import Detector
from antiphon.labels.formats.queue import QueueRow, write_queue
from antiphon.pipeline.detectors import find_detector, score_windows
from antiphon.pipeline.filters import WindowFilter
from antiphon.pipeline.names import track_names
from antiphon.pipeline.sampling import RANDOM, remember_queue
from antiphon.pipeline.search import Hit, at_most, describe
from antiphon.pipeline.windows import label_mask, load_windows, long_enough, targets, time_mask
from antiphon.store.project import ProjectFolder
from antiphon.store.vectors import VectorTable

Int64 = npt.NDArray[np.int64]
Float32 = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class QueueItem:
    """One window to label.

    Parameters
    ----------
    window
        Where it is; its score is the strategy's utility.
    suggested
        Labels the detector finds in it, with calibrated probabilities, the most probable first.
    """

    window: Hit
    suggested: tuple[tuple[str, float], ...]


def choose_next(
    folder: ProjectFolder,
    table: VectorTable,
    n: int,
    *,
    strategy: str = "antiphon",
    where: WindowFilter | None = None,
    per_recording: int | None = None,
    seed: int = 0,
    reporter: Reporter | None = None,
) -> list[QueueItem]:
    """Choose ``n`` windows that carry no label yet, the most wanted first.

    Ends of recordings that hold next to no audio are never chosen; see
    :func:`~antiphon.pipeline.windows.long_enough`.

    Of a large archive, a shortlist is made first in one streamed pass, in bounded memory; see
    :mod:`antiphon.active.large.shortlist` for what is exact then.

    Parameters
    ----------
    strategy
        A name from :func:`antiphon.active.registry.list_strategies`.
    where
        Conditions on site, hour and date.
    per_recording
        At most so many windows of one recording.

    Raises
    ------
    UserError
        If the strategy is unknown, ``n`` is below 1, or no window is left.
    """
    reporter = reporter or Silent()
    card = get_strategy(strategy)
    if n < 1:
        raise UserError(f"-n is {n}; it must be at least 1.")
    rng = np.random.default_rng(seed)
    windows = load_windows(folder, table)
    where = where or WindowFilter()
    names = folder.catalogue.label_names()
    said = targets(folder, windows, names)
    is_labelled = ~np.isnan(said).all(axis=1) if names else np.zeros(len(windows), bool)
    wanted = time_mask(windows, where) & label_mask(folder, windows, where)
    wanted &= long_enough(windows)
    if not (wanted & ~is_labelled).any():
        raise UserError(
            "No window is left to label: all of those that match carry labels. "
            "Widen the conditions, or add recordings and embed them."
        )
    detector = find_detector(folder, table)
    if detector is not None:
        # A strategy sees labels and probabilities in the same columns.
        said = said[:, [names.index(label) for label in detector.labels]]
    at = np.flatnonzero(is_labelled)
    listed = shortlist(
        windows.view,
        n,
        labelled=at,
        labels=said[at],
        generator=rng,
        score_block=None if detector is None else detector.probabilities,
        recording=windows.recording_id,
        excluded=~wanted,
    )
    for note in listed.notes:
        reporter.note(note)
    wide = n
    while True:
        chosen = listed.select(card.name, min(wide, listed.candidates))
        keep = at_most(windows.recording_id[chosen.rows], per_recording)[:n]
        if len(keep) == n or len(chosen.rows) < wide or wide >= listed.candidates:
            break
        wide *= 4
    picked, utility = chosen.rows[keep], chosen.utility[keep]
    suggested: list[tuple[tuple[str, float], ...]] = [()] * len(picked)
    if detector is not None:
        suggested = suggestions(detector, score_windows(windows, detector, picked))
    hits = describe(windows, picked, utility)
    chance = None
    if card.name == RANDOM and per_recording is None:
        chance = len(picked) / listed.candidates
    remember_queue(folder, card.name, hits, None if chance is None else [chance] * len(hits))
    return [QueueItem(hit, names) for hit, names in zip(hits, suggested, strict=True)]


def suggestions(detector: Detector, probability: Float32) -> list[tuple[tuple[str, float], ...]]:
    """Return each window's labels above 0.2, at most five, the most probable first."""
    found = []
    for row in probability:
        order = np.argsort(-row, kind="stable")[:5]
        found.append(
            tuple((detector.labels[i], round(float(row[i]), 3)) for i in order if row[i] >= 0.2)
        )
    return found


def write_items(
    folder: ProjectFolder,
    items: Sequence[QueueItem | Hit],
    target: Path,
    kind: str,
    *,
    overwrite: bool = False,
) -> list[Path]:
    """Write windows as a queue to fill in; see :mod:`antiphon.labels.formats.queue`.

    Parameters
    ----------
    kind
        ``csv`` (a file), ``raven`` or ``audacity`` (a folder with a file for each recording).
    overwrite
        Replace what is there already, answers included.

    Raises
    ------
    FileError
        If the target is there already and ``overwrite`` is not set.
    """
    taken = target.is_file() or (target.is_dir() and any(target.iterdir()))
    if taken and not overwrite:
        raise FileError(
            target,
            "is there already, and may hold answers",
            "Choose another --out, or add --overwrite",
        )
    rows = []
    # The other kinds name the recording inside the file.
    tracks = track_names(folder.catalogue.recordings()) if kind == "audacity" else {}
    for number, item in enumerate(items, start=1):
        hit, suggested = (item, ()) if isinstance(item, Hit) else (item.window, item.suggested)
        rows.append(
            QueueRow(
                recording=tracks.get(hit.path, hit.path),
                start_s=hit.start_s,
                end_s=hit.end_s,
                channel=None if hit.channel < 0 else hit.channel,
                suggested="; ".join(f"{name} {p:.2f}" for name, p in suggested),
                score=hit.score,
                window_id=number,
            )
        )
    return write_queue(rows, target, kind)

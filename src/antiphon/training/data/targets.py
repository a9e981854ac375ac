"""What the statements about a recording say of one crop of it."""

from __future__ import annotations

import numpy as np

from antiphon.labels.spans import TOUCH_S
from antiphon.training.data.soft_targets import soft_labels
from antiphon.training.data.table import (
    ABSENT,
    EVERY,
    PRESENT,
    SECONDARY,
    Bool,
    ClipTable,
    Float32,
    Float64,
    Int32,
)

_MIN_COVER = 0.99
_OPEN_S = 1e9


def crop_targets(
    table: ClipTable,
    recording: int,
    start_s: float,
    end_s: float,
    min_overlap: float,
    secondary: float | None = None,
) -> tuple[Float32, Float32]:
    """Return the labels of a crop and whether each is known.

    The rule is that of :func:`antiphon.labels.targets.window_targets`, save that an answer about
    a shown window counts as any other annotation, as crops are hardly ever such a window: present
    where a present statement shares ``min_overlap`` of the shorter of the two; unknown where it
    shares less, or where an unsure one touches the crop; absent where absent statements cover the
    crop. Where nothing is said, a class is absent if the source is exhaustive about it, else
    unknown.

    Parameters
    ----------
    table
        The statements.
    recording
        Number of the recording.
    start_s, end_s
        The crop; its end is that of its audio.
    min_overlap
        Share in (0, 1].
    secondary
        Label of classes in the background, whose time nobody says; None: they are not known.

    Returns
    -------
    labels, known
        ``(C,)`` float32 of 0 and 1 each, but for ``secondary``; labels are 0 where they are not
        known.
    """
    statements, recordings = table.statements, table.recordings
    labels = np.zeros(table.n_classes, np.float32)
    known = np.zeros(table.n_classes, bool)
    if recordings.labelled[recording]:
        known |= table.sources[int(recordings.source[recording])].own
    part = statements.of(recording)
    if part.start == part.stop:
        return labels, known.astype(np.float32)
    label, value = statements.label[part], statements.value[part]
    begin, end = statements.start_s[part], statements.end_s[part]
    overlap = np.minimum(end, end_s) - np.maximum(begin, start_s)
    length = end_s - start_s
    point = end - begin <= TOUCH_S
    # A call that is a point in time belongs to the crop it lies in, its end left out.
    touches = np.where(point, (begin >= start_s) & (begin < end_s), overlap > TOUCH_S)

    absent = touches & (value == ABSENT)
    known[_covered(label[absent], begin[absent], end[absent], start_s, end_s, known)] = True

    behind = label[touches & (value == SECONDARY)]
    labels[behind] = 0.0 if secondary is None else secondary
    known[behind] = secondary is not None

    heard = touches & (value != ABSENT) & (value != SECONDARY)
    shorter = np.where(point, 1.0, np.minimum(length, end - begin))
    share = np.where(point, 1.0, overlap / shorter)
    full = heard & (value == PRESENT) & (share >= min_overlap - 1e-9)
    known[label[heard & ~full]] = False
    labels[label[heard & ~full]] = 0.0
    labels[label[full]] = 1.0
    known[label[full]] = True
    return labels, known.astype(np.float32)


def presence_shares(table: ClipTable, min_overlap: float, most: int = 50_000) -> Float64:
    """Return the share of the clips that have each class, of those that it is known of.

    A clip with a target between 0 and 1 has so much of the class.

    Parameters
    ----------
    table
        Clips and statements.
    min_overlap
        As for :func:`crop_targets`.
    most
        Where there are more clips, as many evenly spread ones stand for all.

    Returns
    -------
    numpy.ndarray
        ``(C,)`` float64; 0 for a class that is never present.
    """
    step = max(1, -(-len(table) // most))
    present = np.zeros(table.n_classes)
    known = np.zeros(table.n_classes)
    for clip in range(0, len(table), step):
        start = float(table.start_s[clip])
        # An open end is that of the recording, further than anything that is said.
        end = min(float(table.end_s[clip]), start + _OPEN_S)
        soft = table.soft_of(int(table.recording[clip]))
        if soft is not None:
            labels, sure = soft_labels(soft, int(table.recording[clip]), start, end, min_overlap)
            present += labels
            known += sure
            continue
        told = crop_targets(table, int(table.recording[clip]), start, end, min_overlap)[1] > 0
        has = table.classes_of(clip)
        told[has] = True
        known += told
        present[has] += 1
    shares: Float64 = present / np.maximum(known, 1)
    return shares


def _covered(
    label: Int32, begin: Float64, end: Float64, start_s: float, end_s: float, known: Bool
) -> Bool:
    """Return ``(C,)``: classes that absent statements cover the crop of."""
    covered = np.zeros_like(known)
    if not len(label):
        return covered
    enough = (_MIN_COVER - 1e-9) * (end_s - start_s)
    whole = np.minimum(end, end_s) - np.maximum(begin, start_s) >= enough
    if (label[whole] == EVERY).any():
        covered[:] = True
        return covered
    covered[label[whole]] = True
    # What is left are pieces; those about every class add to those of each.
    for one in np.unique(label):
        if one != EVERY and covered[one]:
            continue
        mine = (label == one) | (label == EVERY)
        order = np.argsort(begin[mine])
        total, reach = 0.0, start_s
        for low, high in zip(begin[mine][order], end[mine][order], strict=True):
            total += max(0.0, min(high, end_s) - max(low, reach))
            reach = max(reach, min(high, end_s))
        if total >= enough:
            covered[slice(None) if one == EVERY else one] = True
    return covered

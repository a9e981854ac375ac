"""How much of the training comes from pseudo-labels: sums of targets, against focal clips."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from antiphon.errors import UserError
from antiphon.training.data.config import DataConfig
from antiphon.training.data.sampling import clip_weights
from antiphon.training.data.soft_targets import soft_labels
from antiphon.training.data.table import ClipTable
from antiphon.training.pseudo.config import MassConfig
from antiphon.training.pseudo.transform import Targets, within_mass

Bool = npt.NDArray[np.bool_]
Float64 = npt.NDArray[np.float64]

# Of the range in which a weight is sought.
_HALVINGS = 50


@dataclass(frozen=True, slots=True)
class MassReport:
    """The mass of pseudo-labels beside that of the focal clips.

    Parameters
    ----------
    classes
        Names.
    focal
        ``(C,)`` clips of each class, or sums of their weights.
    offered, kept
        ``(C,)`` sums of targets before and after the caps.
    weight
        Of each pseudo-labelled window, where a focal clip has 1.
    """

    classes: tuple[str, ...]
    focal: Float64
    offered: Float64
    kept: Float64
    weight: float

    @property
    def pseudo(self) -> Float64:
        """``(C,)`` mass of the pseudo-labels: sum of targets times weight."""
        return self.kept * self.weight

    @property
    def share(self) -> float:
        """Mass of the pseudo-labels over that of the focal clips; NaN without focal clips."""
        whole = float(self.focal.sum())
        return float(self.pseudo.sum()) / whole if whole > 0 else math.nan

    def without_focal(self) -> list[str]:
        """Return the classes that the teachers offered but no focal clip has."""
        return [
            name
            for name, offered, focal in zip(self.classes, self.offered, self.focal, strict=True)
            if offered > 0 and focal == 0
        ]

    def to_json(self) -> dict[str, Any]:
        """Return JSON values."""
        rows = zip(self.classes, self.focal, self.offered, self.kept, self.pseudo, strict=True)
        return {
            "weight": self.weight,
            "focal": float(self.focal.sum()),
            "offered": float(self.offered.sum()),
            "pseudo": float(self.pseudo.sum()),
            "share": None if math.isnan(self.share) else self.share,
            "classes": {
                name: {
                    "focal": float(focal),
                    "offered": round(float(offered), 6),
                    "kept": round(float(kept), 6),
                    "pseudo": round(float(pseudo), 6),
                }
                for name, focal, offered, kept, pseudo in rows
            },
        }


def sums(targets: Targets, n_classes: int) -> Float64:
    """Return the sum of the targets of each class, ``(C,)``."""
    weights = targets.target.astype(np.float64)
    out: Float64 = np.bincount(targets.label, weights, n_classes).astype(np.float64)
    return out


def cap_mass(
    targets: Targets, classes: Sequence[str], focal: Float64, config: MassConfig
) -> tuple[Bool, MassReport]:
    """Keep the mass of pseudo-labels below that of focal clips.

    The weight of windows falls until the whole mass is ``share`` of the focal one. Then each class
    whose mass is above ``class_share`` of its own focal mass loses its weakest targets.

    Parameters
    ----------
    targets
        After the caps on numbers.
    classes
        Names.
    focal
        ``(C,)`` mass of the focal clips.
    config
        The shares.

    Returns
    -------
    keep : numpy.ndarray
        ``(k,)`` bool.
    report : MassReport
        With the weight of a window.

    Raises
    ------
    UserError
        There are no focal clips.
    """
    offered = sums(targets, len(classes))
    whole = float(focal.sum())
    if whole <= 0:
        raise UserError(
            "The focal sources have no labelled clip of any class that the teachers know, so "
            "there is no mass to stay below. Check mass.focal and the names of its classes."
        )
    total = float(offered.sum())
    weight = min(1.0, config.share * whole / total) if total > 0 else 1.0
    keep = np.ones(len(targets), bool)
    if config.class_share is not None:
        keep = within_mass(targets, config.class_share * focal / weight)
    kept = sums(targets.select(keep), len(classes))
    return keep, MassReport(tuple(classes), focal, offered, kept, weight)


def expected_mass(table: ClipTable, probability: Float64, min_overlap: float) -> Float64:
    """Return the targets that one drawn example is expected to bring, by source and class.

    Parameters
    ----------
    table
        Clips.
    probability
        ``(n,)`` with which each is drawn, in sum 1.
    min_overlap
        As in the settings of the data.

    Returns
    -------
    numpy.ndarray
        ``(sources, C)`` float64: sums of target times probability.
    """
    out = np.zeros((len(table.sources), table.n_classes))
    source = table.source_of_clips
    for clip in range(len(table)):
        recording = int(table.recording[clip])
        soft = table.soft_of(recording)
        if soft is None:
            out[source[clip], table.classes_of(clip)] += probability[clip]
            continue
        start_s, end_s = float(table.start_s[clip]), float(table.end_s[clip])
        labels, _ = soft_labels(soft, recording, start_s, end_s, min_overlap)
        out[source[clip]] += probability[clip] * labels
    return out


def focal_clips(table: ClipTable, classes: Sequence[str]) -> Float64:
    """Return ``(C,)``: clips of each class, those that a model labelled left out."""
    counts = table.select(~table.pseudo_clips).class_counts()
    column = {name: at for at, name in enumerate(table.classes.names)}
    return np.array([counts[column[n]] if n in column else 0 for n in classes], np.float64)


def capped_weight(
    table: ClipTable, data: DataConfig, weight: float, caps: MassConfig | None
) -> tuple[float, dict[str, Any]]:
    """Return the weight of the pseudo-labelled source that keeps its mass below the focal one.

    Caps on a file count every clip once; a sampler for the long tail does not. This one is over
    the batches as they will be drawn.

    Parameters
    ----------
    table
        All clips, the pseudo-labelled source last with a weight of 1.
    data
        Its settings.
    weight
        The weight that is wished for.
    caps
        Its ``share`` is not passed; None for no cap.

    Returns
    -------
    weight : float
        Of the source.
    facts : dict
        Expected targets of an example, focal and pseudo, whole and by class.
    """
    last = len(table.sources) - 1
    source = table.source_of_clips

    def drawn(value: float) -> Float64:
        """Return the probability of each clip."""
        return clip_weights(
            table.with_weight(last, value),
            mix=data.mix,
            long_tail=data.long_tail,
            per_class=data.clips_per_class,
        )

    # A weight changes how often a source is drawn, and nothing within a source.
    first = drawn(weight)
    found = expected_mass(table, first, data.min_overlap)
    often = np.bincount(source, first, len(table.sources))

    def masses(value: float) -> tuple[Float64, Float64]:
        now = np.bincount(source, drawn(value), len(table.sources))
        moved = found * np.divide(now, often, out=np.zeros_like(now), where=often > 0)[:, None]
        return moved[:last].sum(axis=0), moved[last]

    def above_share(value: float) -> bool:
        focal, pseudo = masses(value)
        return caps is not None and bool(pseudo.sum() > caps.share * focal.sum() > 0)

    if above_share(weight):
        # The ratio grows with the weight, in proportion to it unless data.mix holds sources down.
        low, high = 0.0, weight
        for _ in range(_HALVINGS):
            middle = 0.5 * (low + high)
            low, high = (low, middle) if above_share(middle) else (middle, high)
        weight = low
    focal, pseudo = masses(weight)
    names = table.classes.names
    above = [n for n, f, p in zip(names, focal, pseudo, strict=True) if p > f]
    notes = []
    if above:
        notes.append(
            f"By the sampler, {len(above)} classes have more mass from pseudo-labels than from "
            f"focal clips: {', '.join(above[:5])}{' ...' if len(above) > 5 else ''}."
        )
    return weight, {
        "source_weight": weight,
        "focal_per_example": float(focal.sum()),
        "pseudo_per_example": float(pseudo.sum()),
        "share": float(pseudo.sum() / focal.sum()) if focal.sum() > 0 else None,
        "by_class": {
            name: {"focal": float(f), "pseudo": float(p)}
            for name, f, p in zip(names, focal, pseudo, strict=True)
        },
        "notes": notes,
    }

"""From probabilities to targets: power, floor, and the classes of each window that are left."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from antiphon.errors import UserError
from antiphon.training.pseudo.config import TargetConfig

Bool = npt.NDArray[np.bool_]
Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Targets:
    """Targets above 0 of some windows; what is not listed is 0.

    Parameters
    ----------
    window, label
        ``(k,)`` window and class of each entry, sorted by window, then class.
    target
        ``(k,)`` in (0, 1].
    frames
        ``(k, T)`` targets of the frames of the window, or None.
    """

    window: Int64
    label: Int32
    target: Float32
    frames: Float32 | None

    def __len__(self) -> int:
        return len(self.window)

    def select(self, keep: Bool) -> Targets:
        """Return some of the entries."""
        return replace(
            self,
            window=self.window[keep],
            label=self.label[keep],
            target=self.target[keep],
            frames=None if self.frames is None else self.frames[keep],
        )


def power_transform(p: npt.ArrayLike, gamma: float) -> Float32:
    """Return ``p ** gamma``, which for ``gamma > 1`` pulls doubtful targets down most.

    A student that learns from soft targets repeats its teacher's doubts, and the next round those
    of the student: probabilities of noise grow from round to round. A power above 1 takes them
    back (0.9 becomes 0.85 and 0.3 becomes 0.16 at 1.54) and keeps 0, 1 and the order. Entries to
    BirdCLEF 2025 used 1.0, 1.54 and 1.82 in their first three rounds.

    Parameters
    ----------
    p
        Probabilities, any shape.
    gamma
        Above 0; 1 changes nothing.

    Raises
    ------
    UserError
        A probability lies outside [0, 1] or is not finite.
    """
    values = np.asarray(p, np.float32)
    if not gamma > 0:
        raise UserError(f"The power ({gamma:g}) must be above 0.")
    if not (np.isfinite(values).all() and (values >= 0).all() and (values <= 1).all()):
        raise UserError("A teacher gives scores that are no probabilities in [0, 1].")
    return values if gamma == 1 else np.power(values, np.float32(gamma))


def make_targets(
    windows: Float32, frames: Float32 | None, rules: TargetConfig, gamma: float, first: int = 0
) -> Targets:
    """Turn the probabilities of windows into targets.

    Parameters
    ----------
    windows
        ``(W, C)`` probabilities.
    frames
        ``(W, T, C)`` probabilities of their frames, or None.
    rules
        Floors, which hold for the targets after the power.
    gamma
        The power of the round.
    first
        Number of the first window.
    """
    target = power_transform(windows, gamma)
    window, label = np.nonzero((target >= rules.floor) & (target > 0))
    kept = None
    if frames is not None:
        kept = power_transform(frames[window, :, label], gamma)
        kept = np.where(kept >= rules.frame_floor, kept, np.float32(0.0))
    return Targets(
        window.astype(np.int64) + first, label.astype(np.int32), target[window, label], kept
    )


def join(parts: list[Targets]) -> Targets:
    """Return the entries of several, in their order."""
    given = [part for part in parts if len(part)]
    if not given:
        return parts[0]
    several = [part.frames for part in given if part.frames is not None]
    return Targets(
        np.concatenate([part.window for part in given]),
        np.concatenate([part.label for part in given]),
        np.concatenate([part.target for part in given]),
        np.concatenate(several) if several else None,
    )


def strongest(targets: Targets, most: int | None) -> Bool:
    """Return ``(k,)``: the ``most`` strongest entries of each class.

    Equal ones are taken in their order.
    """
    if most is None:
        return np.ones(len(targets), bool)
    return _place(targets) < most


def within_mass(targets: Targets, limit: Float64) -> Bool:
    """Return ``(k,)``: of each class the strongest entries whose sum is at most its limit.

    Parameters
    ----------
    limit
        ``(C,)``; infinite for none.
    """
    order = _strongest_first(targets)
    label, target = targets.label[order], targets.target[order].astype(np.float64)
    total = np.cumsum(target)
    begins = np.flatnonzero(np.diff(label, prepend=-1))
    before = np.repeat(total[begins] - target[begins], np.diff(begins, append=len(label)))
    keep = np.zeros(len(targets), bool)
    # A limit that is met exactly is not passed.
    keep[order] = total - before <= limit[label] * (1 + 1e-9)
    return keep


def _strongest_first(targets: Targets) -> Int64:
    """Return the entries sorted by class, then falling target, then place."""
    order: Int64 = np.lexsort((np.arange(len(targets)), -targets.target, targets.label))
    return order


def _place(targets: Targets) -> Int64:
    """Return each entry's place among those of its class, from 0 for the strongest."""
    order = _strongest_first(targets)
    label = targets.label[order]
    begins = np.flatnonzero(np.diff(label, prepend=-1))
    place = np.empty(len(targets), np.int64)
    place[order] = np.arange(len(label)) - np.repeat(begins, np.diff(begins, append=len(label)))
    return place

"""What an ensemble said, and who had a part in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from antiphon.evaluation.blending.files.rows import counted, first_few
from antiphon.soundscape.ensemble.prior import Fills
from antiphon.soundscape.ensemble.tree import Tree

Float64 = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Part:
    """Windows that the same members scored.

    Parameters
    ----------
    members
        Who did; empty where nobody did.
    windows
        How many.
    weights
        Each member's share of the last blend, the mean over the classes that one of them knows.
    """

    members: tuple[str, ...]
    windows: int
    weights: Mapping[str, float]

    def to_json(self) -> dict[str, Any]:
        """Return the fields as plain values."""
        return {
            "members": list(self.members),
            "windows": self.windows,
            "weights": dict(self.weights),
        }


@dataclass(frozen=True, slots=True, eq=False)
class Combined:
    """The result of :meth:`antiphon.soundscape.ensemble.blending.Ensemble.combine`.

    Parameters
    ----------
    rows, classes
        Names.
    score
        ``(n, C)`` from 0 to 1, without a gap.
    there
        ``(n, C)``, where a member spoke; elsewhere the score was filled in.
    fills
        With what.
    parts
        Windows by the members that scored them, the most frequent first.
    unknown
        Classes that no member knows.
    absent
        Members that scored no window.
    """

    rows: tuple[str, ...]
    classes: tuple[str, ...]
    score: Float64
    there: Bool
    fills: Fills
    parts: tuple[Part, ...]
    unknown: tuple[str, ...]
    absent: tuple[str, ...]

    def notes(self) -> list[str]:
        """Return what a reader must know, in sentences; none where all members spoke everywhere."""
        out = []
        if self.absent:
            out.append(
                f"{counted(len(self.absent), 'members')} scored no window, and the weights were "
                f"shared among the others: {', '.join(self.absent)}."
            )
        fewer = [part for part in self.parts[1:] if part.members]
        if fewer:
            n = sum(part.windows for part in fewer)
            out.append(f"{n} of {len(self.rows)} windows were scored by other members than most.")
        unscored = int((~self.there.any(axis=1)).sum())
        if unscored:
            out.append(f"{unscored} of {len(self.rows)} windows were scored by no member.")
        if self.unknown:
            out.append(
                f"No member knows {counted(len(self.unknown), 'classes')}, which have their prior "
                f"everywhere: {first_few(self.unknown)}."
            )
        if self.fills.total:
            f = self.fills
            out.append(
                f"{f.total} scores were filled in: {f.recording} with the mean of the class in the "
                f"recording, {f.run} with its mean over all windows, {f.prior} with its prior."
            )
        return out

    def to_json(self) -> dict[str, Any]:
        """Return all but the scores as plain values."""
        return {
            "windows": len(self.rows),
            "windows_scored": int(self.there.any(axis=1).sum()),
            "parts": [part.to_json() for part in self.parts],
            "absent_members": list(self.absent),
            "unknown_classes": list(self.unknown),
            "filled": {
                "recording": self.fills.recording,
                "run": self.fills.run,
                "prior": self.fills.prior,
            },
            "notes": self.notes(),
        }


def parts_of(tree: Tree, there: Mapping[str, Bool]) -> tuple[Part, ...]:
    """Return windows by the members that scored them, the most frequent first.

    Parameters
    ----------
    there
        ``(n, C)`` for each member, where it counts.
    """
    heard = np.stack([there[name].any(axis=1) for name in tree.members], axis=1)
    kinds, counts = np.unique(heard, axis=0, return_counts=True)
    knows = {name: there[name].any(axis=0) for name in tree.members}
    parts = []
    for kind, count in zip(kinds, counts, strict=True):
        speaks = {
            name: np.asarray(knows[name] & bool(here))
            for name, here in zip(tree.members, kind, strict=True)
        }
        shares = tree.effective(speaks)
        classes = max(1, int(np.stack(list(speaks.values())).any(axis=0).sum()))
        parts.append(
            Part(
                tuple(name for name, here in zip(tree.members, kind, strict=True) if here),
                int(count),
                {
                    name: float(shares[name].sum() / classes)
                    for name, here in zip(tree.members, kind, strict=True)
                    if here
                },
            )
        )
    return tuple(sorted(parts, key=lambda part: -part.windows))

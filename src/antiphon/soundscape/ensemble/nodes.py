"""One blend of members and groups of which some are missing on some windows or classes.

Windows and classes with the same members are blended together by
:class:`antiphon.evaluation.blending.scoring.blends.FittedBlend`, with the weights of those members.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from antiphon.errors import UserError
from antiphon.evaluation.blending.files.rows import counted, first_few
from antiphon.evaluation.blending.scoring.blends import Blend, FittedBlend
from antiphon.soundscape.ensemble.config import DEFAULT, BlendConfig
from antiphon.soundscape.ensemble.masks import alike, blocks
from antiphon.soundscape.ensemble.ranks import RankMap

Float64 = npt.NDArray[np.float64]
Index = npt.NDArray[np.intp]
Bool = npt.NDArray[np.bool_]

NEEDS_REFERENCE = ("rank", "zlogit")
"""Kinds of blend that compare a score with those of other windows."""


@dataclass(frozen=True, slots=True, eq=False)
class NodeFit:
    """What a blend keeps of its reference set.

    Parameters
    ----------
    ranks
        Of a rank blend.
    mean, spread
        ``(m, C)`` of the logits, for a z-scored one; NaN where a member was not heard.
    """

    ranks: RankMap | None = None
    mean: Float64 | None = None
    spread: Float64 | None = None

    @property
    def heard(self) -> Bool | None:
        """``(m, C)``, which members the reference has on which classes; None if it keeps none."""
        if self.ranks is not None:
            return np.asarray(self.ranks.counts > 0)
        return None if self.mean is None else ~np.isnan(self.mean)

    def part(self, members: Index | slice, classes: Index | slice) -> NodeFit:
        """Return what is kept of some members and classes."""
        return NodeFit(
            None if self.ranks is None else self.ranks.part(members, classes),
            None if self.mean is None else self.mean[members][:, classes],
            None if self.spread is None else self.spread[members][:, classes],
        )


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """One blend, with its weights for each class.

    Parameters
    ----------
    name
        Of the blend.
    config
        As written.
    children
        Names of the m members and groups.
    weights
        ``(m, C)``, not negative, as written.
    """

    name: str
    config: BlendConfig
    children: tuple[str, ...]
    weights: Float64

    @property
    def needs_reference(self) -> bool:
        """Whether it compares scores with those of other windows."""
        return self.config.kind in NEEDS_REFERENCE

    def blend(self, weights: Float64 | None = None) -> Blend:
        """Return the blend with weights ``(m, C)``."""
        return Blend(self.config.kind, weights, self.config.clip, self.config.exponent)

    def fit(self, values: Float64, there: Bool, most: int | None = None) -> NodeFit:
        """Keep what the blend needs of ``(m, n, C)`` scores where they are ``there``."""
        if self.config.kind == "rank":
            return NodeFit(ranks=RankMap.fit(values, there, most))
        if self.config.kind != "zlogit":
            return NodeFit()
        mean, spread = np.full((2, *self.weights.shape), np.nan)
        for i in range(len(self.children)):
            for rows, columns in alike(there[i]):
                fitted = self.blend().fit(values[i : i + 1][:, rows][:, :, columns])
                if fitted.mean is not None and fitted.spread is not None:
                    mean[i, columns], spread[i, columns] = fitted.mean[0], fitted.spread[0]
        return NodeFit(mean=mean, spread=spread)

    def apply(self, values: Float64, there: Bool, fit: NodeFit) -> Float64:
        """Return the blend of ``(m, n, C)`` scores where they are there, 0 where none is."""
        out = np.zeros(values.shape[1:])
        for members, rows, columns in blocks(there):
            weights = self.weights[members][:, columns]
            if (weights == weights[:, :1]).all():
                weights = weights[:, 0]
            kept = fit.part(members, columns)
            share = weights.reshape(len(members), -1)
            fitted = FittedBlend(
                self.blend(weights), share / share.sum(axis=0), kept.ranks, kept.mean, kept.spread
            )
            some = values[np.ix_(members, rows, columns)]
            out[np.ix_(rows, columns)] = fitted.apply(some)
        return out

    def part(self, columns: slice) -> Node:
        """Return the blend of some classes."""
        return replace(self, weights=self.weights[:, columns])


def node_weights(
    name: str, node: BlendConfig, classes: Sequence[str], taxa: Sequence[str] | None = None
) -> Float64:
    """Return the weights of a blend for each class, ``(m, C)``.

    A class has its own weight, else that of its taxon, else the default.

    Raises
    ------
    UserError
        If a weight is for something that is neither class nor taxon, a class is without one, or
        all weights of a class are 0.
    """
    out = np.empty((len(node.of), len(classes)))
    groups = list(taxa) if taxa is not None else [DEFAULT] * len(classes)
    known = {*classes, *groups, DEFAULT}
    for i, (child, weight) in enumerate(node.of.items()):
        if not isinstance(weight, dict):
            out[i] = weight
            continue
        if odd := [key for key in weight if key not in known]:
            more = " Give the taxonomy for weights by taxon." if taxa is None else ""
            raise UserError(
                f"{name}: the weights of {child!r} name {first_few(odd)}, which is neither a class "
                f"nor a taxon.{more}"
            )
        for c, (label, taxon) in enumerate(zip(classes, groups, strict=True)):
            key = next((k for k in (label, taxon, DEFAULT) if k in weight), None)
            if key is None:
                raise UserError(
                    f"{name}: {child!r} has no weight for the class {label}; add a {DEFAULT}."
                )
            out[i, c] = weight[key]
    empty = [label for label, total in zip(classes, out.sum(axis=0), strict=True) if total <= 0]
    if empty:
        raise UserError(
            f"{name}: all weights are 0 for {counted(len(empty), 'classes')}: {first_few(empty)}."
        )
    return out

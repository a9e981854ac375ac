"""The tree of blends, for scores of which some are missing.

At every window and class a blend takes the members that spoke there, with their weights divided by
the sum of those; a group speaks where one of its members does.

Where members are missing on some windows only, positions remain those among the windows that each
member scored. A blend of fewer members is spread wider, so that such windows reach the ends of the
scale more often than others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from antiphon.soundscape.ensemble.config import ROOT, EnsembleConfig
from antiphon.soundscape.ensemble.nodes import Node, NodeFit, node_weights

Float64 = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Tree:
    """All blends of an ensemble.

    Parameters
    ----------
    nodes
        By name; the last blend is ``blend``.
    members
        Names of the scorers.
    n_classes
        C.
    """

    nodes: Mapping[str, Node]
    members: tuple[str, ...]
    n_classes: int

    @classmethod
    def of(
        cls, config: EnsembleConfig, classes: Sequence[str], taxa: Sequence[str] | None = None
    ) -> Tree:
        """Return the tree that an ensemble describes.

        Raises
        ------
        UserError
            If a weight is for something that is neither class nor taxon, a class is without one,
            or all weights of a class in a blend are 0.
        """
        nodes = {
            name: Node(name, node, tuple(node.of), node_weights(name, node, classes, taxa))
            for name, node in config.nodes.items()
        }
        return cls(nodes, tuple(member.name for member in config.members), len(classes))

    def evaluate(
        self,
        values: Mapping[str, Float64],
        there: Mapping[str, Bool],
        frozen: Mapping[str, NodeFit] | None = None,
        *,
        most: int | None = None,
        columns: slice = slice(None),
    ) -> tuple[Float64, Bool, dict[str, NodeFit]]:
        """Return the scores of the last blend.

        Parameters
        ----------
        values, there
            ``(n, c)`` scores of each member on some classes, and where they count.
        frozen
            What blends keep of a reference set (all classes); a blend that is not in it is fitted
            on the scores given.
        most
            Scores kept of each member and class in a fit.
        columns
            Which classes are given.

        Returns
        -------
        score, there, fits
            ``(n, c)``, ``(n, c)``, and what was fitted, by blend.
        """
        fits: dict[str, NodeFit] = {}

        def one(name: str) -> tuple[Float64, Bool]:
            if name not in self.nodes:
                return values[name], there[name]
            node = self.nodes[name]
            parts = [one(child) for child in node.children]
            score = np.stack([part[0] for part in parts])
            heard = np.stack([part[1] for part in parts])
            spoke = heard & (node.weights[:, columns] > 0)[:, None]
            if frozen is not None and name in frozen:
                fit = frozen[name].part(slice(None), columns)
            else:
                fit = node.part(columns).fit(score, heard, most)
                fits[name] = fit
            return node.part(columns).apply(score, spoke, fit), np.asarray(spoke.any(axis=0))

        score, spoke = one(ROOT)
        return score, spoke, fits

    def speaking(self, there: Mapping[str, Bool]) -> dict[str, Bool]:
        """Return on which classes members and blends speak, ``(C,)`` each, from the members'."""
        out = {name: np.asarray(there[name]) for name in self.members}

        def speaks(name: str) -> Bool:
            if name not in out:
                node = self.nodes[name]
                inner = np.stack([speaks(child) for child in node.children])
                out[name] = np.asarray((inner & (node.weights > 0)).any(axis=0))
            return out[name]

        speaks(ROOT)
        return out

    def effective(self, there: Mapping[str, Bool]) -> dict[str, Float64]:
        """Return each member's share of the last blend, ``(C,)`` each.

        Parameters
        ----------
        there
            ``(C,)`` for each member, on which classes it speaks.

        Returns
        -------
        dict
            Shares that sum to 1 in each class on which a member speaks, the products of the
            weights along the branch. In a rank or probability blend these are the weights of the
            members' ranks or probabilities only where the blends inside are of the same kind.
        """
        out = {name: np.zeros(self.n_classes) for name in self.members}
        speaks = self.speaking(there)

        def share(name: str, whole: Float64) -> None:
            if name not in self.nodes:
                out[name] = whole
                return
            node = self.nodes[name]
            weights = node.weights * np.stack([speaks[child] for child in node.children])
            total = weights.sum(axis=0)
            for child, weight in zip(node.children, weights, strict=True):
                share(child, whole * weight / np.where(total > 0, total, 1.0))

        share(ROOT, speaks[ROOT].astype(np.float64))
        return out

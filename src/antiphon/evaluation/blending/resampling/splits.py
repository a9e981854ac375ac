"""Public and private boards: what a leader on some of the recordings is worth on the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from antiphon.errors import UserError
from antiphon.evaluation.blending.resampling.wins import Wins, split_scores

Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Splits:
    """What came of many random splits of the recordings into a public and a private part.

    Parameters
    ----------
    names
        Of the systems.
    n_public, n_private
        Recordings in each part.
    n_splits
        Splits in which every system had a score on both parts.
    leader_changes
        Share of the splits in which the leader of the public part does not lead the private one.
    regret_mean, regret_90
        By how much the public leader is behind the private leader: mean, and what is exceeded in
        one split in ten.
    public_leads, private_leads
        ``(m,)`` share of the splits that each system leads; ties are shared.
    gap_sd
        ``(m,)`` standard deviation of public minus private score of each system.
    delta_sd
        ``(m,)`` standard deviation of (public minus private) of the difference from the first
        system: how far a lead over it moves between the boards; 0 for the first itself.
    """

    names: tuple[str, ...]
    n_public: int
    n_private: int
    n_splits: int
    leader_changes: float
    regret_mean: float
    regret_90: float
    public_leads: Float64
    private_leads: Float64
    gap_sd: Float64
    delta_sd: Float64

    def to_json(self) -> dict[str, Any]:
        """Return the fields as plain values."""
        return {
            "n_public": self.n_public,
            "n_private": self.n_private,
            "n_splits": self.n_splits,
            "leader_changes": self.leader_changes,
            "regret_mean": self.regret_mean,
            "regret_90": self.regret_90,
            "systems": [
                {
                    "name": name,
                    "public_leads": float(self.public_leads[k]),
                    "private_leads": float(self.private_leads[k]),
                    "gap_sd": float(self.gap_sd[k]),
                    "delta_sd": float(self.delta_sd[k]),
                }
                for k, name in enumerate(self.names)
            ],
        }


def simulate_splits(
    names: Sequence[str],
    systems: Sequence[Wins],
    *,
    rng: np.random.Generator,
    n_splits: int = 1000,
    public_share: float = 1 / 3,
) -> Splits:
    """Split the recordings at random, again and again, and score all systems on both parts.

    Parameters
    ----------
    names, systems
        The first is the one that ``delta_sd`` refers to.
    public_share
        Share of the recordings in the public part, at least one in each part.

    Raises
    ------
    UserError
        If there are fewer than two recordings, no system, or the share is not between 0 and 1.
    """
    if not systems or len(names) != len(systems):
        raise UserError("There must be systems to compare, and a name for each.")
    n = systems[0].n_files
    if n < 2 or not 0.0 < public_share < 1.0:
        raise UserError(
            f"{n} recordings cannot be split with a public share of {public_share:g}; there must "
            "be at least two, and the share lie between 0 and 1."
        )
    n_public = min(max(1, round(public_share * n)), n - 1)
    order = rng.permuted(np.tile(np.arange(n), (n_splits, 1)), axis=1)
    first = np.zeros((n_splits, n), bool)
    np.put_along_axis(first, order[:, :n_public], True, axis=1)
    both = [split_scores(wins, first) for wins in systems]
    public, private = np.stack([p for p, _ in both]), np.stack([q for _, q in both])
    whole = ~(np.isnan(public) | np.isnan(private)).any(axis=0)
    public, private = public[:, whole], private[:, whole]
    if not whole.any():
        raise UserError("No split left positives and negatives of a class on both sides.")
    gap = public - private
    best = private.max(axis=0)
    # Equal leaders are equally likely to be picked; what is lost is the mean over them.
    leads = public == public.max(axis=0)
    share = leads / leads.sum(axis=0)
    regret = best - (share * private).sum(axis=0)
    leads_private = private == best
    changes = 1.0 - (share * leads_private).sum(axis=0)
    one = gap.shape[1] < 2
    nothing = np.full(len(systems), np.nan)
    return Splits(
        names=tuple(names),
        n_public=n_public,
        n_private=n - n_public,
        n_splits=int(whole.sum()),
        leader_changes=float(changes.mean()),
        regret_mean=float(regret.mean()),
        regret_90=float(np.quantile(regret, 0.9)),
        public_leads=share.mean(axis=1),
        private_leads=(leads_private / leads_private.sum(axis=0)).mean(axis=1),
        gap_sd=nothing if one else gap.std(axis=1, ddof=1),
        delta_sd=nothing if one else (gap - gap[0]).std(axis=1, ddof=1),
    )

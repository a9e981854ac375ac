"""What an evaluation of an ensemble is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from antiphon.evaluation.blending.choosing.postprocess import Step
from antiphon.evaluation.blending.choosing.weights import Method
from antiphon.evaluation.blending.files.align import Unlisted
from antiphon.evaluation.blending.scoring.blends import Kind
from antiphon.evaluation.blending.trust.provenance import Declaration


@dataclass(frozen=True, slots=True)
class Settings:
    """What is to be evaluated.

    Parameters
    ----------
    declared
        What each model was trained on.
    keep
        Models that take part although they are not evaluable or suspected.
    canaries
        Classes without training audio.
    kind
        Of the blend.
    weights
        Weight of each model; others get none. Equal when empty.
    search
        How to search for weights of a rank blend; None for no search.
    steps
        After the blend.
    taxa
        Taxon of each class.
    unlisted, site_pattern
        As for :func:`~antiphon.evaluation.blending.files.align.align`.
    public_share
        Share of the recordings in the public part of simulated splits.
    seed, replicates, n_splits
        Of everything random; resamples; splits.
    """

    declared: Mapping[str, Declaration] = field(default_factory=dict)
    keep: tuple[str, ...] = ()
    canaries: tuple[str, ...] = ()
    kind: Kind = "rank"
    weights: Mapping[str, float] = field(default_factory=dict)
    search: Method | None = None
    steps: tuple[Step, ...] = ()
    taxa: Mapping[str, str] | None = None
    unlisted: Unlisted = "error"
    site_pattern: str | None = None
    public_share: float = 1 / 3
    seed: int = 0
    replicates: int = 2000
    n_splits: int = 1000

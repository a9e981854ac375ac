"""Settings of the losses of multi-label classification; reading them needs no torch."""

from __future__ import annotations

from typing import Annotated, Literal

import pydantic
from pydantic import Field, PositiveFloat

from antiphon.encoders.checking import Strict


def _whole_or_at_least_one(value: float) -> float:
    """Keep the slope of ``p ** gamma`` finite at 0."""
    if 0.0 < value < 1.0:
        raise ValueError(
            "a focusing parameter is 0 or at least 1: between them the slope at 0 is infinite"
        )
    return value


Focus = Annotated[float, Field(ge=0.0), pydantic.AfterValidator(_whole_or_at_least_one)]


class BceConfig(Strict):
    """Binary cross-entropy of each class.

    Attributes
    ----------
    label_smoothing
        ``e`` in ``y (1 - e) + e / 2``.
    positive_weight
        Factor on the term of positives: one for all, one per class name (others 1), or
        ``balanced``: absences over presences of each class in the training clips, at most
        ``max_weight``.
    max_weight
        Limit for ``balanced``.
    """

    kind: Literal["bce"] = "bce"
    label_smoothing: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0
    positive_weight: PositiveFloat | Literal["balanced"] | dict[str, PositiveFloat] = 1.0
    max_weight: PositiveFloat = 20.0


class AsymmetricConfig(Strict):
    """Asymmetric loss (Ridnik et al. 2021, equation 7): easy absences count less.

    Attributes
    ----------
    gamma_positive, gamma_negative
        Focusing of presences and absences.
    margin
        Probability below which an absence costs nothing.
    label_smoothing
        As for :class:`BceConfig`.
    """

    kind: Literal["asymmetric"]
    gamma_positive: Focus = 0.0
    gamma_negative: Focus = 4.0
    margin: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.05
    label_smoothing: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0


class FocalConfig(Strict):
    """Binary cross-entropy and the focal loss (Lin et al. 2017, equation 5) added up.

    Attributes
    ----------
    alpha
        Weight of presences in the focal loss; absences have the rest.
    gamma
        Focusing.
    focal, bce
        Weights of the two in the sum; the focal loss with ``bce: 0`` alone.
    label_smoothing
        As for :class:`BceConfig`.
    """

    kind: Literal["focal"]
    alpha: Annotated[float, Field(ge=0.0, le=1.0)] = 0.25
    gamma: Focus = 2.0
    focal: PositiveFloat = 1.0
    bce: Annotated[float, Field(ge=0.0)] = 1.0
    label_smoothing: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.05


class SoftAucConfig(Strict):
    """How often a presence scores below an absence of the same class, made smooth.

    Attributes
    ----------
    scale
        Factor on differences of logits: the larger, the nearer to counting pairs.
    bce
        Weight of binary cross-entropy, which is added to it: pairs of a small batch leave most
        classes without a word, and say nothing of the level of scores.
    label_smoothing
        Of that part, as for :class:`BceConfig`.
    """

    kind: Literal["soft_auc"]
    scale: PositiveFloat = 1.0
    bce: Annotated[float, Field(ge=0.0)] = 0.25
    label_smoothing: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0


class SoftmaxConfig(Strict):
    """Cross-entropy of a softmax over all classes (Mahajan et al. 2018, section 2.2).

    For thousands of classes of which a clip has a few: where nearly every label is 0, binary
    cross-entropy soon stands still. The target is an equal share for each class present; clips
    without any say nothing. The head's scores are shares as well (``activation: softmax``).

    Attributes
    ----------
    label_smoothing
        Share of the target that is spread over all known classes.
    """

    kind: Literal["softmax"]
    label_smoothing: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0


LossConfig = Annotated[
    BceConfig | AsymmetricConfig | FocalConfig | SoftAucConfig | SoftmaxConfig,
    Field(discriminator="kind"),
]

"""Losses of multi-label classification where some labels are not known."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from antiphon.errors import UserError
from antiphon.training.supervised.loss_config import (
    AsymmetricConfig,
    BceConfig,
    FocalConfig,
    LossConfig,
    SoftAucConfig,
    SoftmaxConfig,
)
from antiphon.training.supervised.soft_auc import soft_auc_loss


def masked_mean_loss(loss: Tensor, known: Tensor | None) -> Tensor:
    """Return the mean of ``loss`` ``(B, C)`` over the labels that are known.

    Without any known label it is 0, with a gradient of 0.
    """
    if known is None:
        return loss.mean()
    weight = known.to(loss.dtype)
    return (loss * weight).sum() / weight.sum().clamp_min(1.0)


def _targets(labels: Tensor, known: Tensor | None, smoothing: float) -> Tensor:
    """Labels in float32, smoothed; an unknown one may hold anything, as NaN, and becomes 0."""
    y = labels.float()
    if known is not None:
        y = torch.where(known > 0, y, torch.zeros_like(y))
    return smooth_labels(y, smoothing)


def smooth_labels(labels: Tensor, smoothing: float) -> Tensor:
    """Return ``y (1 - e) + e / 2``: towards the middle by ``smoothing`` (Szegedy et al. 2016)."""
    return labels if smoothing == 0 else labels * (1.0 - smoothing) + 0.5 * smoothing


def binary_cross_entropy(
    logits: Tensor,
    labels: Tensor,
    known: Tensor | None = None,
    *,
    label_smoothing: float = 0.0,
    positive_weight: Tensor | None = None,
) -> Tensor:
    """Return the mean binary cross-entropy over the known labels.

    ``- w y log p - (1 - y) log(1 - p)`` with ``p`` the logistic function of the logit. The terms
    are taken from the logits by ``log sigmoid`` in float32, so that half precision neither
    overflows nor rounds ``1 - p`` to 0.

    Parameters
    ----------
    logits, labels
        ``(B, C)``; labels in [0, 1].
    known
        ``(B, C)`` 0/1; None: all are known.
    label_smoothing
        As for :func:`smooth_labels`.
    positive_weight
        ``(C,)`` factor ``w`` on the positive term.

    Returns
    -------
    Tensor
        Scalar float32.
    """
    x, y = logits.float(), _targets(labels, known, label_smoothing)
    loss = functional.binary_cross_entropy_with_logits(
        x, y, pos_weight=positive_weight, reduction="none"
    )
    return masked_mean_loss(loss, known)


def asymmetric_loss(
    logits: Tensor,
    labels: Tensor,
    known: Tensor | None = None,
    *,
    gamma_positive: float = 0.0,
    gamma_negative: float = 4.0,
    margin: float = 0.05,
    label_smoothing: float = 0.0,
) -> Tensor:
    """Return the mean asymmetric loss over the known labels (Ridnik et al. 2021, equation 7).

    ``L+ = (1 - p)^g+ log p`` and ``L- = q^g- log(1 - q)`` with the shifted probability
    ``q = max(p - m, 0)``; the loss is ``- y L+ - (1 - y) L-``. With both focusing parameters and
    the margin at 0 it is binary cross-entropy. The gradient goes through the focusing factors.

    Parameters
    ----------
    logits, labels, known, label_smoothing
        As for :func:`binary_cross_entropy`.
    gamma_positive, gamma_negative
        0 or at least 1.
    margin
        In [0, 1).

    Returns
    -------
    Tensor
        Scalar float32. The paper sums over classes; the mean keeps the scale of other losses.
    """
    x, y = logits.float(), _targets(labels, known, label_smoothing)
    p, absent = torch.sigmoid(x), torch.sigmoid(-x)
    positive = functional.logsigmoid(x)
    if gamma_positive > 0:
        positive = absent.pow(gamma_positive) * positive
    if margin > 0:
        # 1 - q is at least the margin, so its logarithm is safe.
        negative = torch.log((absent + margin).clamp_max(1.0))
    else:
        negative = functional.logsigmoid(-x)
    if gamma_negative > 0:
        negative = (p - margin).clamp_min(0.0).pow(gamma_negative) * negative
    return masked_mean_loss(-(y * positive + (1.0 - y) * negative), known)


def focal_loss(
    logits: Tensor,
    labels: Tensor,
    known: Tensor | None = None,
    *,
    alpha: float = 0.25,
    gamma: float = 2.0,
    label_smoothing: float = 0.0,
) -> Tensor:
    """Return the mean focal loss over the known labels (Lin et al. 2017, equation 5).

    ``- y a (1 - p)^g log p - (1 - y) (1 - a) p^g log(1 - p)``: for a label between 0 and 1 it is
    the expectation over a label that is 1 with that probability.

    Parameters
    ----------
    logits, labels, known, label_smoothing
        As for :func:`binary_cross_entropy`.
    alpha
        In [0, 1]: weight of presences.
    gamma
        0 or at least 1.

    Returns
    -------
    Tensor
        Scalar float32.
    """
    x, y = logits.float(), _targets(labels, known, label_smoothing)
    positive, negative = functional.logsigmoid(x), functional.logsigmoid(-x)
    if gamma > 0:
        positive = torch.sigmoid(-x).pow(gamma) * positive
        negative = torch.sigmoid(x).pow(gamma) * negative
    loss = -(y * alpha * positive + (1.0 - y) * (1.0 - alpha) * negative)
    return masked_mean_loss(loss, known)


def softmax_loss(
    logits: Tensor,
    labels: Tensor,
    known: Tensor | None = None,
    *,
    label_smoothing: float = 0.0,
) -> Tensor:
    """Return the mean cross-entropy of a softmax over the known classes of each clip.

    ``- sum of t log softmax(x)`` with ``t = (1 - e) y / sum(y) + e / k`` over the k known classes
    (Mahajan et al. 2018, section 2.2, with label smoothing ``e``).

    Parameters
    ----------
    logits, labels, known
        As for :func:`binary_cross_entropy`.
    label_smoothing
        In [0, 1).

    Returns
    -------
    Tensor
        Scalar float32: the mean over clips with a label. Without any it is 0, with a gradient
        of 0.
    """
    x, y = logits.float(), _targets(labels, known, 0.0)
    counts = torch.ones_like(y) if known is None else (known > 0).to(y.dtype)
    y = y * counts
    # A class that is not known has no part in the sum below the fraction.
    log_share = torch.log_softmax(x.masked_fill(counts == 0, torch.finfo(x.dtype).min), 1)
    total = y.sum(1, keepdim=True)
    target = y / total.clamp_min(1e-6)
    if label_smoothing > 0:
        spread = counts / counts.sum(1, keepdim=True).clamp_min(1.0)
        target = (1.0 - label_smoothing) * target + label_smoothing * spread
    loss = -(target * torch.where(counts > 0, log_share, torch.zeros_like(log_share))).sum(1)
    heard = (total[:, 0] > 0).to(loss.dtype)
    return (loss * heard).sum() / heard.sum().clamp_min(1.0)


class MultiLabelLoss(nn.Module):
    """A loss by its settings.

    Parameters
    ----------
    config
        ``bce``, ``focal``, ``asymmetric``, ``soft_auc`` or ``softmax``.
    classes
        Names, in the order of the logits.
    presence
        ``(C,)`` share of clips in which each class is present, for ``positive_weight: balanced``.

    Raises
    ------
    UserError
        A weight names no class, or balanced weights are asked for without shares.
    """

    positive_weight: Tensor | None

    def __init__(
        self,
        config: LossConfig,
        classes: Sequence[str],
        presence: Sequence[float] | None = None,
    ) -> None:
        super().__init__()
        self.config = config
        weight = positive_weights(config, classes, presence) if config.kind == "bce" else None
        # What follows from the settings is no part of the state.
        self.register_buffer("positive_weight", weight, persistent=False)

    def forward(self, logits: Tensor, labels: Tensor, known: Tensor | None = None) -> Tensor:
        """Return the scalar loss of ``(B, C)`` logits."""
        config = self.config
        smoothing = config.label_smoothing
        if isinstance(config, SoftmaxConfig):
            return softmax_loss(logits, labels, known, label_smoothing=smoothing)
        if isinstance(config, AsymmetricConfig):
            return asymmetric_loss(
                logits,
                labels,
                known,
                gamma_positive=config.gamma_positive,
                gamma_negative=config.gamma_negative,
                margin=config.margin,
                label_smoothing=smoothing,
            )
        entropy = binary_cross_entropy(
            logits,
            labels,
            known,
            label_smoothing=smoothing,
            positive_weight=self.positive_weight,
        )
        if isinstance(config, FocalConfig):
            focal = focal_loss(
                logits,
                labels,
                known,
                alpha=config.alpha,
                gamma=config.gamma,
                label_smoothing=smoothing,
            )
            return config.focal * focal + config.bce * entropy
        if isinstance(config, SoftAucConfig):
            return soft_auc_loss(logits, labels, known, scale=config.scale) + config.bce * entropy
        return entropy


def positive_weights(
    config: BceConfig, classes: Sequence[str], presence: Sequence[float] | None
) -> Tensor | None:
    """Return ``(C,)`` factors on positives, or None where all are 1.

    Balanced weights are ``(1 - f) / f`` for a class present in the share ``f``; a class that is
    never present keeps 1, as there is nothing to weigh.
    """
    given = config.positive_weight
    if isinstance(given, dict):
        unknown = sorted(set(given) - set(classes))
        if unknown:
            raise UserError(f"positive_weight names no class of the labels: {', '.join(unknown)}.")
        return torch.tensor([given.get(name, 1.0) for name in classes])
    if given != "balanced":
        return None if given == 1.0 else torch.full((len(classes),), float(given))
    if presence is None or len(presence) != len(classes):
        raise UserError("positive_weight: balanced needs the share of clips with each class.")
    share = torch.tensor([float(f) for f in presence], dtype=torch.float64)
    weight = torch.where(share > 0, (1.0 - share) / share.clamp_min(1e-12), 1.0)
    return weight.clamp(1e-3, config.max_weight).float()

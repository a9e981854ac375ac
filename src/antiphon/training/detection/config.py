"""Settings of the training of detectors; reading them needs no torch."""

from __future__ import annotations

from typing import ClassVar

from pydantic import NonNegativeFloat, PositiveFloat

from antiphon.training.supervised.config import SupervisedConfig


class DetectorConfig(SupervisedConfig):
    """Training of a network that says which classes sound in a clip, and when.

    Attributes
    ----------
    loss
        Of the clip's scores and, with the rest of the head's ``clip_share``, of those of its
        loudest frame.
    frames
        Weight of the binary cross-entropy of every frame, where the data say when a class
        sounds, as pseudo-labels do; it is added to the loss.
    frozen_share, frozen_steps
        How long a backbone of ``init_from`` rests; none where neither is given.
    unfrozen_rate, unfrozen_warmup_steps, layer_decay, averaging
        As for :class:`~antiphon.training.supervised.config.SupervisedConfig`.
    """

    frozen_by_default: ClassVar[float] = 0.0

    frames: NonNegativeFloat = 0.5
    unfrozen_rate: PositiveFloat = 1.0

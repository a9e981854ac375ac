"""What a model on disk says of itself; no torch is needed to read it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, PositiveFloat, PositiveInt

from antiphon.encoders.checking import Strict
from antiphon.training.backbones.config import AnyHeadConfig, BackboneConfig, Pooling
from antiphon.training.front_end.config import TrainingFrontEnd


class ModelConfig(Strict):
    """All that is needed to build a model, but for its weights.

    Attributes
    ----------
    format
        Version of this file's layout.
    name, description, licence, source
        For people: what it is, under which terms, and where it comes from.
    sample_rate
        Hz.
    window_s
        Seconds of a window.
    front_end, backbone, pooling
        Features, network, and how its tokens become an embedding.
    classes, head
        Names of the classes in the order of the logits, and the classifier; empty and None for a
        model without one.
    weights_sha256
        SHA-256 (hex) of the weights beside it, so that the two files cannot be mixed up.
    """

    format: Literal[1] = 1
    name: str = ""
    description: str = ""
    licence: str = ""
    source: str = ""
    sample_rate: PositiveInt
    window_s: PositiveFloat
    front_end: TrainingFrontEnd
    backbone: BackboneConfig
    pooling: Pooling = "mean"
    classes: tuple[str, ...] = ()
    head: AnyHeadConfig | None = None
    weights_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None

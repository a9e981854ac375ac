"""Settings of the features that a network in torch is trained on; no torch is needed."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from antiphon.encoders.manifest import (
    KaldiFrontEnd,
    LogMelFrontEnd,
    MelFrontEnd,
    PcenFrontEnd,
    StftFrontEnd,
    WaveformFrontEnd,
)


class EmphasisedLogMelFrontEnd(LogMelFrontEnd):
    """Log-mel energies of pre-emphasised audio, as EfficientAT has them.

    Attributes
    ----------
    preemphasis
        ``y[n] = x[n + 1] - preemphasis * x[n]``, one sample shorter than the audio, comes first.
    symmetric
        Whether the analysis window is symmetric rather than periodic.
    """

    kind: Literal["emphasised_log_mel"]  # type: ignore[assignment]
    preemphasis: Annotated[float, Field(ge=0, le=1)] = 0.97
    symmetric: bool = True


TrainingFrontEnd = Annotated[
    WaveformFrontEnd
    | StftFrontEnd
    | MelFrontEnd
    | LogMelFrontEnd
    | PcenFrontEnd
    | KaldiFrontEnd
    | EmphasisedLogMelFrontEnd,
    Field(discriminator="kind"),
]
"""The front ends of manifests, and those that only a network in torch has."""

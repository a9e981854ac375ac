"""Parameters of the built-in encoder, and named sets of them."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any, Self

import pydantic
from pydantic import Field, PositiveFloat, PositiveInt

from antiphon.encoders.checking import Strict


class SpectralParameters(Strict):
    """Parameters of the encoder ``spectral``.

    Parameters
    ----------
    sample_rate
        Hz, 1,000 or more.
    window_s, hop_s
        Seconds; the hop is the window when not given.
    n_mels
        Frequency bands, 32 or more.
    fmin, fmax
        Hz: the range of the bands. The top is 47 % of the sample rate when not given, clear of
        the resampler's edge.
    frame_ms
        Milliseconds between frames; a frame is about three times as long.
    dim
        Length of the embedding.
    seed
        Of the projection.
    """

    sample_rate: Annotated[int, Field(ge=1000)] = 32_000
    window_s: PositiveFloat = 3.0
    hop_s: PositiveFloat | None = None
    n_mels: Annotated[int, Field(ge=32, le=512)] = 80
    fmin: Annotated[float, Field(ge=0)] = 50.0
    fmax: PositiveFloat | None = None
    frame_ms: PositiveFloat = 10.0
    dim: Annotated[PositiveInt, Field(le=16_384)] = 1024
    seed: Annotated[int, Field(ge=0)] = 0

    @pydantic.model_validator(mode="after")
    def _fits_together(self) -> Self:
        top = self.fmax if self.fmax is not None else self.top
        if not self.fmin < top <= self.sample_rate / 2:
            raise ValueError(
                f"bands from {self.fmin} to {top} Hz do not fit a sample rate of "
                f"{self.sample_rate} Hz"
            )
        if self.hop_s is not None and self.hop_s > self.window_s:
            raise ValueError("hop_s is longer than window_s: audio would be left out")
        return self

    @property
    def top(self) -> float:
        """Upper edge of the highest band in Hz."""
        return self.fmax if self.fmax is not None else 0.47 * self.sample_rate


@dataclass(frozen=True, slots=True)
class Preset:
    """A name for a set of parameters.

    Parameters
    ----------
    description
        One line for lists.
    values
        What differs from the defaults of :class:`SpectralParameters`.
    """

    description: str
    values: MappingProxyType[str, Any]


PRESETS: dict[str, Preset] = {
    "spectral": Preset(
        "built in, no download: 50 Hz to 15 kHz at 32 kHz, 3 s; 1,024 numbers",
        MappingProxyType({}),
    ),
    "spectral-ultrasound": Preset(
        "built in, for bats, rodents and insects: 10 to 118 kHz at 250 kHz, 1 s; 1,024 numbers",
        MappingProxyType(
            {"sample_rate": 250_000, "window_s": 1.0, "fmin": 10_000.0, "frame_ms": 3.0}
        ),
    ),
    "spectral-lowfreq": Preset(
        "built in, for whales, fish and elephants: 10 Hz to 0.9 kHz at 2 kHz, 10 s; 1,024 numbers",
        MappingProxyType(
            {"sample_rate": 2000, "window_s": 10.0, "fmin": 10.0, "frame_ms": 32.0, "n_mels": 64}
        ),
    ),
}

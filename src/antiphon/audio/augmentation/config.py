"""Settings of augmentation, strict: a wrong key is an error."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

import pydantic

Probability = Annotated[float, pydantic.Field(ge=0, le=1)]
Range = tuple[float, float]


class AugmentSettings(pydantic.BaseModel):
    """A frozen model that refuses keys it does not know and ranges that run backwards."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)

    @pydantic.model_validator(mode="after")
    def _ranges_rise(self) -> Self:
        for name in type(self).model_fields:
            value = getattr(self, name)
            if isinstance(value, tuple) and len(value) == 2 and value[0] > value[1]:
                raise ValueError(f"{name} must rise, not {value[0]} to {value[1]}")
        return self


class NoiseConfig(AugmentSettings):
    """Noise added at a drawn signal-to-noise ratio.

    Parameters
    ----------
    p
        Probability of each example. "What Matters for Bioacoustic Encoding" (ICLR 2026) has 0.5.
    snr_db
        Range of the ratio of powers of clip and noise, uniform, dB. The same paper: -10 to 20.
    folder
        Folder of recordings without the sounds of interest; None for synthesised noise alone.
    synthesised
        Share of the noises that are synthesised where there is a folder; without one all are.
    """

    p: Probability = 0.5
    snr_db: Range = (-10.0, 20.0)
    folder: Path | None = None
    synthesised: Probability = 0.0


class MixupConfig(AugmentSettings):
    """Two examples added, with the union of their labels.

    Parameters
    ----------
    p
        Probability of each example.
    weight
        Range of the share ``w`` of the example itself, uniform: ``w x + (1 - w) y``. With the
        union of labels both must stay audible, so it keeps off 0 and 1.
    equal_power
        Whether the partner is first brought to the power of the example.
    """

    p: Probability = 0.5
    weight: Range = (0.3, 0.7)
    equal_power: bool = True

    @pydantic.field_validator("weight")
    @classmethod
    def _within(cls, value: Range) -> Range:
        if value[0] <= 0 or value[1] >= 1:
            raise ValueError("must lie between 0 and 1, both left out")
        return value


class GainConfig(AugmentSettings):
    """A change of level.

    Parameters
    ----------
    p
        Probability of each example.
    db
        Range, uniform, dB.
    """

    p: Probability = 0.5
    db: Range = (-12.0, 6.0)


class ShiftConfig(AugmentSettings):
    """A shift in time around the end of the clip: what leaves at its end comes in at its start.

    Parameters
    ----------
    p
        Probability of each example.
    share
        Largest shift as a share of the audio in the clip, to either side.
    """

    p: Probability = 0.5
    share: Probability = 0.5


class LowPassConfig(AugmentSettings):
    """A Butterworth low-pass, as distance, vegetation or an older recorder would have it.

    Parameters
    ----------
    p
        Probability of each example.
    cut
        Range of the cut-off as a share of half the sample rate, uniform in its logarithm.
    order
        Of the filter; it falls by ``6 * order`` dB per octave.
    """

    p: Probability = 0.2
    cut: Range = (0.15, 0.9)
    order: Annotated[int, pydantic.Field(ge=1, le=12)] = 4

    @pydantic.field_validator("cut")
    @classmethod
    def _within(cls, value: Range) -> Range:
        if value[0] <= 0 or value[1] >= 1:
            raise ValueError("must lie between 0 and 1, both left out")
        return value


class SpecAugmentConfig(AugmentSettings):
    """Masks on features: SpecAugment (Park et al. 2019, section 2) and cut bands.

    Parameters
    ----------
    time_masks, time_share
        Number of spans of frames masked in each example, and the widest as a share of its frames.
    mel_masks, mel_share
        The same over mel bins.
    band_p, band_keep
        Probability that everything below or above a drawn bin is masked, as in recordings of a
        narrower band, and the least share of the bins that is kept.
    """

    time_masks: Annotated[int, pydantic.Field(ge=0)] = 2
    time_share: Probability = 0.1
    mel_masks: Annotated[int, pydantic.Field(ge=0)] = 2
    mel_share: Probability = 0.15
    band_p: Probability = 0.1
    band_keep: Probability = 0.5


class AugmentConfig(AugmentSettings):
    """Everything done to examples on the fly: a step that is not named is left out.

    None (``null`` in YAML) leaves a step out as well, as over a preset that has it; an empty
    mapping is the step with its defaults. Waveforms: mixup, shift, low-pass, noise, gain,
    polarity, in this order. ``spec`` works on features, and is applied by the stage that trains
    on them. ``polarity`` is the probability that a waveform is turned upside down.
    """

    mixup: MixupConfig | None = None
    shift: ShiftConfig | None = None
    low_pass: LowPassConfig | None = None
    noise: NoiseConfig | None = None
    gain: GainConfig | None = None
    polarity: Probability = 0.0
    spec: SpecAugmentConfig | None = None

    @pydantic.field_validator("polarity", mode="before")
    @classmethod
    def _null_is_off(cls, value: object) -> object:
        return 0.0 if value is None else value

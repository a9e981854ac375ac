"""All steps on one waveform, in their order."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from antiphon.audio.augmentation.config import AugmentConfig
from antiphon.audio.augmentation.noise import NoiseSource
from antiphon.audio.augmentation.waveform import add_at_snr, low_pass, shift, within_full_scale
from antiphon.errors import AudioError

Float32 = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Augmented:
    """A changed waveform and what was done to it.

    Parameters
    ----------
    waveform
        ``(n,)`` float32, within full scale.
    snr_db
        Of the noise that was added; NaN where none was.
    faults
        Noise recordings that could not be read; others took their place.
    shifted
        Samples by which it was moved to later, around its end.
    """

    waveform: Float32
    snr_db: float = math.nan
    faults: tuple[AudioError, ...] = ()
    shifted: int = 0


class Augmenter:
    """Shift, low-pass, noise, gain and polarity, each with its probability.

    Mixup needs a second example and is done before, by whoever has one.

    Parameters
    ----------
    config
        The settings.
    sample_rate
        Hz of the waveforms.

    Raises
    ------
    FileError
        The noise folder is missing or holds no recording.
    """

    def __init__(self, config: AugmentConfig, sample_rate: int) -> None:
        self._config = config
        self._rate = sample_rate
        noise = config.noise
        self._noise = None if noise is None else NoiseSource(noise.folder, noise.synthesised)

    def __call__(self, waveform: Float32, rng: np.random.Generator) -> Augmented:
        """Change the audio of one clip, ``(n,)`` float32 without padding.

        Raises
        ------
        AudioError
            The noise recordings cannot be read.
        """
        config, x, snr_db, shifted = self._config, waveform, math.nan, 0
        faults: list[AudioError] = []
        # Every step has a generator of its own: switching one off leaves the others' draws.
        steps = rng.spawn(5)
        if config.shift is not None and steps[0].random() < config.shift.p:
            reach = config.shift.share * len(x)
            shifted = round(float(steps[0].uniform(-reach, reach)))
            x = shift(x, shifted)
        if config.low_pass is not None and steps[1].random() < config.low_pass.p:
            low, high = np.log(config.low_pass.cut)
            x = low_pass(x, float(np.exp(steps[1].uniform(low, high))), config.low_pass.order)
        if config.noise is not None and steps[2].random() < config.noise.p:
            assert self._noise is not None
            wanted = float(steps[2].uniform(*config.noise.snr_db))
            noise = self._noise.draw(len(x), self._rate, steps[2], faults)
            x, scale = add_at_snr(x, noise, wanted)
            snr_db = wanted if scale else math.nan
        if config.gain is not None and steps[3].random() < config.gain.p:
            x = x * np.float32(10.0 ** (steps[3].uniform(*config.gain.db) / 20.0))
        if steps[4].random() < config.polarity:
            x = -x
        return Augmented(within_full_scale(x), snr_db, tuple(faults), shifted)

"""Things that are struck: sums of decaying modes, with the knock of the blow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from antiphon.audio.synthesis.calls import HIGHEST_PARTIAL, Curve, Samples
from antiphon.audio.synthesis.repertoire.body import Body, resonate
from antiphon.audio.synthesis.repertoire.curves import white
from antiphon.audio.synthesis.repertoire.drawing import Individual
from antiphon.audio.synthesis.repertoire.score import LONGEST_S, Rhythm
from antiphon.threads import few_threads

_BLOCK = 256
# Strikes that sound different; more strikes take them in turn, at levels of their own.
_VARIANTS = 4


def decaying_modes(
    hertz: Curve, decay_s: Curve, amplitude: Curve, phase: Curve, n: int, sample_rate: int
) -> Samples:
    """Return the sum of exponentially decaying sines.

    The powers of each mode's pole factor into those of blocks and those within a block, so that
    the sum over modes is a product of two small matrices.

    Parameters
    ----------
    hertz, decay_s, amplitude, phase
        Frequency, time constant (s), amplitude and phase (radians) of each mode, (M,).
    n
        Samples to return.
    sample_rate
        Hz; modes above 48.5 % of it are left out.
    """
    keep = hertz < HIGHEST_PARTIAL * sample_rate
    pole = (-1.0 / decay_s[keep] + 2j * np.pi * hertz[keep]) / sample_rate
    weight = amplitude[keep] * np.exp(1j * (phase[keep] - np.pi / 2))
    blocks = np.arange(-(-n // _BLOCK)) * _BLOCK
    outer = np.exp(np.outer(blocks, pole)) * weight
    inner = np.exp(np.outer(pole, np.arange(_BLOCK)))
    # The real part of the product, as one product of real matrices.
    left = np.concatenate([outer.real, -outer.imag], axis=1).astype(np.float32)
    right = np.concatenate([inner.real, inner.imag], axis=0).astype(np.float32)
    with few_threads(left.size):
        return np.asarray((left @ right).reshape(-1)[:n], np.float32)


@dataclass(frozen=True, slots=True)
class Struck:
    """An object that is struck, plucked or knocked, once or in a rhythm.

    Parameters
    ----------
    hertz
        Lowest mode, Hz.
    ratios, gain_db, decay_s
        Frequency over the lowest, level and time constant (s) of each mode, (M,).
    knock
        Level of the blow's noise relative to the modes' sum, linear.
    knock_s
        Time constant of that noise, s.
    knock_body
        Its spectrum.
    rhythm
        Strikes; each lasts ``ring_s`` and the next comes ``gap_s`` after the last began.
    gap_s
        Mean time from strike to strike, s.
    ring_s
        Longest ringing, s.
    scatter
        Octaves by which pitch differs from strike to strike (debris, coins, wind chimes).
    fresh_db
        dB by which the level of each mode differs from strike to strike.
    attack_s
        Rise time of modes, s: 0 for a hard hit.
    """

    hertz: float
    ratios: Curve
    gain_db: Curve
    decay_s: Curve
    knock: float
    knock_s: float
    knock_body: Body
    rhythm: Rhythm
    gap_s: float
    ring_s: float
    scatter: float = 0.0
    fresh_db: float = 3.0
    attack_s: float = 0.0

    @property
    def main_hz(self) -> float:
        """The lowest mode."""
        return self.hertz

    def render(
        self,
        individual: Individual,
        sample_rate: int,
        rng: np.random.Generator,
        limit_s: float = LONGEST_S,
    ) -> Samples:
        """Return one event; see :class:`~antiphon.audio.synthesis.repertoire.recipe.Recipe`."""
        plan = self.rhythm.plan(np.array([0.01]), np.array([self.gap_s]), individual, rng)
        n = round(min(self.ring_s, 5.0 * float(self.decay_s.max())) * sample_rate)
        n = max(n, round(0.02 * sample_rate))
        variants = [
            self._strike(n, individual, sample_rate, rng)
            for _ in range(min(_VARIANTS, len(plan.start)))
        ]
        starts = np.round(plan.start[plan.start < limit_s] * sample_rate).astype(np.int64)
        n = min(n, max(round(limit_s * sample_rate), 64))
        out = np.zeros(int(starts[-1]) + n, np.float32)
        for number, (at, level) in enumerate(zip(starts, plan.level, strict=False)):
            out[at : at + n] += np.float32(level) * variants[number % len(variants)][:n]
        return out

    def _strike(
        self, n: int, individual: Individual, sample_rate: int, rng: np.random.Generator
    ) -> Samples:
        modes = len(self.ratios)
        own = individual.own(modes, 11)
        pitch = individual.pitch * float(np.exp2(self.scatter * rng.standard_normal()))
        hertz = self.hertz * self.ratios * pitch * (1.0 + 0.008 * own * (np.arange(modes) > 0))
        gain = self.gain_db + 1.5 * own + self.fresh_db * rng.standard_normal(modes)
        sound = decaying_modes(
            hertz,
            self.decay_s * individual.length,
            10.0 ** (gain / 20.0),
            rng.uniform(0.0, 0.6, modes),
            n,
            sample_rate,
        )
        rise = max(8, round(self.attack_s * sample_rate))
        sound[:rise] *= np.linspace(0.0, 1.0, rise, dtype=np.float32)[: len(sound)]
        if self.knock:
            long = min(n, round(7.0 * self.knock_s * sample_rate) + 16)
            decay = np.exp(np.arange(long) * np.float32(-1.0 / (self.knock_s * sample_rate)))
            noise = white(long, rng) * decay.astype(np.float32)
            noise = resonate(noise, (self.knock_body,), None, individual, sample_rate)[:n]
            noise *= np.float32(
                self.knock * float(np.max(np.abs(sound))) / max(float(np.max(np.abs(noise))), 1e-9)
            )
            sound[: len(noise)] += noise
        fall = min(n // 4, round(0.05 * sample_rate))
        sound[n - fall :] *= np.linspace(1.0, 0.0, fall, dtype=np.float32)
        return sound

"""Sounds without notes: shaped noise that swells, and grains such as drops, bubbles, crackles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from antiphon.audio.synthesis.calls import HIGHEST_PARTIAL, Curve, Samples
from antiphon.audio.synthesis.repertoire.body import Body, resonate
from antiphon.audio.synthesis.repertoire.curves import sine, wander, white
from antiphon.audio.synthesis.repertoire.drawing import Individual
from antiphon.audio.synthesis.repertoire.score import LONGEST_S

GrainKind = Literal["click", "bubble", "ring"]
# Samples of all grains of an event together, and grains, at most: a bound on the time they take.
_MOST_SAMPLES = 500_000
_MOST_GRAINS = 1500


@dataclass(frozen=True, slots=True)
class Grains:
    """Many short sounds at random times.

    Parameters
    ----------
    kind
        ``click``: decaying noise; ``bubble``: a decaying sine whose pitch rises, as of a bubble
        near the surface; ``ring``: a decaying sine.
    per_s
        Mean number per second.
    low_hz, high_hz
        Range of pitch, log-even; of clicks, the range of the bandwidth that is left.
    decay_s
        Time constant of the lowest, s; higher ones die as the square root of their pitch faster.
    spread_db
        Spread of levels.
    clump
        0 for even times; above, spread (log) of the rate, which comes in bursts.
    clump_hz
        Bursts per second, about.
    rise
        Bubbles: octaves per time constant.
    """

    kind: GrainKind
    per_s: float
    low_hz: float
    high_hz: float
    decay_s: float
    spread_db: float = 6.0
    clump: float = 0.0
    clump_hz: float = 4.0
    rise: float = 0.15

    def sound(
        self,
        envelope: Samples | None,
        n: int,
        individual: Individual,
        sample_rate: int,
        rng: np.random.Generator,
    ) -> Samples:
        """Return the grains, float32 (n,); there are more where ``envelope`` is higher."""
        length = max(8, min(round(5.0 * self.decay_s * sample_rate), n))
        most = min(_MOST_GRAINS, max(1, _MOST_SAMPLES // length))
        count = int(min(most, max(1, rng.poisson(self.per_s * individual.tempo * n / sample_rate))))
        at = self._times(envelope, n, count, sample_rate, rng)
        low = min(self.low_hz * individual.pitch, 0.4 * sample_rate)
        high = min(max(self.high_hz * individual.pitch, 1.05 * low), 0.45 * sample_rate)
        hertz = np.exp(rng.uniform(np.log(low), np.log(high), count)).astype(np.float32)
        level = 10.0 ** (self.spread_db * rng.standard_normal(count) / 20.0)
        if envelope is not None:
            level *= 0.3 + 0.7 * envelope[at]
        # Sorted by length, so that short grains are not computed as long as the longest.
        decay = self.decay_s * np.sqrt(low / hertz) * np.exp(0.2 * rng.standard_normal(count))
        order = np.argsort(decay)
        out = np.zeros(n + length, np.float32)
        for part in np.array_split(order, 3 if count > 30 else 1):
            if not len(part):
                continue
            long = max(8, min(length, round(5.0 * float(decay[part[-1]]) * sample_rate)))
            grain = self._grains(hertz[part], decay[part], long, sample_rate, rng)
            grain *= level[part, None].astype(np.float32)
            places = (at[part, None] + np.arange(long)).reshape(-1)
            out += np.bincount(places, grain.reshape(-1), len(out))[: len(out)].astype(np.float32)
        return out[:n]

    def _times(
        self,
        envelope: Samples | None,
        n: int,
        count: int,
        sample_rate: int,
        rng: np.random.Generator,
    ) -> np.ndarray:
        if envelope is None and not self.clump:
            return np.asarray(rng.integers(0, n, count))
        step = max(1, sample_rate // 500)
        cells = n // step + 1
        rate = np.ones(cells)
        if envelope is not None:
            rate = np.maximum(envelope[::step][:cells].astype(np.float64), 1e-3)
            rate = np.resize(rate, cells)
        if self.clump:
            rate = rate * np.exp(self.clump * wander(cells, 500, self.clump_hz, rng))
        share = np.cumsum(rate)
        cell = np.searchsorted(share, rng.uniform(0.0, share[-1], count))
        return np.asarray(np.minimum(cell * step + rng.integers(0, step, count), n - 1))

    def _grains(
        self, hertz: Samples, decay: Curve, long: int, rate: int, rng: np.random.Generator
    ) -> Samples:
        time = np.arange(long, dtype=np.float32) / np.float32(rate)
        slow = (-1.0 / decay).astype(np.float32)[:, None]
        if self.kind == "click":
            grain = white(len(hertz) * long, rng).reshape(len(hertz), long)
            # Noise that is smoothed and shifted up lies around the pitch.
            smooth = grain.copy()
            smooth[:, 1:] += grain[:, :-1]
            smooth[:, 2:] += grain[:, :-2]
            smooth[:, 3:] += grain[:, :-3]
            start = rng.random((len(hertz), 1), dtype=np.float32) * np.float32(2.0 * np.pi)
            turn = np.float32(2.0 * np.pi) * hertz[:, None] * time + start
            grain = smooth * np.sin(turn) + np.float32(0.1) * grain
        else:
            turn = np.float32(2.0 * np.pi) * hertz[:, None] * time
            if self.kind == "bubble":
                turn = turn * (1.0 - np.float32(self.rise * 0.35) * slow * time)
            limit = np.float32(np.pi * 2 * HIGHEST_PARTIAL)
            grain = np.sin(np.minimum(turn, limit * np.arange(long, dtype=np.float32)))
        grain *= np.exp(slow * time)
        grain[:, :3] *= np.array([0.2, 0.5, 0.8], np.float32)[: min(3, long)]
        return np.asarray(grain, np.float32)


def _sum(parts: list[tuple[Samples, float]]) -> Samples:
    """Add sounds, each brought to a level (linear, of its power)."""
    out = np.zeros(max(len(sound) for sound, _ in parts), np.float32)
    for sound, level in parts:
        power = float(np.sqrt(np.mean(np.square(sound)))) or 1.0
        out[: len(sound)] += np.float32(level / power) * sound
    return out


@dataclass(frozen=True, slots=True)
class Texture:
    """A stretch of noise and grains.

    Parameters
    ----------
    seconds
        Shortest and longest.
    bodies
        Spectra of the noise; it moves between them with the swell. None for no noise.
    noise
        Its level beside the grains, linear.
    grains
        Grains, each with a level.
    swell
        Spread (log) of slow random changes of level.
    swell_hz
        Their rate.
    wave_hz, wave
        Rate and depth (0 to 1) of a steady rise and fall: surf, sawing, breathing.
    skew
        Share of a cycle in which a wave rises.
    edge
        Power of the wave: above 1 more silence between.
    attack, release
        Shares of the event for rising and falling; a part of a longer event has neither.
    coloured
        The grains too have the spectra of the bodies.
    """

    seconds: tuple[float, float]
    bodies: tuple[Body, ...] = ()
    noise: float = 1.0
    grains: tuple[tuple[Grains, float], ...] = ()
    swell: float = 0.0
    swell_hz: float = 1.0
    wave_hz: float = 0.0
    wave: float = 0.0
    skew: float = 0.5
    edge: float = 1.0
    attack: float = 0.1
    release: float = 0.15
    coloured: bool = False

    @property
    def main_hz(self) -> float:
        """The lowest of what it is made of."""
        lows = [b.hertz[0] if b.hertz else 2.0 * b.low_hz for b in self.bodies if self.noise]
        return min(lows + [grains.low_hz for grains, _ in self.grains])

    def render(
        self,
        individual: Individual,
        sample_rate: int,
        rng: np.random.Generator,
        limit_s: float = LONGEST_S,
    ) -> Samples:
        """Return one event; see :class:`~antiphon.audio.synthesis.repertoire.recipe.Recipe`."""
        low, high = self.seconds
        seconds = rng.uniform(low, high) * individual.length
        n = max(64, round(min(seconds, limit_s) * sample_rate))
        begin = rng.random() * max(0.0, seconds - limit_s) / seconds
        place = np.linspace(begin, begin + n / (seconds * sample_rate), n, dtype=np.float32)
        envelope = np.minimum(place / np.float32(max(self.attack, 1e-3)), 1.0)
        envelope *= np.clip((1.0 - place) / np.float32(max(self.release, 1e-3)), 0.0, 1.0)
        mouth: Samples | None = None
        if self.swell:
            slow = wander(n, sample_rate, self.swell_hz * individual.tempo, rng)
            envelope *= np.exp(np.float32(self.swell) * np.minimum(slow, 1.5))
            mouth = np.clip(0.5 + 0.5 * slow, 0.0, 1.0) * np.float32(max(len(self.bodies) - 1, 1))
        if self.wave:
            wave = self._wave(n, individual, sample_rate, rng)
            envelope *= np.float32(1.0 - self.wave) + np.float32(self.wave) * wave
            mouth = wave * np.float32(max(len(self.bodies) - 1, 1)) if mouth is None else mouth
        if mouth is None:
            mouth = place * np.float32(max(len(self.bodies) - 1, 1))
        envelope /= max(float(envelope.max()), 1e-6)
        shaped = self.swell or self.wave or self.attack + self.release > 0.3
        parts = [
            (grains.sound(envelope if shaped else None, n, individual, sample_rate, rng), level)
            for grains, level in self.grains
        ]
        if not (self.bodies and self.noise):
            return _sum(parts)
        hush = white(n, rng)
        hush *= envelope
        if self.coloured and parts:
            both = _sum([(hush, self.noise), *parts])
            return resonate(both, self.bodies, mouth, individual, sample_rate)
        hush = resonate(hush, self.bodies, mouth, individual, sample_rate)
        return _sum([(hush, self.noise), *parts])

    def _wave(
        self, n: int, individual: Individual, sample_rate: int, rng: np.random.Generator
    ) -> Samples:
        """Return a wave between 0 and 1 that rises faster than it falls, or slower."""
        pace = np.exp(np.float32(0.15) * wander(n, sample_rate, self.wave_hz, rng))
        rate = self.wave_hz * individual.tempo / sample_rate
        turns = np.cumsum(pace, dtype=np.float64) * rate + rng.random()
        part = turns - np.floor(turns)
        warped = np.where(
            part < self.skew,
            0.5 * part / self.skew,
            0.5 + 0.5 * (part - self.skew) / (1 - self.skew),
        )
        wave = 0.5 + 0.5 * sine(warped - 0.25)
        return np.asarray(wave ** np.float32(self.edge), np.float32)

"""Sources of sound along a pitch curve: stacks of partials, pulses, narrow and broad noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from antiphon.audio.synthesis.calls import HIGHEST_PARTIAL, Curve, Samples
from antiphon.audio.synthesis.repertoire.curves import sine, wander, white
from antiphon.audio.synthesis.repertoire.drawing import Individual, even
from antiphon.audio.synthesis.repertoire.score import Voiced

SourceKind = Literal["stack", "fm", "pulse", "hiss", "noise"]
_TURN = np.float32(2.0 * np.pi)


@dataclass(frozen=True, slots=True)
class Source:
    """What sounds along the pitch.

    Parameters
    ----------
    kind
        ``stack``: partials at multiples of the pitch; ``fm``: partials of frequency modulation
        (Chowning 1973), inharmonic unless ``ratio`` is whole; ``pulse``: one pulse per period;
        ``hiss``: noise of bandwidth ``width_hz`` around the pitch; ``noise``: white noise.
    fall_db
        Stack: dB by which each partial lies below the one before; more when soft.
    stride
        Stack: 1 for all partials, 2 for the odd ones.
    ratio, index
        FM: modulator over carrier frequency, and peak modulation index.
    grit
        Pulse: share of noise that starts anew with each pulse.
    decay
        Pulse: time constants of that noise within a period.
    pattern
        Pulse: amplitudes that the pulses take in turn, as the cylinders of an engine.
    width_hz
        Hiss: bandwidth.
    vibrato_hz, vibrato
        Rate and depth (octaves) of vibrato.
    buzz_hz, buzz
        Rate and depth (octaves) of fast frequency modulation.
    shake_hz, shake, edge
        Rate, depth (0 to 1) and sharpness of amplitude modulation.
    drift
        Octaves of slow random wander of the pitch.
    irregular
        Pulse: spread of periods, as a share; stack: octaves of fast wander.
    shimmer
        Pulse: spread (log) of amplitudes.
    subharmonic
        Rough parts: 2 or 3 for period doubling or tripling, 0 for chaos.
    breath
        Share of noise throughout.
    second
        Octaves from the pitch to a second voice, 0 for none: the two sides of a syrinx.
    """

    kind: SourceKind = "stack"
    fall_db: float = 12.0
    stride: int = 1
    ratio: float = 1.0
    index: float = 1.0
    grit: float = 0.0
    decay: float = 4.0
    pattern: tuple[float, ...] = (1.0,)
    width_hz: float = 300.0
    vibrato_hz: float = 0.0
    vibrato: float = 0.0
    buzz_hz: float = 0.0
    buzz: float = 0.0
    shake_hz: float = 0.0
    shake: float = 0.0
    edge: float = 1.0
    drift: float = 0.01
    irregular: float = 0.01
    shimmer: float = 0.1
    subharmonic: int = 2
    breath: float = 0.0
    second: float = 0.0

    def sound(
        self, voiced: Voiced, individual: Individual, sample_rate: int, rng: np.random.Generator
    ) -> Samples:
        """Return the source before its resonances, float32 (n,), about unit scale when loud."""
        n = len(voiced.hertz)
        cycles = self._cycles(voiced, individual, sample_rate, rng)
        if self.kind == "stack":
            out = self._stack(cycles, voiced, individual, sample_rate)
            if self.second:
                up = float(np.exp2(self.second))
                other = cycles * up
                out = out + self._stack(other, voiced, individual, sample_rate, up)
        elif self.kind == "fm":
            depth = np.float32(self.index) * (0.4 + 0.6 * np.minimum(voiced.level, 1.0))
            swing = depth * sine(cycles * self.ratio)
            part = (cycles - np.floor(cycles)).astype(np.float32)
            out = np.sin(_TURN * part + swing)
        elif self.kind == "pulse":
            return self._pulses(cycles, voiced, sample_rate, rng)
        elif self.kind == "hiss":
            slow = np.float32(0.7) * (
                wander(n, sample_rate, self.width_hz / 2.0, rng) * sine(cycles)
                + wander(n, sample_rate, self.width_hz / 2.0, rng) * sine(cycles + 0.25)
            )
            out = slow
        else:
            out = white(n, rng)
        if voiced.rough is not None and self.subharmonic and self.kind != "noise":
            out = out * (1.0 + voiced.rough * sine(cycles / self.subharmonic))
        out = self._breathe(out, voiced, individual, rng)
        out *= voiced.level
        return self._shaken(out, individual, sample_rate, rng)

    def _cycles(
        self, voiced: Voiced, individual: Individual, sample_rate: int, rng: np.random.Generator
    ) -> Curve:
        """Return the phase in cycles, float64 (n,), with all that moves the pitch."""
        n = len(voiced.hertz)
        octaves: Samples | None = None
        if self.drift and n > 0.04 * sample_rate:
            octaves = np.float32(self.drift) * wander(n, sample_rate, 6.0, rng)
        if self.irregular and self.kind != "pulse":
            quick = np.float32(self.irregular) * wander(n, sample_rate, 90.0, rng)
            octaves = quick if octaves is None else octaves + quick
        if voiced.rough is not None and self.subharmonic == 0:
            rate = float(np.median(voiced.hertz[:: max(1, n // 64)])) / 2.5
            chaos = np.float32(0.35) * wander(n, sample_rate, rate, rng) * voiced.rough
            octaves = chaos if octaves is None else octaves + chaos
        time = None
        if self.vibrato:
            time = np.arange(n) / sample_rate
            turns = self.vibrato_hz * individual.tempo * time + rng.random()
            wave = np.float32(self.vibrato) * sine(turns)
            octaves = wave if octaves is None else octaves + wave
        if self.buzz:
            time = np.arange(n) / sample_rate if time is None else time
            wave = np.float32(self.buzz) * sine(self.buzz_hz * individual.tempo * time)
            octaves = wave if octaves is None else octaves + wave
        hertz = voiced.hertz if octaves is None else voiced.hertz * np.exp2(octaves)
        # Pulses begin with the note.
        begin = even(rng, 0.9, 1.0) if self.kind == "pulse" else rng.random()
        cycles = np.cumsum(hertz)
        cycles *= 1.0 / sample_rate
        cycles += begin
        return cycles

    def _stack(
        self,
        cycles: Curve,
        voiced: Voiced,
        individual: Individual,
        sample_rate: int,
        up: float = 1.0,
    ) -> Samples:
        """Return partials that fall off evenly in dB, summed in closed form.

        Moorer, "The synthesis of complex audio spectra by means of discrete summation formulas"
        (J. Audio Eng. Soc. 24:717, 1976), equation 1, with the finite tail.
        """
        # Modulation takes the pitch above its curve, chaos far above.
        chaotic = voiced.rough is not None and self.subharmonic == 0
        margin = 1.06 * 2.0 ** (1.5 * (self.vibrato + self.buzz) + 0.5 * chaotic)
        top = up * float(voiced.hertz.max()) * margin
        count = int((HIGHEST_PARTIAL * sample_rate / max(top, 1.0) - 1.0) / self.stride) + 1
        fundamental = sine(cycles)
        if top > HIGHEST_PARTIAL * sample_rate:
            # What is too high is left out, for as long as it is.
            fundamental *= voiced.hertz * (margin * up) < HIGHEST_PARTIAL * sample_rate
        if self.fall_db > 45.0 or count < 2:
            return fundamental
        # A soft voice is duller; a bright individual falls less from partial to partial.
        soft = 1.0 - np.minimum(voiced.level, 1.0)
        fall = self.fall_db * (1.0 - 0.2 * individual.timbre) * (1.0 + 0.7 * soft)
        a = np.exp(np.float32(-np.log(10.0) / 20.0) * np.maximum(fall, 0.15))
        beta = np.asarray(cycles * self.stride)
        cosine = sine(beta + 0.25)
        if self.stride == 1:
            out = fundamental.copy()
        else:
            out = np.asarray(fundamental - a * sine(np.asarray(cycles - beta)), np.float32)
        least = float(np.min(fall))
        if least * count < 70.0:
            last = a**count
            out -= last * (sine(cycles + count * beta) - a * sine(cycles + (count - 1) * beta))
        out /= 1.0 - 2.0 * a * cosine + a * a
        # Constant power whatever the fall: the sum of a^2k.
        out *= np.sqrt(1.0 - a * a + 1e-6)
        return np.asarray(out, np.float32)

    def _pulses(
        self, cycles: Curve, voiced: Voiced, sample_rate: int, rng: np.random.Generator
    ) -> Samples:
        """Return impulses at whole cycles, between samples where they fall there, and grit."""
        n = len(cycles)
        whole = np.floor(cycles)
        at = np.flatnonzero(whole[1:] > whole[:-1])
        at = at[voiced.level[at] > 1e-4]
        if not len(at) and not self.grit:
            # Too slow for a single one: it comes where it would be loudest.
            at = np.array([max(int(np.argmax(voiced.level)) - 1, 0)])
        out = np.zeros(n, np.float32)
        if len(at):
            slope = cycles[at + 1] - cycles[at]
            exact = at + np.maximum(whole[at + 1] - cycles[at], 0.0) / slope
            exact = exact + self.irregular * rng.standard_normal(len(at)) / slope
            loud = voiced.level[at] * np.exp(self.shimmer * rng.standard_normal(len(at)))
            number = np.arange(len(at))
            if len(self.pattern) > 1:
                loud = loud * np.array(self.pattern)[number % len(self.pattern)]
            if voiced.rough is not None:
                every = max(self.subharmonic, 2)
                loud = loud * (1.0 - voiced.rough[at] * (number % every != 0))
            exact = np.clip(exact, 0.0, n - 1.001)
            left = exact.astype(np.int64)
            part = exact - left
            out += np.bincount(left, loud * (1.0 - part), n)[:n].astype(np.float32)
            out += np.bincount(left + 1, loud * part, n)[:n].astype(np.float32)
            # Pulses are rare: bring their power near that of a tone.
            out *= np.float32(np.sqrt(0.5 / max(float(np.mean(slope)), 1e-4)))
        if self.grit:
            noise = white(n, rng) * voiced.level
            noise *= np.exp(np.float32(-self.decay) * (cycles - whole).astype(np.float32))
            out *= np.float32(1.0 - self.grit)
            out += np.float32(self.grit * np.sqrt(1.0 + self.decay)) * noise
        if self.breath or voiced.breath is not None:
            out = self._hush(out, voiced, rng)
        return self._shaken(out, None, sample_rate, rng)

    def _hush(self, out: Samples, voiced: Voiced, rng: np.random.Generator) -> Samples:
        share = self.breath if voiced.breath is None else self.breath + voiced.breath
        noise = white(len(out), rng) * voiced.level
        return np.asarray((1.0 - np.minimum(share, 1.0)) * out + share * noise, np.float32)

    def _breathe(
        self, out: Samples, voiced: Voiced, individual: Individual, rng: np.random.Generator
    ) -> Samples:
        if self.kind == "noise" or not (self.breath or voiced.breath is not None):
            return out
        share = np.float32(self.breath * (1.0 + 0.4 * individual.timbre))
        whole = share if voiced.breath is None else np.minimum(share + voiced.breath, 1.0)
        return np.asarray((1.0 - whole) * out + whole * white(len(out), rng), np.float32)

    def _shaken(
        self,
        out: Samples,
        individual: Individual | None,
        sample_rate: int,
        rng: np.random.Generator,
    ) -> Samples:
        """Apply the amplitude modulation."""
        if not self.shake:
            return out
        tempo = 1.0 if individual is None else individual.tempo
        rate = self.shake_hz * tempo / sample_rate
        turns = np.asarray(np.arange(len(out)) * rate + rng.random(), np.float64)
        wave = np.float32(0.5) + np.float32(0.5) * sine(turns)
        if self.edge != 1.0:
            wave = wave ** np.float32(self.edge)
        wave *= np.float32(self.shake)
        wave += np.float32(1.0 - self.shake)
        return np.asarray(out * wave, np.float32)

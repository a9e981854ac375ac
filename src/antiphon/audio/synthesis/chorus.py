"""Frogs, insects, a bat and a whale.

Zipper and Thimble Frog are easily confused, and both share their band with the whistlers.
"""

from __future__ import annotations

import numpy as np

from antiphon.audio.synthesis.calls import (
    Samples,
    contour,
    fade,
    harmonics,
    hyperbolic,
    n_samples,
    noise_band,
    pulses,
    sequence,
    struck,
    tilted,
    tone,
)
from antiphon.audio.synthesis.model import Activity, CallType, Species, Voice

NIGHT = Activity(((21.5, 1.6, 1.0), (0.5, 2.2, 0.8)))
DUSK = Activity(((20.5, 1.5, 1.0), (23.0, 2.0, 0.6), (1.5, 1.5, 0.4)))
NOON = Activity(((13.0, 2.3, 1.0), (16.5, 1.5, 0.5)))
ALWAYS = Activity(((0.0, 8.0, 0.7), (12.0, 8.0, 0.7)))


def _jitter(rng: np.random.Generator, spread: float) -> float:
    return float(np.exp(spread * np.clip(rng.standard_normal(), -2.0, 2.0)))


def _pulsed(
    voice: Voice,
    rate: int,
    rng: np.random.Generator,
    *,
    pitch: tuple[float, float],
    per_s: float,
    duty: float,
    length_s: float,
    partials: list[float],
    attack: float = 0.2,
) -> Samples:
    """A call cut into pulses, its pitch gliding from one value to another."""
    n = n_samples(length_s * voice.length * _jitter(rng, 0.12), rate)
    shift = voice.pitch * _jitter(rng, 0.01)
    curve = contour(n, (0.0, pitch[0] * shift), (1.0, pitch[1] * shift))
    gate = pulses(np.full(n, per_s * voice.tempo * _jitter(rng, 0.02)), rate, duty)
    return harmonics(curve, partials, rate) * gate * fade(n, attack, 0.15)


def _zipper_call(voice: Voice, rate: int, rng: np.random.Generator) -> Samples:
    return _pulsed(
        voice, rate, rng, pitch=(2400.0, 2900.0), per_s=34.0, duty=0.55, length_s=0.6,
        partials=[1.0, 0.25, 0.1], attack=0.5,
    )  # fmt: skip


def _zipper_short(voice: Voice, rate: int, rng: np.random.Generator) -> Samples:
    return _pulsed(
        voice, rate, rng, pitch=(2700.0, 2600.0), per_s=60.0, duty=0.6, length_s=0.2,
        partials=[1.0, 0.25, 0.1],
    )  # fmt: skip


def _thimble_pair(voice: Voice, rate: int, rng: np.random.Generator) -> Samples:
    parts = []
    for base in (2250.0, 2750.0):
        n = n_samples(0.09 * voice.length * _jitter(rng, 0.05), rate)
        pitch = base * voice.pitch * _jitter(rng, 0.01)
        curve = contour(n, (0.0, 0.95 * pitch), (0.3, pitch), (1.0, 0.98 * pitch))
        parts.append(harmonics(curve, [1.0, 0.2, 0.08], rate) * struck(n, 0.12, 3.0))
    return sequence(parts, [0.0, 0.19 / voice.tempo], rate)


def _thimble_trill(voice: Voice, rate: int, rng: np.random.Generator) -> Samples:
    return _pulsed(
        voice, rate, rng, pitch=(2500.0, 2500.0), per_s=22.0, duty=0.4, length_s=0.8,
        partials=[1.0, 0.2, 0.08],
    )  # fmt: skip


def _toad_trill(voice: Voice, rate: int, rng: np.random.Generator) -> Samples:
    return _pulsed(
        voice, rate, rng, pitch=(640.0, 720.0), per_s=18.0, duty=0.7, length_s=4.0,
        partials=[1.0, 0.5, 0.15], attack=0.15,
    )  # fmt: skip


def _toad_release(voice: Voice, rate: int, rng: np.random.Generator) -> Samples:
    return _pulsed(
        voice, rate, rng, pitch=(800.0, 700.0), per_s=40.0, duty=0.8, length_s=0.35,
        partials=[1.0, 0.5, 0.2],
    )  # fmt: skip


def _cricket_song(voice: Voice, rate: int, rng: np.random.Generator) -> Samples:
    """Chirps of a few pulses each, for many seconds on one pitch."""
    n = n_samples(9.0 * voice.length * _jitter(rng, 0.4), rate)
    pitch = 4700.0 * voice.pitch * _jitter(rng, 0.004)
    tempo = voice.tempo * _jitter(rng, 0.02)
    chirps = pulses(np.full(n, 2.6 * tempo), rate, 0.42, 0.4)
    beats = pulses(np.full(n, 31.0 * tempo), rate, 0.6)
    return harmonics(np.full(n, pitch), [1.0, 0.08], rate) * chirps * beats * fade(n, 0.1, 0.08)


def _cricket_court(voice: Voice, rate: int, rng: np.random.Generator) -> Samples:
    n = n_samples(1.6 * voice.length * _jitter(rng, 0.2), rate)
    pitch = 4900.0 * voice.pitch
    beats = pulses(np.full(n, 52.0 * voice.tempo), rate, 0.55)
    return tone(np.full(n, pitch), rate) * beats * fade(n, 0.4, 0.1)


def _cicada_drone(voice: Voice, rate: int, rng: np.random.Generator) -> Samples:
    n = n_samples(11.0 * voice.length * _jitter(rng, 0.35), rate)
    hiss = noise_band(n, 4700.0 * voice.pitch, 10_300.0 * voice.pitch, rate, rng)
    beat = pulses(np.full(n, 95.0 * voice.tempo), rate, 0.85)
    swell = contour(n, (0.0, 0.25), (0.3, 1.0), (0.75, 0.9), (1.0, 0.3)).astype(np.float32)
    return hiss * beat * swell * fade(n, 0.08, 0.12)


def _cicada_burst(voice: Voice, rate: int, rng: np.random.Generator) -> Samples:
    parts = []
    for _ in range(int(rng.integers(3, 6))):
        n = n_samples(0.35 * voice.length, rate)
        hiss = noise_band(n, 4700.0 * voice.pitch, 10_300.0 * voice.pitch, rate, rng)
        parts.append(hiss * fade(n, 0.5, 0.2))
    step = 0.5 / voice.tempo
    return sequence(parts, [step * k for k in range(len(parts))], rate)


def _katydid_song(voice: Voice, rate: int, rng: np.random.Generator) -> Samples:
    """Short broadband rasps in groups of two or three."""
    parts, starts, at = [], [], 0.0
    for _ in range(int(rng.integers(4, 9))):
        for _ in range(int(rng.integers(2, 4))):
            n = n_samples(0.06 * voice.length, rate)
            rasp = noise_band(n, 9500.0 * voice.pitch, 14_300.0 * voice.pitch, rate, rng)
            parts.append(rasp * fade(n, 0.3, 0.3) * pulses(np.full(n, 200.0), rate, 0.7))
            starts.append(at)
            at += 0.11 / voice.tempo
        at += 0.45 / voice.tempo * _jitter(rng, 0.06)
    return sequence(parts, starts, rate)


def _katydid_tick(voice: Voice, rate: int, rng: np.random.Generator) -> Samples:
    count = int(rng.integers(6, 14))
    parts = []
    for _ in range(count):
        n = n_samples(0.012, rate)
        rasp = noise_band(n, 9500.0 * voice.pitch, 14_300.0 * voice.pitch, rate, rng)
        parts.append(rasp * struck(n, 0.1, 4.0))
    step = 0.14 / voice.tempo
    return sequence(parts, [step * k for k in range(count)], rate)


def _bat_pulse(voice: Voice, rate: int, start: float, end: float, length_s: float) -> Samples:
    n = n_samples(length_s, rate)
    sweep = hyperbolic(n, start * voice.pitch, end * voice.pitch)
    return harmonics(sweep, [1.0, 0.12], rate) * fade(n, 0.15, 0.35)


def _bat_search(voice: Voice, rate: int, rng: np.random.Generator) -> Samples:
    """Sweeps of some milliseconds, about ten a second, as a bat passes: swelling and fading."""
    count = int(rng.integers(7, 14))
    loud = np.sin(np.pi * (np.arange(count) + 0.7) / (count + 0.4))
    parts, starts, at = [], [], 0.0
    for k in range(count):
        jitter = _jitter(rng, 0.02)
        pulse = _bat_pulse(voice, rate, 82_000.0 * jitter, 44_000.0, 0.0055 * voice.length)
        parts.append(np.float32(loud[k]) * pulse)
        starts.append(at)
        at += 0.095 / voice.tempo * _jitter(rng, 0.12)
    return sequence(parts, starts, rate)


def _bat_buzz(voice: Voice, rate: int, rng: np.random.Generator) -> Samples:
    """The approach to prey: ever faster and shorter sweeps that drop in pitch."""
    count = 26
    place = np.linspace(0.0, 1.0, count)
    starts = np.concatenate([[0.0], np.cumsum(0.06 * (1 - place) ** 2 + 0.0065)[:-1]])
    parts = [
        _bat_pulse(
            voice, rate, (78_000.0 - 22_000.0 * p) * _jitter(rng, 0.01), 44_000.0 - 14_000.0 * p,
            0.0045 - 0.003 * p,
        )
        for p in place
    ]  # fmt: skip
    return sequence(parts, (starts / voice.tempo).tolist(), rate)


def _whale_moan(voice: Voice, rate: int, rng: np.random.Generator) -> Samples:
    n = n_samples(2.8 * voice.length * _jitter(rng, 0.2), rate)
    pitch = 150.0 * voice.pitch * _jitter(rng, 0.02)
    curve = contour(n, (0.0, 0.9 * pitch), (0.3, 1.15 * pitch), (1.0, 0.7 * pitch))
    shake = pulses(np.full(n, 3.1 * voice.tempo), rate, 1.0, 0.4)
    rough = (0.8 + 0.2 * shake).astype(np.float32)
    return harmonics(curve, tilted(5, 7.0 - 2.0 * voice.timbre), rate) * rough * fade(n, 0.25, 0.3)


def _whale_upcall(voice: Voice, rate: int, rng: np.random.Generator) -> Samples:
    n = n_samples(1.1 * voice.length * _jitter(rng, 0.1), rate)
    curve = contour(n, (0.0, 85.0), (0.3, 95.0), (1.0, 210.0)) * voice.pitch
    return harmonics(curve * _jitter(rng, 0.015), tilted(3, 12.0), rate) * fade(n, 0.3, 0.2)


FROGS: tuple[Species, ...] = (
    Species(
        "Zipper Frog", "Synthorana pulsans", "zipfro", "frog",
        call_types=(
            CallType("advertisement", 0.8, _zipper_call),
            CallType("short", 0.2, _zipper_short),
        ),
        low_hz=2000, high_hz=10_000, level_db=88, bouts_per_hour=46, bout_s=40, gap_s=1.6,
        activity=NIGHT, habitats={"wetland": 1.0, "forest": 0.3, "meadow": 0.2},
        answer=0.6, far_m=90,
    ),
    Species(
        "Thimble Frog", "Synthorana duplex", "thifro", "frog",
        call_types=(CallType("pair", 0.75, _thimble_pair), CallType("trill", 0.25, _thimble_trill)),
        low_hz=1800, high_hz=9500, level_db=87, bouts_per_hour=26, bout_s=36, gap_s=1.4,
        activity=NIGHT, habitats={"wetland": 1.0, "meadow": 0.4},
        answer=0.5, far_m=90,
    ),
    Species(
        "Drum Toad", "Simulobufo tympani", "drutoa", "frog",
        call_types=(CallType("trill", 0.85, _toad_trill), CallType("release", 0.15, _toad_release)),
        low_hz=450, high_hz=2600, level_db=86, bouts_per_hour=16, bout_s=26, gap_s=4.0,
        activity=DUSK, habitats={"wetland": 1.0, "meadow": 0.5},
        far_m=120, min_sample_rate=8000,
    ),
)  # fmt: skip

INSECTS: tuple[Species, ...] = (
    Species(
        "Wire Cricket", "Fictogryllus filarius", "wircri", "insect",
        call_types=(
            CallType("song", 0.8, _cricket_song),
            CallType("courtship", 0.2, _cricket_court),
        ),
        low_hz=3900, high_hz=11_500, level_db=80, bouts_per_hour=44, bout_s=24, gap_s=3.0,
        activity=DUSK, habitats={"meadow": 1.0, "forest": 0.4, "wetland": 0.4},
        far_m=75, pitch_spread=0.03,
    ),
    Species(
        "Sieve Cicada", "Simulocicada cribrosa", "siecic", "insect",
        call_types=(CallType("drone", 0.7, _cicada_drone), CallType("burst", 0.3, _cicada_burst)),
        low_hz=4200, high_hz=11_500, level_db=92, bouts_per_hour=24, bout_s=18, gap_s=5.0,
        activity=NOON, habitats={"forest": 1.0, "meadow": 0.6},
        far_m=70, pitch_spread=0.03,
    ),
    Species(
        "Needle Katydid", "Acufictus altus", "neekat", "insect",
        call_types=(CallType("song", 0.7, _katydid_song), CallType("tick", 0.3, _katydid_tick)),
        low_hz=8500, high_hz=15_400, level_db=88, bouts_per_hour=9, bout_s=24, gap_s=3.0,
        activity=NIGHT, habitats={"meadow": 1.0, "forest": 0.7},
        far_m=30, min_sample_rate=32_000, pitch_spread=0.03,
    ),
)  # fmt: skip

BATS: tuple[Species, ...] = (
    Species(
        "Origami Bat", "Plicanycteris sonans", "oribat", "bat",
        call_types=(CallType("search", 0.85, _bat_search), CallType("buzz", 0.15, _bat_buzz)),
        low_hz=24_000, high_hz=94_000, level_db=112, bouts_per_hour=110, bout_s=7, gap_s=1.2,
        activity=NIGHT, habitats={"forest": 1.0, "wetland": 1.0, "meadow": 0.6},
        near_m=5, far_m=20, min_sample_rate=192_000,
    ),
)  # fmt: skip

WHALES: tuple[Species, ...] = (
    Species(
        "Cellar Whale", "Fictocetus cavernae", "celwha", "whale",
        call_types=(CallType("moan", 0.7, _whale_moan), CallType("upcall", 0.3, _whale_upcall)),
        low_hz=50, high_hz=1000, level_db=178, bouts_per_hour=40, bout_s=50, gap_s=6.0,
        activity=ALWAYS, habitats={"marine": 1.0},
        answer=0.4, near_m=150, far_m=4000, min_sample_rate=4000,
    ),
)  # fmt: skip

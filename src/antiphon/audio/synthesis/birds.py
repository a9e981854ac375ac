"""Nine birds: trills, whistles, varied song, coos, harsh harmonic calls and a night churr.

Two pairs are easily confused: Trillwren with Copywren, Lantern with Pocket Whistler.
"""

from __future__ import annotations

import numpy as np

from antiphon.audio.synthesis.calls import (
    Samples,
    contour,
    fade,
    glide,
    harmonics,
    n_samples,
    noise_band,
    pulses,
    sequence,
    struck,
    tilted,
    tone,
)  # fmt: skip
from antiphon.audio.synthesis.model import Activity, CallType, Species, Voice

DAWN = Activity(((5.2, 1.3, 1.0), (8.5, 2.5, 0.35), (18.8, 1.2, 0.4)))
MORNING = Activity(((6.5, 1.8, 0.9), (10.5, 3.0, 0.45), (17.0, 2.0, 0.35)))
DAY = Activity(((8.0, 2.5, 0.8), (13.0, 3.0, 0.6), (17.0, 1.8, 0.5)))
NIGHT = Activity(((22.0, 1.5, 1.0), (1.0, 2.0, 0.7), (4.2, 0.7, 0.5)))


def _jitter(rng: np.random.Generator, spread: float) -> float:
    return float(np.exp(spread * np.clip(rng.standard_normal(), -2.0, 2.0)))


def _chirp(start: float, end: float, length_s: float, rate: int, bend: float = 1.0) -> Samples:
    n = n_samples(length_s, rate)
    return tone(glide(n, start, end, bend), rate) * fade(n, 0.25, 0.4)


def _trill(
    voice: Voice,
    rate: int,
    rng: np.random.Generator,
    *,
    chirp: tuple[float, float],
    chirp_s: float,
    per_s: float,
    length_s: float,
    speeding: float = 1.0,
    drift: float = 1.0,
) -> Samples:
    """A run of equal chirps; ``speeding`` and ``drift`` are the change of rate and of pitch."""
    pitch = voice.pitch * _jitter(rng, 0.01)
    per_s = per_s * voice.tempo * _jitter(rng, 0.02)
    count = max(3, round(length_s * voice.length * _jitter(rng, 0.2) * per_s))
    steps = 1.0 / (per_s * np.linspace(1.0, speeding, count))
    starts = np.concatenate([[0.0], np.cumsum(steps[:-1])])
    rise = np.linspace(0.0, 1.0, count)
    parts = []
    for place in rise:
        shift = pitch * (1.0 + (drift - 1.0) * place) * _jitter(rng, 0.004)
        length = min(chirp_s / voice.tempo, 0.9 / per_s / max(speeding, 1.0))
        loud = np.float32((0.45 + 0.55 * min(1.0, 3.0 * place + 0.1)) * _jitter(rng, 0.06))
        parts.append(loud * _chirp(chirp[0] * shift, chirp[1] * shift, length, rate))
    return sequence(parts, starts.tolist(), rate)


def _trillwren_song(voice: Voice, rate: int, rng: np.random.Generator) -> Samples:
    return _trill(
        voice, rate, rng, chirp=(6100, 4300), chirp_s=0.045, per_s=15.0, length_s=1.6, drift=0.97
    )


def _trillwren_rattle(voice: Voice, rate: int, rng: np.random.Generator) -> Samples:
    return _trill(
        voice, rate, rng, chirp=(5000, 3700), chirp_s=0.02, per_s=30.0, length_s=0.7, drift=0.93
    )


def _tick(voice: Voice, rate: int, rng: np.random.Generator, top: float, low: float) -> Samples:
    pitch = voice.pitch * _jitter(rng, 0.02)
    return _chirp(top * pitch, low * pitch, 0.035 * voice.length, rate, 0.6)


def _trillwren_tick(voice: Voice, rate: int, rng: np.random.Generator) -> Samples:
    return sequence([_tick(voice, rate, rng, 6300, 4600) for _ in range(2)], [0.0, 0.16], rate)


def _copywren_song(voice: Voice, rate: int, rng: np.random.Generator) -> Samples:
    return _trill(
        voice,
        rate,
        rng,
        chirp=(4200, 5900),
        chirp_s=0.045,
        per_s=10.0,
        length_s=1.7,
        speeding=1.7,
        drift=1.03,
    )


def _copywren_tick(voice: Voice, rate: int, rng: np.random.Generator) -> Samples:
    return sequence([_tick(voice, rate, rng, 4500, 6200) for _ in range(2)], [0.0, 0.2], rate)


def _whistle(
    voice: Voice,
    rate: int,
    rng: np.random.Generator,
    notes: tuple[tuple[float, float, float], ...],
    gap_s: float,
) -> Samples:
    """Clear notes ``(start Hz, end Hz, seconds)`` with a weak second partial and some vibrato."""
    pitch = voice.pitch * _jitter(rng, 0.012)
    parts, starts, at = [], [], 0.0
    for start, end, length_s in notes:
        length_s = length_s * voice.length * _jitter(rng, 0.06)
        n = n_samples(length_s, rate)
        curve = contour(n, (0.0, start * pitch), (0.35, start * pitch), (1.0, end * pitch))
        beat = 2 * np.pi * 11.0 * voice.tempo * length_s
        curve *= 1.0 + 0.006 * np.sin(np.linspace(0.0, beat, n))
        second = 0.06 * (1.5 + voice.timbre)
        parts.append(harmonics(curve, [1.0, second], rate) * fade(n, 0.15, 0.25))
        starts.append(at)
        at += length_s + gap_s / voice.tempo * _jitter(rng, 0.1)
    return sequence(parts, starts, rate)


def _lantern_song(voice: Voice, rate: int, rng: np.random.Generator) -> Samples:
    notes = ((2900.0, 2850.0, 0.32), (2550.0, 2500.0, 0.28), (2200.0, 2050.0, 0.45))
    return _whistle(voice, rate, rng, notes, 0.09)


def _lantern_call(voice: Voice, rate: int, rng: np.random.Generator) -> Samples:
    return _whistle(voice, rate, rng, ((2350.0, 2900.0, 0.3),), 0.1)


def _pocket_song(voice: Voice, rate: int, rng: np.random.Generator) -> Samples:
    notes = ((2250.0, 2300.0, 0.3), (2600.0, 2650.0, 0.3), (2950.0, 2750.0, 0.42))
    return _whistle(voice, rate, rng, notes, 0.12)


def _pocket_call(voice: Voice, rate: int, rng: np.random.Generator) -> Samples:
    return _whistle(voice, rate, rng, ((2900.0, 2350.0, 0.24), (2900.0, 2350.0, 0.24)), 0.1)


def _thrush_song(voice: Voice, rate: int, rng: np.random.Generator) -> Samples:
    """A phrase from the singer's own stock of eight syllables, each sung one to three times."""
    stock = np.random.default_rng(round(1e6 * voice.pitch * voice.tempo))
    points = np.exp(stock.uniform(np.log(1700.0), np.log(4600.0), (8, 4)))
    lengths = stock.uniform(0.07, 0.22, 8)
    parts, starts, at = [], [], 0.0
    for _ in range(int(rng.integers(4, 8))):
        kind = int(rng.integers(8))
        for _ in range(int(rng.integers(1, 4))):
            n = n_samples(lengths[kind] * voice.length * _jitter(rng, 0.04), rate)
            bends = points[kind] * _jitter(rng, 0.01)
            curve = contour(n, (0.0, bends[0]), (0.35, bends[1]), (0.7, bends[2]), (1.0, bends[3]))
            loud = np.float32(rng.uniform(0.5, 1.0))
            parts.append(loud * harmonics(curve, [1.0, 0.12], rate) * fade(n, 0.2, 0.3))
            starts.append(at)
            at += n / rate + 0.035 / voice.tempo
        at += 0.06 / voice.tempo * _jitter(rng, 0.3)
    return sequence(parts, starts, rate)


def _thrush_alarm(voice: Voice, rate: int, rng: np.random.Generator) -> Samples:
    notes = int(rng.integers(3, 7))
    n = n_samples(0.05 * voice.length, rate)
    curve = contour(n, (0.0, 2300.0), (0.3, 3300.0), (1.0, 2100.0)) * voice.pitch
    part = harmonics(curve, [1.0, 0.3, 0.15], rate) * fade(n, 0.1, 0.5)
    step = 0.12 / voice.tempo * _jitter(rng, 0.05)
    return sequence([part] * notes, [step * k for k in range(notes)], rate)


def _dove_coo(voice: Voice, rate: int, rng: np.random.Generator) -> Samples:
    pitch = 430.0 * voice.pitch * _jitter(rng, 0.012)
    lengths = (0.22, 0.55, 0.28, 0.28)
    parts, starts, at = [], [], 0.0
    for k, length_s in enumerate(lengths):
        n = n_samples(length_s * voice.length, rate)
        top = pitch * (1.12 if k == 1 else 1.0)
        curve = contour(n, (0.0, 0.9 * top), (0.4, top), (1.0, 0.86 * top))
        parts.append(harmonics(curve, [1.0, 0.08, 0.02], rate) * fade(n, 0.3, 0.4))
        starts.append(at)
        at += n / rate + 0.12 / voice.tempo * _jitter(rng, 0.08)
    return sequence(parts, starts, rate)


def _dove_growl(voice: Voice, rate: int, rng: np.random.Generator) -> Samples:
    n = n_samples(0.7 * voice.length * _jitter(rng, 0.1), rate)
    curve = contour(n, (0.0, 420.0), (0.5, 500.0), (1.0, 380.0)) * voice.pitch
    rough = pulses(np.full(n, 26.0 * voice.tempo), rate, 0.9)
    return harmonics(curve, [1.0, 0.15, 0.05], rate) * fade(n, 0.3, 0.3) * rough


def _finch_see(voice: Voice, rate: int, rng: np.random.Generator) -> Samples:
    pitch = voice.pitch * _jitter(rng, 0.008)
    parts, starts, at = [], [], 0.0
    for k in range(int(rng.integers(2, 5))):
        n = n_samples(0.26 * voice.length * _jitter(rng, 0.08), rate)
        top = (7900.0 - 150.0 * k) * pitch
        parts.append(tone(glide(n, top, 0.94 * top), rate) * fade(n, 0.3, 0.3))
        starts.append(at)
        at += n / rate + 0.1 / voice.tempo
    return sequence(parts, starts, rate)


def _finch_twitter(voice: Voice, rate: int, rng: np.random.Generator) -> Samples:
    count = int(rng.integers(5, 10))
    tops = rng.uniform(6600.0, 8600.0, count) * voice.pitch
    parts = [_chirp(top, 0.85 * top, 0.04, rate) for top in tops]
    steps = 0.075 / voice.tempo * np.exp(0.1 * rng.standard_normal(count))
    return sequence(parts, (np.cumsum(steps) - steps[0]).tolist(), rate)


def _crake_creak(voice: Voice, rate: int, rng: np.random.Generator) -> Samples:
    """A harsh note: many partials, shaken fast, with breath noise."""
    n = n_samples(0.34 * voice.length * _jitter(rng, 0.1), rate)
    pitch = 560.0 * voice.pitch * _jitter(rng, 0.015)
    curve = contour(n, (0.0, 0.85 * pitch), (0.3, pitch), (1.0, 0.75 * pitch))
    shake = 1.0 + 0.03 * np.sin(np.linspace(0.0, 2 * np.pi * 70.0 * n / rate, n))
    weights = [
        float(np.exp(-0.5 * ((k * 560.0 - 1900.0) / (1100.0 + 300.0 * voice.timbre)) ** 2)) + 0.05
        for k in range(1, 10)
    ]
    breath = noise_band(n, 900.0, 4500.0, rate, rng) * np.float32(0.25)
    return (harmonics(curve * shake, weights, rate) + breath) * fade(n, 0.12, 0.3)


def _crake_double(voice: Voice, rate: int, rng: np.random.Generator) -> Samples:
    parts = [_crake_creak(voice, rate, rng) for _ in range(2)]
    return sequence(parts, [0.0, len(parts[0]) / rate + 0.08 / voice.tempo], rate)


def _crake_pip(voice: Voice, rate: int, rng: np.random.Generator) -> Samples:
    n = n_samples(0.09 * voice.length, rate)
    curve = contour(n, (0.0, 900.0), (0.3, 1250.0), (1.0, 1000.0)) * voice.pitch
    return harmonics(curve * _jitter(rng, 0.02), tilted(4, 5.0), rate) * struck(n, 0.1, 3.0)


def _nightjar_churr(voice: Voice, rate: int, rng: np.random.Generator) -> Samples:
    """A long even churr that now and then drops to a lower phase."""
    n = n_samples(5.5 * voice.length * _jitter(rng, 0.35), rate)
    switch = float(rng.uniform(0.4, 0.7))
    high = 1.0 / (1.0 + np.exp((np.linspace(0.0, 1.0, n) - switch) * 300.0))
    curve = (1500.0 + 280.0 * high) * voice.pitch
    gate = pulses((30.0 + 6.0 * high) * voice.tempo, rate, 0.7)
    return harmonics(curve, [1.0, 0.2, 0.05], rate) * gate * fade(n, 0.06, 0.06)


def _nightjar_quip(voice: Voice, rate: int, rng: np.random.Generator) -> Samples:
    n = n_samples(0.16 * voice.length * _jitter(rng, 0.06), rate)
    curve = contour(n, (0.0, 1200.0), (0.55, 2100.0), (1.0, 1800.0)) * voice.pitch
    return harmonics(curve, [1.0, 0.15], rate) * fade(n, 0.25, 0.35)


BIRDS: tuple[Species, ...] = (
    Species(
        "Synthetic Trillwren", "Synthavis trillans", "trilwr", "bird",
        call_types=(
            CallType("song", 0.7, _trillwren_song),
            CallType("rattle", 0.15, _trillwren_rattle),
            CallType("tick", 0.15, _trillwren_tick),
        ),
        low_hz=3000, high_hz=8000, level_db=92, bouts_per_hour=72, bout_s=26, gap_s=4.5,
        activity=DAWN, habitats={"forest": 1.0, "meadow": 0.5, "wetland": 0.5},
        answer=0.35, far_m=160,
    ),
    Species(
        "Synthetic Copywren", "Synthavis simulans", "copywr", "bird",
        call_types=(CallType("song", 0.8, _copywren_song), CallType("tick", 0.2, _copywren_tick)),
        low_hz=3200, high_hz=8000, level_db=92, bouts_per_hour=30, bout_s=24, gap_s=5.0,
        activity=MORNING, habitats={"meadow": 1.0, "forest": 0.6, "wetland": 0.3},
        far_m=150,
    ),
    Species(
        "Lantern Whistler", "Fictofistula lucida", "lanwhi", "bird",
        call_types=(CallType("song", 0.75, _lantern_song), CallType("call", 0.25, _lantern_call)),
        low_hz=1700, high_hz=6400, level_db=94, bouts_per_hour=62, bout_s=30, gap_s=6.0,
        activity=MORNING, habitats={"forest": 1.0, "wetland": 0.6, "meadow": 0.3},
        answer=0.4, far_m=280,
    ),
    Species(
        "Pocket Whistler", "Fictofistula minuta", "pocwhi", "bird",
        call_types=(CallType("song", 0.7, _pocket_song), CallType("call", 0.3, _pocket_call)),
        low_hz=1800, high_hz=6500, level_db=92, bouts_per_hour=13, bout_s=24, gap_s=6.0,
        activity=DAY, habitats={"forest": 0.8, "meadow": 1.0},
        far_m=240,
    ),
    Species(
        "Paper Thrush", "Chartaturdus fictus", "papthr", "bird",
        call_types=(CallType("song", 0.8, _thrush_song), CallType("alarm", 0.2, _thrush_alarm)),
        low_hz=1500, high_hz=8500, level_db=93, bouts_per_hour=48, bout_s=32, gap_s=3.5,
        activity=DAWN, habitats={"forest": 1.0, "meadow": 0.7, "wetland": 0.4},
        far_m=150,
    ),
    Species(
        "Hollow Dove", "Simulocolumba cava", "holdov", "bird",
        call_types=(CallType("coo", 0.85, _dove_coo), CallType("growl", 0.15, _dove_growl)),
        low_hz=280, high_hz=1100, level_db=84, bouts_per_hour=18, bout_s=30, gap_s=3.0,
        activity=DAY, habitats={"forest": 1.0, "meadow": 0.8},
        far_m=140, min_sample_rate=4000,
    ),
    Species(
        "Glass Finch", "Vitrispiza falsa", "glafin", "bird",
        call_types=(CallType("see", 0.6, _finch_see), CallType("twitter", 0.4, _finch_twitter)),
        low_hz=4800, high_hz=10500, level_db=88, bouts_per_hour=34, bout_s=18, gap_s=3.5,
        activity=DAY, habitats={"meadow": 1.0, "wetland": 0.6, "forest": 0.4},
        far_m=115,
    ),
    Species(
        "Hinge Crake", "Ostiorallus crepans", "hincra", "bird",
        call_types=(
            CallType("creak", 0.45, _crake_creak),
            CallType("double", 0.35, _crake_double),
            CallType("pip", 0.2, _crake_pip),
        ),
        low_hz=350, high_hz=5800, level_db=93, bouts_per_hour=18, bout_s=20, gap_s=2.5,
        activity=NIGHT, habitats={"wetland": 1.0, "meadow": 0.5},
        far_m=130, min_sample_rate=16_000,
    ),
    Species(
        "Bobbin Nightjar", "Fusocaprimulgus textor", "bobnig", "bird",
        call_types=(
            CallType("churr", 0.75, _nightjar_churr),
            CallType("quip", 0.25, _nightjar_quip),
        ),
        low_hz=1000, high_hz=5800, level_db=86, bouts_per_hour=7, bout_s=22, gap_s=4.0,
        activity=NIGHT, habitats={"forest": 1.0, "meadow": 0.8},
        far_m=160, min_sample_rate=16_000,
    ),
)  # fmt: skip
"""Birds, commonest first among those alike."""

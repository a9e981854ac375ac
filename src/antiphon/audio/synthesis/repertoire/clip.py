"""Clips: a few classes in bouts, from their distances, over a background, with exact truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from scipy import fft

from antiphon.audio.synthesis.calls import Samples
from antiphon.audio.synthesis.repertoire.curves import quick_size
from antiphon.audio.synthesis.repertoire.drawing import chance, even, pick, ratio
from antiphon.audio.synthesis.repertoire.events import Split, extent
from antiphon.audio.synthesis.repertoire.scene import (
    Place,
    air,
    echo_seconds,
    make_noise,
    make_place,
)
from antiphon.errors import UserError

if TYPE_CHECKING:
    from antiphon.audio.synthesis.repertoire.classes import Repertoire

SPLIT_KEY: dict[str, int] = {"train": 0, "validation": 1, "test": 2}

# Share of the energy of a sound below its reported band, and above it.
_BAND_TAIL = 0.02
_MOST_EVENTS = 4
_LEAST_DB = -4.0
# Bands are measured in steps of so many bins.
_BINS = 16


@dataclass(frozen=True, slots=True)
class ClipEvent:
    """One event in a clip.

    Parameters
    ----------
    index
        Class.
    start_s, end_s
        Where it is above 40 dB below its peak at the source, cut at the edges of the clip.
    low_hz, high_hz
        Band of all the sounds of its class in the clip, as received: 2 % of the energy lies below
        and 2 % above.
    snr_db
        Its power while it lasts over that of the background in that band; ``inf`` without a
        background.
    """

    index: int
    start_s: float
    end_s: float
    low_hz: float
    high_hz: float
    snr_db: float


@dataclass(frozen=True, slots=True)
class Clip:
    """A clip and its truth.

    Parameters
    ----------
    waveform
        float32 (n,), within [-1, 1].
    sample_rate
        Hz.
    labels
        Classes that are present, rising.
    events
        In order of time.
    background
        What of ``waveform`` belongs to no class, float32 (n,), if it was asked for; before the
        overdrive.
    overdriven
        The recorder was: the sum is bent.
    """

    waveform: Samples
    sample_rate: int
    labels: tuple[int, ...]
    events: tuple[ClipEvent, ...]
    background: Samples | None = None
    overdriven: bool = False


@dataclass(slots=True)
class _Track:
    """All events of one class in a clip, dry, with where they are and what energy they have."""

    index: int
    dry: Samples
    spans: list[tuple[int, int]]
    energies: list[float]


def make_clip(
    repertoire: Repertoire,
    rng: np.random.Generator,
    sample_rate: int,
    seconds: float,
    *,
    classes: Sequence[int] | npt.NDArray[np.int64] | None = None,
    split: Split = "train",
    most_classes: int = 3,
    keep_background: bool = False,
) -> Clip:
    """Make a clip.

    One class in about three of five clips, none in one of forty. One clip in seven is clean: one
    class over near silence, or silence itself.

    Parameters
    ----------
    repertoire
        The classes there are.
    rng
        Draws everything.
    sample_rate
        Hz.
    seconds
        Length.
    classes
        Indices to choose from, evenly; by default those that are not held out.
    split
        Which individuals.
    most_classes
        1 to 3.
    keep_background
        Return the background too.

    Raises
    ------
    UserError
        No class to choose from, or none that can be heard at the sample rate.
    """
    pool = repertoire.seen if classes is None else classes
    if len(pool) == 0:
        raise UserError("There is no class to choose from.")
    n = max(64, round(seconds * sample_rate))
    clean = chance(rng, 0.14)
    wanted = 1 if clean else int(rng.choice([0, 1, 2, 3], p=[0.025, 0.6, 0.25, 0.125]))
    wanted = min(wanted, most_classes, len(pool))
    # Echoes run out behind the end of the clip, so that none comes round to its begin.
    tail = min(n // 3, round(0.75 * echo_seconds(rng) * sample_rate))
    size = quick_size(n + tail)
    place = make_place(rng, sample_rate, size, tail)
    tracks: list[_Track] = []
    left = _MOST_EVENTS
    for number in range(wanted):
        index = repertoire.choose(rng, sample_rate, pool)
        if any(track.index == index for track in tracks):
            continue
        allowed = max(1, left - (wanted - number - 1))
        track = _bout(repertoire, index, n, sample_rate, allowed, split, rng)
        if track.spans:
            left -= len(track.spans)
            tracks.append(track)
    noise: npt.NDArray[np.complex64] | None = None
    if not (clean and chance(rng, 0.35)):
        noise = make_noise(rng, n, sample_rate, size)
        noise *= place.microphone
    base = (
        even(rng, 30.0, 65.0) if clean else float(np.clip(rng.normal(15.0, 11.0), _LEAST_DB, 42.0))
    )
    spectra = [_received(track, place, sample_rate, rng) for track in tracks]
    events, total = _weigh(tracks, spectra, noise, base, n, sample_rate, rng)
    return _finish(events, total, noise, n, size, sample_rate, rng, keep_background)


def clip_at(
    repertoire: Repertoire,
    number: int,
    sample_rate: int,
    seconds: float,
    *,
    split: Split = "train",
    classes: Sequence[int] | npt.NDArray[np.int64] | None = None,
    most_classes: int = 3,
) -> Clip:
    """Return clip ``number`` of a split: it depends on the repertoire and the arguments alone."""
    rng = np.random.default_rng([repertoire.seed, 11, SPLIT_KEY[split], number])
    return make_clip(
        repertoire,
        rng,
        sample_rate,
        seconds,
        classes=classes,
        split=split,
        most_classes=most_classes,
    )


def _bout(
    repertoire: Repertoire,
    index: int,
    n: int,
    sample_rate: int,
    allowed: int,
    split: Split,
    rng: np.random.Generator,
) -> _Track:
    """Lay one to a few events of one individual along a clip; edges may cut them."""
    family = repertoire.family(index)
    who = repertoire.draw_individual(index, rng, split)
    dry = np.zeros(n, np.float32)
    track = _Track(index, dry, [], [])
    count = int(rng.integers(1, min(allowed, family.events) + 1))
    gap = ratio(rng, *family.gap_s)
    at = 0
    for number in range(count):
        sound = repertoire.event(
            index, rng, sample_rate, individual=who, limit_s=min(6.0, n / sample_rate)
        )
        if not sound.any():
            break
        first, last = extent(sound)
        length = last - first
        if number == 0:
            # Of an event at the edge at least 60 % is heard, and all of a short one.
            over = int(0.4 * length) if length > 0.3 * n else 0
            at = int(rng.integers(-over, max(n - length + over, -over + 1)))
        elif at + length > n:
            break
        start, stop = max(at, 0), min(at + length, n)
        put, end = max(at - first, 0), min(at - first + len(sound), n)
        dry[put:end] += sound[put - (at - first) : end - (at - first)] * np.float32(
            10.0 ** (rng.normal(0.0, 1.5) / 20.0)
        )
        track.spans.append((start, stop))
        track.energies.append(float(np.sum(np.square(dry[start:stop], dtype=np.float64))))
        at += length + max(1, round(gap * float(np.exp(rng.normal(0.0, 0.3))) * sample_rate))
    return track


def _received(
    track: _Track, place: Place, sample_rate: int, rng: np.random.Generator
) -> npt.NDArray[np.complex64]:
    """Return the spectrum of a track as it arrives: air, echoes, microphone."""
    spectrum = fft.rfft(track.dry, place.size)
    distance = ratio(rng, 1.0, 150.0)
    gain = place.microphone
    if distance > 8.0:
        gain = gain * air(distance, sample_rate, place.size)
    if place.echo is not None:
        wet = np.float32(10.0 ** (even(rng, -24.0, -2.0) / 20.0))
        spectrum *= 1.0 + wet * place.echo
    spectrum *= gain
    spectrum[0] = 0.0
    return np.asarray(spectrum)


def _powers(spectrum: npt.NDArray[np.complex64]) -> npt.NDArray[np.float64]:
    """Return the running sum of the power of a spectrum at every 16th bin, from 0."""
    size = np.square(spectrum.real)
    size += np.square(spectrum.imag)
    sums = np.add.reduceat(size, np.arange(0, len(size), _BINS))
    return np.concatenate([[0.0], np.cumsum(sums, dtype=np.float64)])


def _weigh(
    tracks: list[_Track],
    spectra: list[npt.NDArray[np.complex64]],
    noise: npt.NDArray[np.complex64] | None,
    base_db: float,
    n: int,
    sample_rate: int,
    rng: np.random.Generator,
) -> tuple[list[ClipEvent], npt.NDArray[np.complex64] | None]:
    """Give each track its SNR and return the events and the sum of the tracks."""
    if not tracks:
        return [], None
    hush = None if noise is None else _powers(noise)
    step_hz = _BINS * sample_rate / (2.0 * (len(spectra[0]) - 1))
    events: list[ClipEvent] = []
    total = np.zeros_like(spectra[0])
    for track, spectrum in zip(tracks, spectra, strict=True):
        energy = _powers(spectrum)
        whole = max(float(energy[-1]), 1e-30)
        edges = np.searchsorted(energy, np.array([_BAND_TAIL, 1.0 - _BAND_TAIL]) * whole)
        low = max(int(edges[0]) - 1, 0)
        high = min(max(int(edges[1]), low + 1), len(energy) - 1)
        active = sum(stop - start for start, stop in track.spans)
        # Both powers are per sample: while it sounds, and over the whole clip.
        signal = float(energy[high] - energy[low]) / active
        snr = max(base_db + (even(rng, -6.0, 6.0) if len(tracks) > 1 else 0.0), _LEAST_DB)
        if hush is None:
            gain, snr = 10.0 ** (even(rng, -10.0, 0.0) / 20.0) / np.sqrt(signal), float("inf")
        else:
            quiet = max(float(hush[high] - hush[low]), 1e-12 * float(hush[-1])) / n
            gain = np.sqrt(10.0 ** (snr / 10.0) * quiet / signal)
        total += np.float32(gain) * spectrum
        mean = max(sum(track.energies) / active, 1e-30)
        for (start, stop), own in zip(track.spans, track.energies, strict=True):
            more = 10.0 * np.log10(max(own / (stop - start) / mean, 1e-9))
            events.append(
                ClipEvent(
                    track.index,
                    start / sample_rate,
                    stop / sample_rate,
                    low * step_hz,
                    min(high * step_hz, sample_rate / 2),
                    round(float(snr + more), 2),
                )
            )
    return sorted(events, key=lambda e: (e.start_s, e.index)), total


def _finish(
    events: list[ClipEvent],
    total: npt.NDArray[np.complex64] | None,
    noise: npt.NDArray[np.complex64] | None,
    n: int,
    size: int,
    sample_rate: int,
    rng: np.random.Generator,
    keep_background: bool,
) -> Clip:
    """Add the parts, set the level, and overdrive one clip in fifty."""
    parts = [part for part in (total, noise) if part is not None]
    mix = parts[0] if len(parts) == 1 else parts[0] + parts[1]
    audio = np.asarray(fft.irfft(mix, size)[:n], np.float32)
    peak_db = pick(rng, (even(rng, -6.0, -0.5), even(rng, -30.0, -3.0)))
    drive = chance(rng, 0.02)
    scale = np.float32(10.0 ** (peak_db / 20.0) / max(float(np.max(np.abs(audio))), 1e-12))
    audio *= scale
    if drive:
        high = np.float32(10.0 ** (peak_db / 20.0))
        audio = high * np.tanh(np.float32(even(rng, 1.5, 4.0)) * audio / high)
    background: Samples | None = None
    if keep_background:
        background = np.zeros(n, np.float32)
        if noise is not None:
            background = np.asarray(fft.irfft(noise, size)[:n] * scale, np.float32)
    labels = tuple(sorted({event.index for event in events}))
    audio = np.asarray(audio, np.float32)
    return Clip(audio, sample_rate, labels, tuple(events), background, drive)

"""Real calls laid over real backgrounds: labelled soundscapes, embedded by a real encoder."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path as FilePath

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy import fft

from antiphon.active.dataset import Float32, Int64, LabelledSet
from antiphon.active.simulate.dividing import Sides, divide
from antiphon.active.simulate.events import draw_events
from antiphon.active.simulate.layout import Layout, lay_out
from antiphon.active.simulate.recipe import Recipe
from antiphon.active.simulate.sources import Call, Sources
from antiphon.audio.reader import read_span
from antiphon.audio.recording import content_key
from antiphon.audio.synthesis.distractors import draw_distractor
from antiphon.audio.synthesis.propagation import Path, receive
from antiphon.audio.windows import window_starts
from antiphon.encoders.base import Encoder
from antiphon.errors import FileError, UserError
from antiphon.replacing import replacing

Bool = npt.NDArray[np.bool_]

# Raised with every change to what is mixed, so that cached embeddings are not taken for new ones.
_ALGORITHM = 1
# No segment passes this amplitude; a louder one is turned down whole.
_PEAK = 0.9
_FAINTEST = 1e-12


@dataclass(frozen=True, slots=True)
class Mixture:
    """How calls are laid over the background.

    Parameters
    ----------
    segment_s
        Length of a segment in seconds.
    call_s
        Longest call; of a longer one its loudest part is taken.
    snr_db, snr_spread_db
        Median and deviation of the power of a call over that of the background, in the call's
        band, in dB; half of the variance is between bouts.
    near_m, far_m
        Distances, in metres, drawn evenly; they take away high frequencies and add scatter.
    reverberation_s
        Time in which scattered sound falls by 60 dB.
    level_db
        Deviation of the level between recordings, in dB.

    Raises
    ------
    UserError
        A length or a distance is not positive.
    """

    segment_s: float = 3.0
    call_s: float = 1.5
    snr_db: float = 8.0
    snr_spread_db: float = 6.0
    near_m: float = 5.0
    far_m: float = 80.0
    reverberation_s: float = 0.2
    level_db: float = 4.0

    def __post_init__(self) -> None:
        if not (self.segment_s > 0 and self.call_s > 0 and 1 <= self.near_m <= self.far_m):
            raise UserError(
                "A mixture needs positive lengths and distances of 1 m or more, near before far."
            )


def mix(
    sources: Sources,
    encoder: Encoder,
    recipe: Recipe,
    seed: int,
    *,
    mixture: Mixture | None = None,
    cache: FilePath | None = None,
) -> LabelledSet:
    """Mix a set of soundscapes and embed it.

    Who calls where is drawn as for simulated embeddings
    (:func:`~antiphon.active.simulate.events.draw_events`); a bout of a class has one source. No
    source and no background lies in both pool and validation.

    Parameters
    ----------
    sources
        Calls and backgrounds, from :func:`~antiphon.active.simulate.sources.find_sources`.
    encoder
        As from :func:`~antiphon.encoders.registry.create_encoder`. Where its window is shorter
        than a segment, the mean over the segment's windows is the embedding.
    recipe
        Its sizes, shares and affinities, ``clutter_share``, ``missed`` and ``spurious`` count;
        the number of classes is that of the sources, and what concerns the latent space is not
        used.
    seed
        0 or more.
    mixture
        How calls are laid over the background.
    cache
        Folder where embeddings are kept under a digest of all that decides them, the content of
        the files included.

    Raises
    ------
    UserError
        A class has one source only, there are fewer than two backgrounds, or the recipe does not
        fit the number of classes.
    AudioError
        A recording cannot be read.
    FileError
        A cached file is damaged.
    """
    if seed < 0:
        raise UserError(f"The seed must be 0 or more, not {seed}.")
    mixture = mixture or Mixture()
    labels = sources.labels()
    recipe = replace(recipe, n_classes=len(labels), duplicates=0.0)
    streams = [np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(4)]
    sides = divide(sources, recipe, streams[0])
    layout = lay_out(recipe, streams[1])
    events = draw_events(recipe, layout, streams[2])
    key = _key(sources, encoder, recipe, mixture, seed)
    stored = None if cache is None else cache / f"{key}.npy"
    if stored is not None and stored.is_file():
        embeddings = _stored(stored, (len(layout), encoder.spec.dim))
    else:
        stage = _Stage(sides, encoder, recipe, mixture, layout, events.heard, labels)
        embeddings = _embed(stage, streams[3])
        if stored is not None:
            with replacing(stored, alone=True) as part, part.open("wb") as file:
                np.save(file, embeddings)
    names = tuple(
        f"M{r:04d}_{p:04d}"
        for r, p in zip(layout.recording.tolist(), layout.position.tolist(), strict=True)
    )
    metadata = {"filename": list(names), "recording": [name[:5] for name in names]}
    return LabelledSet(
        name=recipe.name,
        embeddings=embeddings,
        targets=events.labelled.astype(np.float32),
        labels=labels,
        validation=layout.validation,
        recording=layout.recording,
        filenames=names,
        multilabel=True,
        domain=recipe.domain,
        metadata=pa.table(metadata),
        key=key,
        notes=(f"mixed from recordings, {encoder.spec.name}, seed {seed}", *sources.notes),
    )


def _stored(path: FilePath, shape: tuple[int, int]) -> Float32:
    try:
        embeddings: Float32 = np.load(path)
    except (OSError, ValueError) as error:
        raise FileError(path, f"cannot be read ({error})", "Delete it") from error
    if embeddings.shape != shape:
        raise FileError(path, f"holds {embeddings.shape}, not {shape} numbers", "Delete it")
    return embeddings


@dataclass(frozen=True, slots=True)
class _Stage:
    sides: Sides
    encoder: Encoder
    recipe: Recipe
    mixture: Mixture
    layout: Layout
    heard: Bool
    labels: tuple[str, ...]

    @property
    def n_samples(self) -> int:
        return round(self.mixture.segment_s * self.encoder.spec.sample_rate)


def _embed(stage: _Stage, rng: np.random.Generator) -> Float32:
    """Mix and encode one recording after the other, ``(n, dim)``."""
    out = np.empty((len(stage.layout), stage.encoder.spec.dim), np.float32)
    load = lru_cache(maxsize=64)(_load)
    for recording in range(int(stage.layout.recording.max()) + 1):
        rows = np.flatnonzero(stage.layout.recording == recording)
        # Each recording draws from a stream of its own, so that it depends on no other.
        out[rows] = _encode(_record(stage, rows, load, rng.spawn(1)[0]), stage.encoder)
    return out


def _record(
    stage: _Stage,
    rows: Int64,
    load: Callable[[Call, int, float], Float32],
    rng: np.random.Generator,
) -> Float32:
    """Mix the segments of one recording, ``(n, samples)``."""
    rate = stage.encoder.spec.sample_rate
    judges = bool(stage.layout.validation[rows[0]])
    backgrounds = stage.sides.backgrounds[judges]
    path = backgrounds[int(rng.integers(len(backgrounds)))]
    level = np.float32(10.0 ** (rng.normal(0.0, stage.mixture.level_db) / 20.0))
    whole = level * read_span(path, sample_rate=rate)[0]
    callers: dict[tuple[int, int], tuple[Call, float, float]] = {}
    audio = np.empty((len(rows), stage.n_samples), np.float32)
    for place, row in enumerate(rows):
        background = _slice(whole, stage.n_samples, rng)
        segment = background.copy()
        for label in np.flatnonzero(stage.heard[row]):
            bout = (int(stage.layout.bout[row]), int(label))
            if bout not in callers:
                callers[bout] = _choose(stage, judges, int(label), rng)
            call, snr_db, distance_m = callers[bout]
            snr_db += float(rng.normal(0.0, stage.mixture.snr_spread_db * np.sqrt(0.5)))
            sound = load(call, rate, stage.mixture.call_s)
            _lay(segment, background, sound, snr_db, distance_m, stage, rng)
        if rng.random() < stage.recipe.clutter_share:
            _, sound = draw_distractor(rate, True, rng)
            sound = _loudest(sound, round(stage.mixture.call_s * rate))
            _lay(segment, background, sound, stage.mixture.snr_db, 1.0, stage, rng)
        segment *= np.float32(min(1.0, _PEAK / max(float(np.abs(segment).max()), _FAINTEST)))
        audio[place] = segment
    return audio


def _choose(
    stage: _Stage, judges: bool, label: int, rng: np.random.Generator
) -> tuple[Call, float, float]:
    """Draw who calls in a bout, how loud and from how far."""
    calls = stage.sides.calls[judges][stage.labels[label]]
    spread = stage.mixture.snr_spread_db * np.sqrt(0.5)
    return (
        calls[int(rng.integers(len(calls)))],
        float(rng.normal(stage.mixture.snr_db, spread)),
        float(rng.uniform(stage.mixture.near_m, stage.mixture.far_m)),
    )


def _lay(
    segment: Float32,
    background: Float32,
    sound: Float32,
    snr_db: float,
    distance_m: float,
    stage: _Stage,
    rng: np.random.Generator,
) -> None:
    """Add a sound at a random place, at the given ratio to the background in its band."""
    rate = stage.encoder.spec.sample_rate
    sound = sound[: len(segment)]
    start = int(rng.integers(len(segment) - len(sound) + 1))
    heard = receive(sound, rate, Path(distance_m, True, stage.mixture.reverberation_s), rng)
    noise = _band_power(background, heard.low_hz, heard.high_hz, rate)
    signal = float(np.mean(np.square(heard.direct, dtype=np.float64)))
    if signal < _FAINTEST**2:
        return
    gain = np.float32(np.sqrt(max(noise, _FAINTEST) / signal * 10.0 ** (snr_db / 10.0)))
    segment[start : start + len(sound)] += gain * heard.direct
    tail = heard.scattered[: len(segment) - start]
    segment[start : start + len(tail)] += gain * tail


def _band_power(audio: Float32, low_hz: float, high_hz: float, rate: int) -> float:
    """Return the mean power in a band (Parseval), over the whole segment."""
    spectrum = np.square(np.abs(fft.rfft(audio)), dtype=np.float64)
    low = int(low_hz * len(audio) / rate)
    high = max(low + 1, round(high_hz * len(audio) / rate) + 1)
    return float(2.0 * spectrum[low:high].sum()) / len(audio) ** 2


def _load(call: Call, rate: int, longest_s: float) -> Float32:
    """Read a call, filter it to its band and keep its loudest part."""
    sound = read_span(call.path, call.start_s, call.end_s, sample_rate=rate)[0]
    if call.low_hz > 0 or call.high_hz is not None:
        spectrum = fft.rfft(sound)
        hz = np.arange(len(spectrum)) * rate / len(sound)
        spectrum[(hz < call.low_hz) | (hz > (call.high_hz or rate))] = 0.0
        sound = fft.irfft(spectrum, len(sound)).astype(np.float32)
    return _loudest(sound, round(longest_s * rate))


def _loudest(sound: Float32, n: int) -> Float32:
    if len(sound) <= n:
        return sound
    energy = np.concatenate([[0.0], np.cumsum(np.square(sound, dtype=np.float64))])
    start = int(np.argmax(energy[n:] - energy[:-n]))
    return sound[start : start + n]


def _slice(whole: Float32, n: int, rng: np.random.Generator) -> Float32:
    """Return a random span of the background, repeated where it is too short."""
    if len(whole) < n:
        whole = np.resize(whole, n)
    start = int(rng.integers(len(whole) - n + 1))
    return whole[start : start + n]


def _encode(audio: Float32, encoder: Encoder) -> Float32:
    """Return one embedding for each segment, the mean over its windows."""
    window = encoder.spec.window_samples
    starts = window_starts(audio.shape[1], window, window)
    padded = np.pad(audio, ((0, 0), (0, int(starts[-1]) + window - audio.shape[1])))
    total = np.zeros((len(audio), encoder.spec.dim), np.float32)
    for start in starts.tolist():
        valid = np.full(len(audio), min(window, audio.shape[1] - start), np.int64)
        cut = np.ascontiguousarray(padded[:, start : start + window])
        total += encoder.encode(encoder.prepare(cut, valid)).embeddings
    return total / np.float32(len(starts))


def _key(sources: Sources, encoder: Encoder, recipe: Recipe, mixture: Mixture, seed: int) -> str:
    content = {path: content_key(path) for path in {c.path for c in sources.calls}}
    calls = [
        [content[c.path], c.label, c.source, c.start_s, c.end_s, c.low_hz, c.high_hz]
        for c in sources.calls
    ]
    facts = {
        "algorithm": _ALGORITHM,
        "encoder": encoder.spec.fingerprint,
        "recipe": recipe.to_json(),
        "mixture": asdict(mixture),
        "seed": seed,
        "calls": calls,
        "backgrounds": [content_key(path) for path in sources.backgrounds],
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()

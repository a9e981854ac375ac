"""Make a simulated set of embeddings from its recipe."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import pyarrow as pa
from scipy import sparse

from antiphon.active.dataset import Bool, Float32, LabelledSet
from antiphon.active.simulate.events import draw_events
from antiphon.active.simulate.layout import Layout, lay_out
from antiphon.active.simulate.recipe import Recipe
from antiphon.errors import UserError

# Raised with every change to what is drawn, so that results on older sets are not mixed in.
ALGORITHM = 2
# Classes that resemble each other.
_GROUP = 4
# Seconds of a segment, for the names.
_SEGMENT_S = 5
# Distance between a segment and one that nearly repeats it, relative to the background.
_REPEAT = 0.1
# Below this the latent vectors are all the same.
_NO_SPREAD = 1e-6


def generate(recipe: Recipe, seed: int) -> LabelledSet:
    """Make a set; the same recipe and seed give the same set to the bit on one machine.

    Parameters
    ----------
    recipe
        What it is made of.
    seed
        0 or more; another seed is another world: other classes, sites and recordings.

    Returns
    -------
    LabelledSet
        Pool and validation in order of recording and time; no recording lies in both. The
        metadata has site, recording and time, nothing that tells a label.

    Raises
    ------
    UserError
        The seed is negative.
    """
    if seed < 0:
        raise UserError(f"The seed must be 0 or more, not {seed}.")
    streams = [np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(4)]
    layout = lay_out(recipe, streams[0])
    events = draw_events(recipe, layout, streams[1])
    latent = _background(recipe, layout, streams[2])
    latent += _calls(recipe, layout, events.heard, streams[2])
    _add_clutter(latent, recipe, layout, streams[2])
    _repeat(latent, recipe, layout, streams[2])
    # Measured without junk, so that junk changes no other segment.
    spread = _spread(latent)
    _add_junk(latent, recipe, streams[2])
    embeddings = _observe(latent, spread, recipe, streams[3])
    stems = [f"R{r:04d}" for r in range(int(layout.recording.max()) + 1)]
    names = tuple(
        f"{stems[r]}_{p * _SEGMENT_S:05d}"
        for r, p in zip(layout.recording.tolist(), layout.position.tolist(), strict=True)
    )
    return LabelledSet(
        name=recipe.name,
        embeddings=embeddings,
        targets=events.labelled.astype(np.float32),
        labels=tuple(f"class_{c:02d}" for c in range(recipe.n_classes)),
        validation=layout.validation,
        recording=layout.recording,
        filenames=names,
        multilabel=True,
        domain=recipe.domain,
        metadata=_metadata(layout, names, stems),
        key=set_key(recipe, seed),
        notes=(f"simulated, seed {seed}",),
    )


def set_key(recipe: Recipe, seed: int) -> str:
    """Return the ``key`` that :func:`generate` gives the set, without making it."""
    facts = {"algorithm": ALGORITHM, "seed": seed, **recipe.to_json()}
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _background(recipe: Recipe, layout: Layout, rng: np.random.Generator) -> Float32:
    """Draw site, recording, drift and independent noise, ``(n, latent)``."""
    variance = np.arange(1, recipe.latent + 1) ** -recipe.spectrum
    scale = (recipe.background * np.sqrt(variance / variance.sum())).astype(np.float32)
    fixed = recipe.site_shift + recipe.recording_shift + recipe.drift
    out = _normal(rng, len(layout), recipe.latent) * np.float32(np.sqrt(max(0.0, 1.0 - fixed)))
    groups = (
        (layout.site, recipe.site_shift),
        (layout.recording, recipe.recording_shift),
        (layout.bout, recipe.drift),
    )
    for group, share in groups:
        between = _normal(rng, int(group.max()) + 1, recipe.latent)
        out += np.float32(np.sqrt(share)) * between[group]
    # A random rotation is left to the map into the embedding space, which has no axes of its own.
    out *= scale
    return out


def _calls(recipe: Recipe, layout: Layout, heard: Bool, rng: np.random.Generator) -> Float32:
    """Return the sum of the calls in each segment, ``(n, latent)``."""
    k, classes = recipe.latent, recipe.n_classes
    kinds = _call_types(recipe, rng)
    row, label = np.nonzero(heard)
    recording, bout = layout.recording[row], layout.bout[row]
    kind_of = rng.integers(recipe.call_types, size=(int(layout.bout.max()) + 1, classes))
    vector = kinds[label, kind_of[bout, label]]
    unit = np.float32(1.0 / np.sqrt(k))
    animals, animal = np.unique(recording * classes + label, return_inverse=True)
    vector += np.float32(recipe.individual) * unit * _normal(rng, len(animals), k)[animal]
    vector += np.float32(recipe.variation) * unit * _normal(rng, len(row), k)
    half = recipe.gain_spread * np.sqrt(0.5)
    log_gain = half * (rng.standard_normal(len(animals))[animal] + rng.standard_normal(len(row)))
    together = np.maximum(heard.sum(axis=1), 1)[row] ** recipe.mixing
    weight = (recipe.gain * np.exp(log_gain) / together).astype(np.float32)
    place = sparse.csr_matrix(
        (weight, (row, np.arange(len(row)))), shape=(len(layout), max(1, len(row)))
    )
    if len(row) == 0:
        return np.zeros((len(layout), k), np.float32)
    total: Float32 = place @ vector
    return total


def _call_types(recipe: Recipe, rng: np.random.Generator) -> Float32:
    """Return a vector for each kind of call, ``(n_classes, call_types, latent)``."""
    k, classes = recipe.latent, recipe.n_classes
    groups = _unit(_normal(rng, -(-classes // _GROUP), k))
    own = _unit(_normal(rng, classes, k))
    group = rng.permutation(classes) // _GROUP
    shared = np.float32(np.sqrt(recipe.overlap))
    mean = shared * groups[group] + np.float32(np.sqrt(1.0 - recipe.overlap)) * own
    kinds = _unit(_normal(rng, classes * recipe.call_types, k)).reshape(classes, -1, k)
    kinds = np.float32(recipe.type_spread) * kinds + mean[:, None, :]
    typed: Float32 = kinds / np.float32(np.sqrt(1.0 + recipe.type_spread**2))
    return typed


def _add_clutter(latent: Float32, recipe: Recipe, layout: Layout, rng: np.random.Generator) -> None:
    """Add sounds that nobody labels; a bout has one kind of them."""
    rows = np.flatnonzero(rng.random(len(layout)) < recipe.clutter_share)
    kinds = _unit(_normal(rng, recipe.clutter_types, recipe.latent))
    kind = rng.integers(recipe.clutter_types, size=int(layout.bout.max()) + 1)[layout.bout[rows]]
    gain = recipe.gain * recipe.clutter_gain
    weight = gain * np.exp(recipe.gain_spread * rng.standard_normal(len(rows)))
    noise = _normal(rng, len(rows), recipe.latent) / np.float32(np.sqrt(recipe.latent))
    sound = kinds[kind] + np.float32(recipe.variation) * noise
    latent[rows] += weight.astype(np.float32)[:, None] * sound


def _repeat(latent: Float32, recipe: Recipe, layout: Layout, rng: np.random.Generator) -> None:
    """Replace repeats by the segment they repeat and a little noise."""
    last = np.maximum.accumulate(np.where(layout.repeats, 0, np.arange(len(layout))))
    rows = np.flatnonzero(layout.repeats)
    noise = _normal(rng, len(rows), recipe.latent) / np.float32(np.sqrt(recipe.latent))
    latent[rows] = latent[last[rows]] + np.float32(_REPEAT * recipe.background) * noise


def _add_junk(latent: Float32, recipe: Recipe, rng: np.random.Generator) -> None:
    rows = np.flatnonzero(rng.random(len(latent)) < recipe.junk_share)
    size = recipe.junk_size * rng.uniform(0.5, 1.5, len(rows))
    away = _unit(_normal(rng, len(rows), recipe.latent))
    latent[rows] += size.astype(np.float32)[:, None] * away


def _spread(latent: Float32) -> float:
    """Return the root of the mean squared distance from the mean, 1 where all is the same."""
    spread = float(np.sqrt(latent.var(axis=0).sum()))
    return spread if spread > _NO_SPREAD else 1.0


def _observe(latent: Float32, spread: float, recipe: Recipe, rng: np.random.Generator) -> Float32:
    """Map to the embedding space, ``(n, dimension)``."""
    weight = _normal(rng, recipe.latent, recipe.dimension)
    weight *= np.float32(recipe.contrast / spread)
    out: Float32 = latent @ weight
    out += _normal(rng, 1, recipe.dimension)
    out += np.float32(recipe.floor * recipe.contrast) * _normal(rng, *out.shape)
    if recipe.activation == "swish":
        for start in range(0, len(out), 1024):
            block = out[start : start + 1024]
            block /= 1.0 + np.exp(-block)
    elif recipe.activation == "relu":
        np.maximum(out, 0.0, out=out)
    length = float(np.sqrt(np.einsum("ij,ij->i", out, out)).mean())
    out *= np.float32(recipe.norm / max(length, 1e-9))
    return out


def _metadata(layout: Layout, names: tuple[str, ...], stems: list[str]) -> pa.Table:
    return pa.table(
        {
            "filename": list(names),
            "site": [f"S{s:02d}" for s in layout.site.tolist()],
            "recording": [stems[r] for r in layout.recording.tolist()],
            "start_s": pa.array(layout.position * _SEGMENT_S, pa.int64()),
        }
    )


def _normal(rng: np.random.Generator, rows: int, columns: int) -> Float32:
    return rng.standard_normal((rows, columns), dtype=np.float32)


def _unit(vectors: Float32) -> Float32:
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    unit: Float32 = vectors / np.maximum(length, 1e-12)
    return unit

"""Examples of a class are more like each other than like other classes, but not the same."""

from __future__ import annotations

import numpy as np

from antiphon.audio.synthesis.repertoire import Repertoire
from antiphon.encoders.registry import create_encoder

_CLASSES = 60
_EACH = 4


def test_nearest_neighbours_are_mostly_of_the_class_but_not_always() -> None:
    encoder = create_encoder("spectral")
    rate, n = encoder.spec.sample_rate, encoder.spec.window_samples
    repertoire = Repertoire(8, 120, 80)
    pool = np.random.default_rng(0).permutation(len(repertoire))[:_CLASSES]
    windows = []
    for index in pool.tolist():
        for draw in range(_EACH):
            rng = np.random.default_rng([draw, index])
            sound = repertoire.event(index, rng, rate, limit_s=n / rate)[:n]
            window = 1e-4 * rng.standard_normal(n)
            at = int(rng.integers(0, n - len(sound) + 1))
            window[at : at + len(sound)] += sound
            windows.append(window)
    features = encoder.prepare(np.array(windows, np.float32), np.full(len(windows), n))
    vectors = encoder.encode(features).embeddings
    vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    likeness = vectors @ vectors.T
    np.fill_diagonal(likeness, -np.inf)
    owner = np.repeat(np.arange(_CLASSES), _EACH)
    right = float(np.mean(owner[likeness.argmax(axis=1)] == owner))
    # By chance it would be 3 of 239.
    assert 0.6 < right < 0.99

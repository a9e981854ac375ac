"""The built-in network: its file, its embeddings, and that they are those of the kept weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from antiphon.encoders.manifest import SHIPPED
from antiphon.encoders.registry import create_encoder, list_encoders

RATE, SAMPLES = 32_000, 96_000
WEIGHTS = Path(__file__).parents[2] / "models" / "antiphon-mini"


def sounds() -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """A rising whistle, a pulse train, noise, and a whistle of one second."""
    rng = np.random.default_rng(4)
    time = np.arange(SAMPLES) / RATE
    noise = rng.standard_normal((4, SAMPLES))
    audio = 0.003 * noise
    audio[0] += 0.3 * np.sin(2 * np.pi * (2000 * time + 400 * time**2))
    audio[1] += 0.3 * np.sin(2 * np.pi * 5000 * time) * (np.sin(2 * np.pi * 12 * time) > 0.6)
    audio[2] = 0.1 * noise[2]
    audio[3] += 0.3 * np.sin(2 * np.pi * (2000 * time + 400 * time**2))
    audio[3, RATE:] = 0.0
    return audio.astype(np.float32), np.array([SAMPLES, SAMPLES, SAMPLES, RATE])


def cosine(a: npt.NDArray[np.float32], b: npt.NDArray[np.float32]) -> float:
    return float(a @ b / np.sqrt((a @ a) * (b @ b)))


def test_it_is_built_in_and_small() -> None:
    cards = {card.name: card for card in list_encoders()}
    assert cards["antiphon-mini"].kind == "built in"
    assert cards["antiphon-mini"].available
    assert sum(path.stat().st_size for path in SHIPPED.iterdir()) < 8e6


def test_embeddings_of_a_window_depend_on_its_audio_alone() -> None:
    encoder = create_encoder("antiphon-mini")
    audio, valid = sounds()
    together = encoder.encode(encoder.prepare(audio, valid)).embeddings
    assert together.shape == (4, 512)
    assert encoder.spec.labels == ()
    for row in range(4):
        one = slice(row, row + 1)
        alone = encoder.encode(encoder.prepare(audio[one], valid[one])).embeddings
        np.testing.assert_array_equal(alone[0], together[row])
    dirty = audio.copy()
    dirty[3, RATE:] = 0.5
    masked = encoder.encode(encoder.prepare(dirty, valid)).embeddings
    assert cosine(masked[3], together[3]) > 0.99


def test_like_sounds_are_near() -> None:
    encoder = create_encoder("antiphon-mini")
    whistle, pulses, noise, short = encoder.encode(encoder.prepare(*sounds())).embeddings
    assert cosine(whistle, short) > max(cosine(whistle, pulses), cosine(whistle, noise)) + 0.1


def test_the_file_holds_the_kept_weights() -> None:
    torch = pytest.importorskip("torch", reason="needs the extra train")
    from antiphon.training.checkpoints import load_model

    model = load_model(WEIGHTS).eval()
    audio, valid = sounds()
    with torch.no_grad():
        wanted = model(torch.from_numpy(audio), torch.from_numpy(valid)).embedding.numpy()
    encoder = create_encoder("antiphon-mini")
    found = encoder.encode(encoder.prepare(audio, valid)).embeddings
    for ours, theirs in zip(found, wanted, strict=True):
        assert 1 - cosine(ours, theirs) < 1e-5

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from threadpoolctl import threadpool_limits

from antiphon.encoders.registry import create_encoder
from antiphon.encoders.spectral import Projection
from antiphon.errors import UserError

RATE = 16_000
SMALL = {"sample_rate": RATE, "window_s": 1.0}


@pytest.fixture(scope="module")
def encoder() -> Any:
    return create_encoder("spectral", **SMALL)


def embed(encoder: Any, audio: Any, valid: Any = None) -> Any:
    audio = np.atleast_2d(np.asarray(audio, np.float32))
    valid = np.full(len(audio), audio.shape[1]) if valid is None else np.asarray(valid)
    return encoder.encode(encoder.prepare(audio, valid)).embeddings


def cosine(a: Any, b: Any) -> float:
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


def chirps(f0: float, f1: float, rate_hz: float, seconds: float = 1.0, seed: int = 0) -> Any:
    """Return repeated sweeps over faint noise."""
    time = np.arange(round(seconds * RATE)) / RATE
    since = np.mod(time, 1 / rate_hz) * rate_hz
    phase = 2 * np.pi * (f0 * since + (f1 - f0) * since**2 / 2) / rate_hz
    noise = np.random.default_rng(seed).standard_normal(len(time)) * 0.003
    return (0.2 * np.sin(np.pi * since) ** 2 * np.sin(phase) + noise).astype(np.float32)


def test_spec_and_shape(encoder: Any) -> None:
    spec = encoder.spec
    assert (spec.name, spec.sample_rate, spec.dim, spec.hop_s) == ("spectral", RATE, 1024, 1.0)
    found = embed(encoder, np.zeros((3, RATE)))
    assert found.shape == (3, 1024)
    assert found.dtype == np.float32
    assert np.isfinite(found).all()
    assert embed(encoder, np.zeros((0, RATE))).shape == (0, 1024)
    with pytest.raises(ValueError, match=r"\(n, 16000\)"):
        embed(encoder, np.zeros((1, RATE - 1)))


def test_a_window_is_the_same_alone_in_a_batch_and_from_threads(encoder: Any) -> None:
    rng = np.random.default_rng(0)
    audio = rng.standard_normal((9, RATE)).astype(np.float32) * 0.1
    valid = np.array([RATE, 500, RATE, 9000, RATE, 1, RATE, RATE, 7777])
    for row, count in enumerate(valid):
        audio[row, count:] = 0
    together = embed(encoder, audio, valid)
    for row in range(9):
        alone = embed(encoder, audio[row : row + 1], valid[row : row + 1])
        np.testing.assert_array_equal(alone[0], together[row])
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(lambda _: embed(encoder, audio, valid), range(4)):
            np.testing.assert_array_equal(found, together)


def test_threads_of_blas_change_nothing(encoder: Any) -> None:
    audio = np.random.default_rng(3).standard_normal((2, RATE)).astype(np.float32) * 0.1
    with threadpool_limits(1):
        wanted = embed(encoder, audio)
    with threadpool_limits(4):
        np.testing.assert_array_equal(embed(encoder, audio), wanted)


@settings(max_examples=10, deadline=None)
@given(seconds=st.floats(0.1, 1.0), seed=st.integers(0, 99))
def test_padding_is_never_looked_at(encoder: Any, seconds: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    valid = np.array([round(seconds * RATE)])
    audio = rng.standard_normal((1, RATE)).astype(np.float32) * 0.1
    wanted = embed(encoder, audio, valid)
    audio[:, valid[0] :] = rng.standard_normal((1, RATE - valid[0])).astype(np.float32)
    np.testing.assert_array_equal(embed(encoder, audio, valid), wanted)


def test_a_padded_sound_is_near_to_the_unpadded_one() -> None:
    audio = chirps(2000, 4000, 5)
    padded = np.zeros(3 * RATE, np.float32)
    padded[:RATE] = audio
    long = create_encoder("spectral", sample_rate=RATE, window_s=3.0)
    repeated = embed(long, np.tile(audio, 3))[0]
    assert cosine(embed(long, padded, [RATE])[0], repeated) > 0.9
    assert cosine(embed(long, padded)[0], repeated) < 0.7


def test_level_matters_little_and_the_kind_of_call_much(encoder: Any) -> None:
    up = chirps(2000, 4000, 5)
    first, quiet, loud, down, slow, high = embed(
        encoder,
        [
            up,
            up * 0.3,
            up * 2,
            chirps(4000, 2000, 5),
            chirps(2000, 4000, 2),
            chirps(4000, 6000, 5),
        ],
    )
    same = min(cosine(first, quiet), cosine(first, loud))
    assert same > 0.95
    assert same > max(cosine(first, down), cosine(first, slow), cosine(first, high))
    assert not np.allclose(first, quiet, atol=1e-3)


def test_another_moment_of_a_call_is_nearer_than_another_call(encoder: Any) -> None:
    # Same rhythm, another phase and other noise; against falling sweeps and another pitch.
    up = chirps(2000, 4000, 5, seconds=2.0, seed=1)[2000 : 2000 + RATE]
    first, later, down, high = embed(
        encoder, [chirps(2000, 4000, 5), up, chirps(4000, 2000, 5), chirps(4000, 6000, 5)]
    )
    assert cosine(first, later) > max(cosine(first, down), cosine(first, high))


def test_same_parameters_same_encoder_other_seed_other_fingerprint(encoder: Any) -> None:
    again = create_encoder("spectral", **SMALL, hop_s=0.5)
    audio = chirps(1000, 2000, 3)
    np.testing.assert_array_equal(embed(again, audio), embed(encoder, audio))
    assert again.spec.fingerprint == encoder.spec.fingerprint
    for change in ({"seed": 1}, {"fmax": 7000.0}, {"n_mels": 64}, {"frame_ms": 8.0}, {"dim": 512}):
        other = create_encoder("spectral", **SMALL, **change)
        assert other.spec.fingerprint != encoder.spec.fingerprint


def test_numbers_as_text_as_from_a_command_line() -> None:
    encoder = create_encoder("spectral", sample_rate="16000", window_s="0.5", dim="64")
    assert (encoder.spec.sample_rate, encoder.spec.dim) == (RATE, 64)
    assert embed(encoder, np.zeros(RATE // 2)).shape == (1, 64)


@pytest.mark.parametrize(
    ("name", "rate", "frequency"),
    [("spectral-ultrasound", 250_000, 60_000.0), ("spectral-lowfreq", 2000, 100.0)],
)
def test_presets_hear_their_range(name: str, rate: int, frequency: float) -> None:
    encoder = create_encoder(name)
    spec = encoder.spec
    assert spec.sample_rate == rate
    time = np.arange(spec.window_samples) / rate
    noise = np.random.default_rng(0).standard_normal(len(time)) * 0.01
    pulse = np.sin(np.pi * np.mod(time * 8 / spec.window_s, 1)) ** 2
    tone = 0.2 * pulse * np.sin(2 * np.pi * frequency * time)
    quiet, one, two = embed(encoder, [noise, noise + tone, noise[::-1] + tone])
    assert np.isfinite([quiet, one, two]).all()
    assert cosine(one, two) > 0.9 > cosine(one, quiet)


def test_every_length_can_be_projected() -> None:
    rng = np.random.default_rng(0)
    values = rng.standard_normal((20, 300)).astype(np.float32)
    for dim in (16, 300, 700):
        projected = Projection(300, dim, 0)(values)
        assert projected.shape == (20, dim)
        assert np.linalg.norm(projected, axis=1).mean() == pytest.approx(1, rel=0.1)
    # A full turn keeps every inner product.
    turned = Projection(300, 300, 0)(values) * np.sqrt(np.float32(300))
    np.testing.assert_allclose(turned @ turned.T, values @ values.T, rtol=1e-3, atol=1e-2)
    # A projection to fewer keeps them nearly (Johnson-Lindenstrauss).
    fewer = Projection(300, 150, 0)(values) * np.sqrt(np.float32(300))
    error = fewer @ fewer.T - values @ values.T
    assert np.abs(error).max() < 5 * 300 / np.sqrt(150)


def test_windows_too_short_to_describe() -> None:
    with pytest.raises(UserError, match="too few: use a longer window or shorter frames"):
        create_encoder("spectral", window_s=0.05)
    with pytest.raises(UserError, match="hop_s is longer than window_s"):
        create_encoder("spectral", hop_s=4)

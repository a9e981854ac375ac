from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from antiphon.encoders.tflite import TfliteNetwork
from antiphon.errors import ModelError
from tests.encoders.make import tflite_file, windows
from tests.real import real_model


@pytest.mark.parametrize("threads", [1, 3])
def test_inner_tensor_and_output(tmp_path: Path, threads: int) -> None:
    network = TfliteNetwork(tflite_file(tmp_path / "m.tflite"), None, ["inner", 2], threads)
    audio = windows(7)[0] * 9
    inner, out = network.run(audio)
    np.testing.assert_array_equal(inner, np.maximum(audio, 0))
    np.testing.assert_array_equal(out, np.clip(audio, 0, 6))
    for row in range(7):
        np.testing.assert_array_equal(network.run(audio[row : row + 1])[0][0], inner[row])
    assert network.run(audio[:0])[0].shape == (0, 8)


def test_integers_are_quantised_both_ways(tmp_path: Path) -> None:
    network = TfliteNetwork(tflite_file(tmp_path / "m.tflite", quantised=True), "x", ["out"], 1)
    assert network.input_dtype == "int8"
    # Scale 0.05 and zero point -28 reach from -5 to 7.75.
    audio = np.linspace(-6, 9, 8, dtype=np.float32)[None]
    steps = np.clip(np.rint(audio / np.float32(0.05)) - 28, -128, 127) + 28
    np.testing.assert_allclose(
        network.run(audio)[0], np.clip(steps * 0.05, 0, 6), atol=0.0251, rtol=0
    )


def test_missing_tensors_are_named(tmp_path: Path) -> None:
    path = tflite_file(tmp_path / "m.tflite")
    with pytest.raises(ModelError, match=r"has no tensor 90 among 3 .*2 'out'"):
        TfliteNetwork(path, None, [90], 1)
    with pytest.raises(ModelError, match="has no tensor 'embedding'"):
        TfliteNetwork(path, None, ["embedding"], 1)
    with pytest.raises(ModelError, match="has no input 'audio'"):
        TfliteNetwork(path, "audio", [2], 1)


@pytest.mark.parametrize("content", [b"", b"junk", b"\x1c\x00\x00\x00TFL3" + bytes(64)])
def test_corrupt_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.tflite"
    path.write_bytes(content)
    with pytest.raises(ModelError, match="is not a TFLite model that can be run"):
        TfliteNetwork(path, None, [0], 1)


@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "inner", "dim", "shape"),
    [
        ("yamnet_int8.tflite", 90, 1024, (96, 64)),
        ("birdnet_stm32n6_100.tflite", 127, 256, (257, 256, 1)),
    ],
)
def test_real_networks(name: str, inner: int, dim: int, shape: tuple[int, ...]) -> None:
    path = real_model(name)
    audio = np.random.default_rng(0).random((5, *shape)).astype(np.float32)
    one, two = (TfliteNetwork(path, None, [inner], threads) for threads in (1, 2))
    found = one.run(audio)[0]
    assert found.reshape(5, -1).shape == (5, dim)
    np.testing.assert_array_equal(two.run(audio)[0], found)
    np.testing.assert_array_equal(one.run(audio[3:4])[0][0], found[3])
    with pytest.raises(ModelError, match="has no tensor 9999"):
        TfliteNetwork(path, None, [9999], 1)

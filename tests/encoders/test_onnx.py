from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper

from antiphon.encoders.onnx import OnnxNetwork
from antiphon.errors import ModelError
from tests.encoders.make import WEIGHT, onnx_file, onnx_frames, onnx_valid, windows


@pytest.mark.parametrize("batch", ["batch", 1, 4])
@pytest.mark.parametrize("threads", [1, 3])
def test_outputs_for_open_and_fixed_batches(tmp_path: Path, batch: int | str, threads: int) -> None:
    network = OnnxNetwork(onnx_file(tmp_path / "m.onnx", batch=batch), None, ["y", "z"], threads)
    audio, _ = windows(7)
    y, z = network.run(audio)
    np.testing.assert_allclose(y, audio @ WEIGHT, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(z, np.maximum(y, 0))
    for row in range(7):
        np.testing.assert_array_equal(network.run(audio[row : row + 1])[0][0], y[row])
    assert network.run(audio[:0])[0].shape == (0, 3)
    assert network.input_shape == (8,)
    assert network.input_dtype == "float32"


def test_outputs_by_index(tmp_path: Path) -> None:
    path = onnx_file(tmp_path / "m.onnx")
    audio, _ = windows(2)
    by_name = OnnxNetwork(path, "x", ["z"], 1).run(audio)[0]
    np.testing.assert_array_equal(OnnxNetwork(path, 0, [1], 1).run(audio)[0], by_name)


def test_inner_tensor_says_what_to_do(tmp_path: Path) -> None:
    path = onnx_file(tmp_path / "m.onnx", output="z")
    with pytest.raises(ModelError, match=r"has no output 'y', only 'z'.*export the model again"):
        OnnxNetwork(path, None, ["y"], 1)
    with pytest.raises(ModelError, match="has no input 'audio', only 'x'"):
        OnnxNetwork(path, "audio", ["z"], 1)
    with pytest.raises(ModelError, match="has no output 5"):
        OnnxNetwork(path, None, [5], 1)


@pytest.mark.parametrize("content", [b"", b"not a model", b"\x08\x08" + bytes(100)])
def test_corrupt_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError, match="is not an ONNX model that can be run") as caught:
        OnnxNetwork(path, None, ["y"], 1)
    assert str(path) in str(caught.value)


def test_truncated_file(tmp_path: Path) -> None:
    path = onnx_file(tmp_path / "m.onnx")
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(ModelError):
        OnnxNetwork(path, None, ["y"], 1)


def test_failure_inside_the_graph_is_a_model_error(tmp_path: Path) -> None:
    reshape = helper.make_node("Reshape", ["x", "s"], ["y"])
    shape = helper.make_node("Constant", [], ["s"], value_ints=[1, 7])
    path = onnx_frames(tmp_path / "m.onnx", ["n", "t"], [shape, reshape], [1, 7])
    network = OnnxNetwork(path, None, ["y"], 1)
    with pytest.raises(ModelError, match=r"failed on an input of shape \(1, 8\)"):
        network.run(windows(1)[0])


@pytest.mark.parametrize("threads", [1, 3])
def test_network_that_takes_the_number_of_valid_samples(tmp_path: Path, threads: int) -> None:
    network = OnnxNetwork(onnx_valid(tmp_path / "m.onnx"), "x", ["y"], threads, "valid")
    audio, _ = windows(5)
    valid = np.array([8, 1, 0, 3, 7])
    np.testing.assert_array_equal(
        network.run(audio, valid)[0], audio * valid[:, None].astype(np.float32)
    )
    np.testing.assert_array_equal(network.run(audio)[0], audio * 8)
    assert network.run(audio[:0], valid[:0])[0].shape == (0, 8)


def test_inputs_that_nothing_would_feed(tmp_path: Path) -> None:
    path = onnx_valid(tmp_path / "m.onnx")
    with pytest.raises(ModelError, match=r"further input 'valid'.*input\.valid"):
        OnnxNetwork(path, "x", ["y"], 1)
    with pytest.raises(ModelError, match="further input 'more'"):
        OnnxNetwork(onnx_valid(path, spare=True), "x", ["y"], 1, "valid")
    with pytest.raises(ModelError, match="not one int64 per window"):
        OnnxNetwork(onnx_valid(path, dtype=TensorProto.INT32), "x", ["y"], 1, "valid")

# ruff: noqa: E402
from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the extra train")
onnx = pytest.importorskip("onnx", reason="needs the extra train")

from antiphon.training.export.graph import export_graph, graph_bytes
from antiphon.training.export.parity import cosine_distance
from antiphon.training.export.quantisation import choose_quantisation, quantise
from antiphon.training.export.weights import halve_weights, in_front_end, shorten_weights
from tests.training.export.models import make_model, sounds
from tests.training.export.test_graph import exportable, run


@pytest.fixture(scope="module", params=["vit", "conv"])
def graph(request):
    return request.param, export_graph(exportable(make_model(request.param)), "model")


def linear(weight):
    """A graph of one product, ``y = x @ weight``, under the name of a head."""
    node = onnx.helper.make_node("MatMul", ["x", "w"], ["y"], name="/model/head/MatMul")
    inner = onnx.helper.make_graph(
        [node],
        "g",
        [onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [None, len(weight)])],
        [onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, None)],
        [onnx.numpy_helper.from_array(weight, "w")],
    )
    return onnx.helper.make_model(
        inner, opset_imports=[onnx.helper.make_opsetid("", 18)], ir_version=8
    )


def product(graph, x):
    import onnxruntime as ort

    session = ort.InferenceSession(graph_bytes(graph), providers=["CPUExecutionProvider"])
    return session.run(None, {"x": x})[0]


def test_int8_weights_are_rounded_by_the_largest_of_each_column():
    weight = np.zeros((16, 32), np.float32)
    weight[:, 0] = np.linspace(-1.27, 1.27, 16)
    weight[:, 1] = 127 * np.linspace(0, 1, 16) ** 2
    weight[0, 2] = 5.0
    # By hand: steps of 0.01 and of 1; a column of zeros stays so.
    expected = np.zeros_like(weight)
    expected[:, 0] = np.round(weight[:, 0] / 0.01) * 0.01
    expected[:, 1] = np.round(weight[:, 1])
    expected[0, 2] = 5.0
    found = product(shorten_weights(linear(weight)), np.eye(16, dtype=np.float32))
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_float16_weights_are_those_of_numpy():
    weight = np.random.default_rng(0).standard_normal((16, 32)).astype(np.float32)
    found = product(halve_weights(linear(weight)), np.eye(16, dtype=np.float32))
    np.testing.assert_array_equal(found, weight.astype(np.float16).astype(np.float32))


def test_weights_beyond_float16_stay():
    weight = np.full((16, 32), 1e6, np.float32)
    found = product(halve_weights(linear(weight)), np.eye(16, dtype=np.float32))
    np.testing.assert_array_equal(found, weight)


@pytest.mark.parametrize(
    ("method", "mean", "size"),
    [("fp16", 1e-6, 0.75), ("weights", 1e-3, 0.6), ("dynamic", 1e-2, 0.6), ("static", 5e-2, 0.6)],
)
def test_what_becomes_smaller_and_what_it_costs(graph, method, mean, size, tmp_path):
    _, whole = graph
    before = graph_bytes(whole)
    audio, valid = sounds(12)
    small = (
        halve_weights(whole)
        if method == "fp16"
        else quantise(whole, method, (audio, valid), tmp_path, "model")
    )
    assert graph_bytes(whole) == before
    assert _weight_bytes(small) < size * _weight_bytes(whole)
    found = [run(small, audio[i : i + 1], valid[i : i + 1])[0] for i in range(len(audio))]
    distance = cosine_distance(run(whole, audio, valid)[0], np.concatenate(found))
    assert 0 < distance.mean() < mean
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("method", ["fp16", "weights", "dynamic", "static"])
def test_the_front_end_is_left_alone(graph, method, tmp_path):
    _, whole = graph
    audio, valid = sounds(4)
    small = (
        halve_weights(whole)
        if method == "fp16"
        else quantise(whole, method, (audio, valid), tmp_path, "model")
    )

    def nodes(model):
        return {n.name: n.SerializeToString() for n in model.graph.node if in_front_end(n)}

    assert nodes(small) == nodes(whole)
    kinds = [n.op_type for n in whole.graph.node if in_front_end(n)]
    assert {"Conv", "MatMul", "Log"} <= set(kinds)
    # Its tables are held by the nodes themselves, so these are all of it.
    inputs = {name for n in whole.graph.node if in_front_end(n) for name in n.input}
    assert not inputs & {weight.name for weight in whole.graph.initializer}


@pytest.mark.parametrize("method", ["weights", "dynamic", "static"])
def test_the_same_graph_gives_the_same_bytes(graph, method, tmp_path):
    _, whole = graph
    audio, valid = sounds(6)
    one, two = (
        graph_bytes(quantise(whole, method, (audio, valid), tmp_path, "model")) for _ in range(2)
    )
    assert one == two
    assert str(tmp_path).encode() not in one


def test_calibration_decides_the_scales_of_static_quantisation(graph, tmp_path):
    _, whole = graph
    audio, valid = sounds(6)
    usual = graph_bytes(quantise(whole, "static", (audio, valid), tmp_path, "model"))
    quiet = graph_bytes(quantise(whole, "static", (audio * 1e-3, valid), tmp_path, "model"))
    assert usual != quiet


def test_the_method_follows_the_network(graph):
    kind, whole = graph
    assert choose_quantisation(whole, "auto") == {"vit": "dynamic", "conv": "weights"}[kind]
    assert choose_quantisation(whole, "static") == "static"


def test_the_tools_leave_the_root_logger_as_it_was(graph, tmp_path, caplog):
    import logging

    before = list(logging.getLogger().handlers), logging.root.manager.disable
    audio, valid = sounds(4)
    quantise(graph[1], "static", (audio, valid), tmp_path, "model")
    assert (list(logging.getLogger().handlers), logging.root.manager.disable) == before
    assert not caplog.records


def _weight_bytes(model):
    return sum(len(weight.raw_data) for weight in model.graph.initializer)

from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

from antiphon.errors import ModelError
from antiphon.soundscape.members.runtimes.graph import check_graph, inspect_graph
from tests.soundscape.members.making import conv_file


def test_operators_and_weights_are_those_that_onnx_reads(tmp_path: Path) -> None:
    path = conv_file(tmp_path).with_suffix(".onnx")
    facts, graph = inspect_graph(path), onnx.load(path).graph
    operators = [node.op_type for node in graph.node]
    assert facts.operators == {name: operators.count(name) for name in operators}
    assert facts.weights == {"float32": len(graph.initializer)}
    assert facts.training_norms == []


def test_batch_norms_in_training_mode_are_named(tmp_path: Path) -> None:
    path = conv_file(tmp_path, training=True).with_suffix(".onnx")
    with pytest.raises(ModelError, match=r"1 BatchNormalization in training mode \(norm1\)"):
        check_graph(path)


def test_a_batch_norm_inside_a_branch_is_found(tmp_path: Path) -> None:
    norm = helper.make_node(
        "BatchNormalization", ["x", "g", "b", "m", "v"], ["y", "rm", "rv"], training_mode=1
    )
    out = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 2])
    branch = helper.make_graph([norm], "then", [], [out])
    choice = helper.make_node("If", ["c"], ["z"], then_branch=branch, else_branch=branch)
    model = helper.make_model(helper.make_graph([choice], "g", [], [out]))
    path = tmp_path / "if.onnx"
    onnx.save(model, path)
    # It has no name, so its output stands for it; both branches hold it.
    assert inspect_graph(path).training_norms == ["y", "y"]


@pytest.mark.parametrize(
    "content", [b"", b"no model at all", b"\x3a\xff\x01rest", b"\x08\x08", b"\x3a\x04\x0a\x05ab"]
)
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError, match="not an ONNX model"):
        inspect_graph(path)


def test_a_file_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    path = conv_file(tmp_path).with_suffix(".onnx")
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(ModelError, match="not an ONNX model"):
        inspect_graph(path)


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="No such file"):
        inspect_graph(tmp_path / "none.onnx")

from __future__ import annotations

from pathlib import Path

import pytest

from antiphon.encoders.manifest import SHIPPED, load_manifest, read_labels
from antiphon.errors import FormatError
from tests.encoders.make import manifest_file


def test_shipped_manifests_are_valid_and_named_as_their_files() -> None:
    paths = sorted(SHIPPED.glob("*.yaml"))
    assert {p.stem for p in paths} >= {"yamnet", "birdnet-stm32", "perch_v2"}
    for path in paths:
        manifest = load_manifest(path)
        assert manifest.name == path.stem
        assert manifest.sha256
        assert manifest.source
        assert manifest.licence


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"windw_s": 3.0}, ["windw_s", "window_s"]),
        ({"front_end": {"kind": "waveform", "peek": 1.0}}, ["front_end", "peek", "'peak'"]),
        (
            {"front_end": {"kind": "log_mel", "n_fft": 4, "hop": 2, "n_mel": 4, "n_mels": 4}},
            ["n_mel", "'n_mels'"],
        ),
        ({"front_end": {"kind": "logmel"}}, ["front_end", "log_mel"]),
        ({"front_end": {"kind": "waveform", "peak": "loud"}}, ["peak", "number"]),
        ({"runtime": "torch"}, ["runtime", "onnx", "tflite"]),
        ({"output": {"embeddings": "y"}}, ["output.embeddings", "'embedding'"]),
        ({"output": {"embedding": "y", "pool": "max"}}, ["output.pool", "mean"]),
        ({"output": {"embedding": "y", "pool": "mean", "layout": "TD"}}, ["layout", "N"]),
        ({"model": None}, ["model", "missing"]),
        ({"sha256": "abc"}, ["sha256"]),
        ({"hop_s": 9.0}, ["hop_s", "left out"]),
        ({"input": {"layout": "NTF"}}, ["input.layout", "waveform", "N, S"]),
        ({"input": {"layout": "SN"}}, ["input.layout", "begin with N"]),
        ({"labels": ["a"]}, ["labels", "scores"]),
        ({"output": None}, ["'output' is missing", "embedding"]),
        ({"output": {}}, ["'output.embedding' is missing"]),
        ({"output": None, "scores": {"tensor": "z"}}, ["labels", "no embedding"]),
        ({"frames": {"tensor": "z", "layout": "TNC"}}, ["frames.layout", "NTC", "NCT"]),
        ({"frames": {"tenser": "z"}}, ["frames.tenser", "'tensor'"]),
        (
            {"runtime": "tflite", "input": {"layout": "NS", "valid": 1}},
            ["input.valid", "onnx"],
        ),
        (
            {"front_end": {"kind": "stft_magnitude", "n_fft": 4, "hop": 2, "normalise": "fixed"}},
            ["mean and std"],
        ),
        ({"sample_rate": -1}, ["sample_rate", "greater than 0"]),
    ],
)
def test_fault_is_named(tmp_path: Path, changes: dict[str, object], words: list[str]) -> None:
    path = manifest_file(tmp_path, **changes)
    with pytest.raises(FormatError) as caught:
        load_manifest(path)
    message = str(caught.value)
    assert message.startswith(str(path))
    for word in words:
        assert word in message
    assert caught.value.exit_code == 2


def test_a_comment_that_swallows_a_key_is_noticed(tmp_path: Path) -> None:
    path = manifest_file(tmp_path)
    path.write_text(path.read_text().replace("runtime:", "# runtime:"))
    with pytest.raises(FormatError, match="'runtime' is missing"):
        load_manifest(path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name: a\nname: b\n", "given twice"),
        ("- 1\n", "not a table"),
        ("a: [1\n", "not valid YAML"),
        ("", "not a table"),
    ],
)
def test_yaml_that_is_no_manifest(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    with pytest.raises(FormatError, match=words):
        load_manifest(path)


def test_identity_leaves_out_names_and_hop(tmp_path: Path) -> None:
    one = load_manifest(manifest_file(tmp_path))
    other = load_manifest(manifest_file(tmp_path, model="other.onnx", hop_s=0.004, source="x"))
    changed = load_manifest(manifest_file(tmp_path, front_end={"kind": "waveform", "peak": 1.0}))
    assert one.identity() == other.identity() != changed.identity()


def test_labels_from_file_and_list(tmp_path: Path) -> None:
    path = manifest_file(tmp_path, scores={"tensor": "y"}, labels=["a", "b"])
    assert read_labels(load_manifest(path), None, path) == ("a", "b")
    labels = tmp_path / "labels.txt"
    labels.write_text("\ufeffSciurus vulgaris_Écureuil\n\n owl \n", encoding="utf-8")
    assert read_labels(load_manifest(path), labels, path) == ("Sciurus vulgaris_Écureuil", "owl")
    labels.write_text("a\nb\na\n")
    with pytest.raises(FormatError, match="'a' comes more than once"):
        read_labels(load_manifest(path), labels, path)
    labels.write_text("\n")
    with pytest.raises(FormatError, match="no labels"):
        read_labels(load_manifest(path), labels, path)


def test_identity_of_a_network_without_an_input_for_valid_samples(tmp_path: Path) -> None:
    entry = {"layout": "NS", "channels": 1, "dtype": None, "tensor": None}
    assert load_manifest(manifest_file(tmp_path)).identity()["input"] == entry
    told = manifest_file(tmp_path, input={"layout": "NS", "valid": "valid"})
    assert load_manifest(told).identity()["input"] == {**entry, "valid": "valid"}


def test_frames_are_part_of_the_identity_only_where_there_are_some(tmp_path: Path) -> None:
    assert "frames" not in load_manifest(manifest_file(tmp_path)).identity()
    told = load_manifest(manifest_file(tmp_path, frames={"tensor": "z"}))
    assert told.frames is not None
    assert told.identity()["frames"] == {"tensor": "z", "activation": "none", "layout": "NTC"}


def test_a_network_of_scores_alone_needs_no_embedding(tmp_path: Path) -> None:
    path = manifest_file(tmp_path, output=None, scores={"tensor": "y"}, labels=["a", "b", "c"])
    assert load_manifest(path).output is None

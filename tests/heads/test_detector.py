"""The detector's file: it gives back what was saved, or says what is wrong."""

from __future__ import annotations

import json
import pickle

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from safetensors.numpy import load_file, save_file

from antiphon.errors import FileError, ModelError, UserError
from antiphon.heads.calibration import Calibration, fit_calibration
from antiphon.heads.detector import Detector
from antiphon.heads.linear import LinearHead, fit_linear
from antiphon.heads.mlp import fit_mlp
from antiphon.heads.thresholds import choose_thresholds

LABELS = ("Sylvia atricapilla", "été", "frog 1")


def trained(kind: str = "linear") -> tuple[Detector, np.ndarray]:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((80, 6)).astype(np.float32)
    y = (x[:, :3] + 0.5 * rng.standard_normal((80, 3)) > 0.3).astype(np.float32)
    y[:, 2] = 0
    head = fit_linear(x, y) if kind == "linear" else fit_mlp(x, y, hidden=5, epochs=2)
    calibration = fit_calibration(head.logits(x), y)
    thresholds = choose_thresholds(
        calibration.probabilities(head.logits(x)), y, np.arange(80) // 8, precision=0.8
    )
    detector = Detector(
        head,
        calibration,
        LABELS,
        tuple(thresholds),
        {"name": "spectral", "dim": 6, "parameters": {"seed": 1}},
        "f" * 64,
        {"seed": 3, "groups": ["a", "b"]},
    )
    return detector, x


@pytest.mark.parametrize("kind", ["linear", "mlp"])
def test_round_trip(tmp_path, kind):
    detector, x = trained(kind)
    path = tmp_path / "new folder" / "one.detector"
    detector.save(path)
    again = Detector.load(path)
    assert np.array_equal(again.probabilities(x), detector.probabilities(x))
    assert again.labels == LABELS
    assert repr(again.thresholds) == repr(detector.thresholds)
    assert np.array_equal(again.threshold_values, detector.threshold_values)
    assert again.encoder == detector.encoder
    assert again.facts == detector.facts
    assert again.head.untrained == detector.head.untrained == {2: again.head.untrained[2]}
    assert [p.name for p in path.parent.iterdir()] == ["one.detector"]


FLOATS = st.floats(-1e3, 1e3, width=32)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    weight=hnp.arrays(np.float32, (2, 3), elements=FLOATS),
    bias=hnp.arrays(np.float32, 2, elements=FLOATS),
    slope=hnp.arrays(np.float32, 2, elements=st.floats(0, 100, width=32)),
    x=hnp.arrays(np.float32, (4, 3), elements=FLOATS),
)
def test_any_detector_gives_identical_probabilities_after_loading(tmp_path, weight, bias, slope, x):
    one = np.ones(3, np.float32)
    head = LinearHead(weight, bias, 0 * one, one)
    limit = np.full(2, 5.0, np.float32)
    template, _ = trained()
    detector = Detector(
        head,
        Calibration(slope, 0 * slope, -limit, limit, "platt"),
        LABELS[:2],
        template.thresholds[:2],
        {},
        "0",
    )
    detector.save(tmp_path / "d")
    assert np.array_equal(Detector.load(tmp_path / "d").probabilities(x), detector.probabilities(x))


def test_missing_empty_foreign_and_cut_files(tmp_path):
    detector, _ = trained()
    with pytest.raises(ModelError, match="no such file"):
        Detector.load(tmp_path / "none.detector")
    detector.save(tmp_path / "good")
    whole = (tmp_path / "good").read_bytes()
    for name, content in [
        ("empty", b""),
        ("text", b"hello, this is no model at all"),
        ("pickle", pickle.dumps({"weight": 1})),
        ("cut", whole[: len(whole) - 10]),
        ("head only", whole[:50]),
        ("garbled", whole[:20] + b"\xff" * 40 + whole[60:]),
    ]:
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ModelError, match="corrupt") as caught:
            Detector.load(tmp_path / name)
        assert name in str(caught.value)
    save_file({"w": np.zeros(3, np.float32)}, tmp_path / "other")
    with pytest.raises(ModelError, match="not an Antiphon detector"):
        Detector.load(tmp_path / "other")


def change(source, target, *, tensors=None, drop=(), version="1", **facts):
    """Write a copy of a detector file with parts replaced."""
    from safetensors import safe_open

    with safe_open(source, framework="numpy") as file:
        metadata = dict(file.metadata())
    arrays = {k: v for k, v in load_file(source).items() if k not in drop} | (tensors or {})
    metadata["version"] = version
    metadata["detector"] = json.dumps(json.loads(metadata["detector"]) | facts)
    save_file(arrays, target, metadata)


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"version": "2"}, "newer version"),
        ({"version": "x"}, "not a number"),
        ({"drop": ("head.bias",)}, "'bias' is missing"),
        ({"tensors": {"head.weight": np.full((3, 6), np.nan, np.float32)}}, "NaN"),
        ({"tensors": {"head.weight": np.zeros((3, 5), np.float32)}}, "'scale'"),
        ({"tensors": {"calibration.low": np.zeros(2, np.float32)}}, "'low'"),
        ({"labels": ["a", "b"], "untrained": {}}, "same labels"),
        ({"labels": ["a", "a", "b"]}, "twice"),
        ({"labels": 3}, "must be text"),
        ({"head": "forest"}, "'forest' is not known"),
        ({"calibration": "magic"}, "'magic' is not known"),
        ({"thresholds": [{}, {}, {}]}, "fields"),
        ({"untrained": {"7": "?"}}, "untrained"),
        ({"encoder": {"name": "x", "dim": 9}}, "length 6"),
    ],
)
def test_damaged_parts_are_named(tmp_path, changes, match):
    detector, _ = trained()
    detector.save(tmp_path / "good")
    change(tmp_path / "good", tmp_path / "bad", **changes)
    with pytest.raises(ModelError, match=match):
        Detector.load(tmp_path / "bad")


def test_other_encoder_is_refused_naming_both():
    detector, x = trained()
    detector.check_encoder("f" * 64, "spectral")
    with pytest.raises(UserError, match=r"'spectral'.*'yamnet'"):
        detector.check_encoder("0" * 64, "yamnet")
    with pytest.raises(UserError, match="other parameters"):
        detector.check_encoder("0" * 64, "spectral")
    with pytest.raises(UserError, match="length 6"):
        detector.probabilities(x[:, :4])


def test_embeddings_that_are_not_finite_are_refused():
    detector, x = trained()
    x = x.copy()
    x[4, 2] = np.nan
    with pytest.raises(UserError, match="row 4"):
        detector.probabilities(x)


def test_a_failed_save_keeps_the_old_file(tmp_path, monkeypatch):
    detector, _ = trained()
    path = tmp_path / "d"
    detector.save(path)
    before = path.read_bytes()

    def full(tensors, target, metadata):
        target.write_bytes(b"half of it")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("antiphon.heads.detector.save_file", full)
    with pytest.raises(ModelError, match="No space left"):
        detector.save(path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["d"]


def test_save_into_a_place_that_is_no_folder(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(FileError, match="cannot be written"):
        trained()[0].save(tmp_path / "file" / "d")


def test_parts_that_do_not_fit_are_refused():
    detector, _ = trained()
    with pytest.raises(UserError, match="same labels"):
        Detector(detector.head, detector.calibration, ("a",), detector.thresholds, {}, "0")

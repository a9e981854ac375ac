from __future__ import annotations

import json

import pytest

pytest.importorskip("torch", reason="needs the extra train")
pytest.importorskip("onnx", reason="needs the extra train")

from antiphon.training.checkpoints import save_model
from antiphon.training.export import exporting
from tests.training.export.models import make_model, write_recordings


@pytest.fixture
def model(tmp_path):
    return save_model(make_model("conv"), tmp_path / "model", name="wrens")


@pytest.fixture
def audio(tmp_path):
    return write_recordings(tmp_path / "audio", seconds=8.0)


@pytest.fixture(autouse=True)
def short_timing(monkeypatch):
    whole = exporting.export_model
    monkeypatch.setattr(
        exporting, "export_model", lambda *a, **k: whole(*a, **{**k, "seconds": 0.01})
    )


def test_from_a_model_to_embeddings_of_a_project(antiphon, model, audio, tmp_path):
    out = tmp_path / "out"
    ran = antiphon("export-encoder", model, "--out", out, "--audio", audio, "--windows", 8)
    assert ran.code == 0, ran.err
    assert [row[0] for row in ran.rows("precision")] == ["fp32"]
    assert [row[0] for row in ran.rows("runtime")] == ["torch fp32", "onnx fp32"]
    assert str(out / "wrens.yaml") in ran.out
    project = tmp_path / "project"
    assert antiphon("init", project, "--audio", audio).code == 0
    ran = antiphon("embed", project, "--encoder", out / "wrens.yaml")
    assert ran.code == 0, ran.err
    assert "16" in ran.out


def test_json_and_comparison(antiphon, model, audio, tmp_path):
    ran = antiphon(
        *("export-encoder", model, "--out", tmp_path / "out", "--audio", audio),
        *("--precision", "int8", "--compare", "--windows", 8, "--json"),
    )
    assert ran.code == 0, ran.err
    found = json.loads(ran.out)
    assert found == json.loads((tmp_path / "out" / "export.json").read_text())
    assert set(found["parity"]) == {"fp32", "fp16", "int8"}
    assert found["quantisation"] == "weights"


def test_a_refusal_shows_what_was_measured(antiphon, model, audio, tmp_path):
    ran = antiphon(
        *("export-encoder", model, "--out", tmp_path / "out", "--audio", audio, "--windows", 8),
        *("--precision", "int8", "--allow", "max=1e-9"),
    )
    assert ran.code == 2
    assert "Refused" in ran.err
    assert [row[0] for row in ran.rows("precision")] == ["fp32", "int8"]
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--precision", "fp8"], "precision"),
        (["--quantisation", "static"], "goes with precision int8"),
        (["--allow", "most"], "--allow"),
        (["--name", "a b"], "name"),
        (["--audio", "nowhere"], "no such folder"),
    ],
)
def test_mistakes_are_named(antiphon, model, tmp_path, options, said):
    ran = antiphon("export-encoder", model, "--out", tmp_path / "out", *options)
    assert ran.code == 2
    assert said in ran.err
    assert "Encoder 'export'" not in ran.err
    assert not (tmp_path / "out").exists()


def test_no_model(antiphon, tmp_path):
    ran = antiphon("export-encoder", tmp_path / "none", "--out", tmp_path / "out")
    assert ran.code == 2
    assert "there is no such folder" in ran.err

# ruff: noqa: E402
from __future__ import annotations

import errno
import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import yaml

torch = pytest.importorskip("torch", reason="needs the extra train")
pytest.importorskip("onnx", reason="needs the extra train")

from antiphon.encoders.manifest import load_manifest
from antiphon.encoders.registry import create_encoder
from antiphon.errors import DiskFullError, FileError, ModelError, UserError
from antiphon.training.backbones.config import HeadConfig
from antiphon.training.checkpoints import load_model, save_model
from antiphon.training.export import exporting
from antiphon.training.export.config import Bounds, ExportConfig
from antiphon.training.export.errors import ParityError
from antiphon.training.export.facts import find_model_folder, read_facts
from antiphon.training.export.parity import cosine_distance
from antiphon.training.export.target import staging
from tests.real import real_data, real_model
from tests.training.export.models import (
    CLASSES,
    RATE,
    SAMPLES,
    make_model,
    sounds,
    write_recordings,
)

QUICK = {"windows": 8, "calibration": 4}


@pytest.fixture(autouse=True)
def short_timing(monkeypatch):
    """Time each precision for a moment only."""
    whole = exporting.export_model

    def quick(*arguments, **options):
        return whole(*arguments, **{"seconds": 0.01, **options})

    monkeypatch.setattr(exporting, "export_model", quick)


@pytest.fixture(scope="module")
def audio(tmp_path_factory):
    return write_recordings(tmp_path_factory.mktemp("audio"))


@pytest.fixture(scope="module")
def model_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "wrens"
    save_model(make_model("vit"), folder, name="wrens", licence="CC0-1.0", source="this test")
    return folder


def export(model_folder, out, audio, **options):
    return exporting.export_encoder(
        model_folder, out, ExportConfig(**{**QUICK, **options}), audio=audio
    )


@pytest.mark.parametrize("precision", ["fp32", "fp16", "int8"])
def test_an_export_is_an_encoder_like_any_other(model_folder, tmp_path, audio, precision):
    report = export(model_folder, tmp_path / "out", audio, precision=precision)
    encoder = create_encoder(str(report.manifest))
    model = load_model(model_folder)
    assert encoder.spec.name == "wrens"
    assert encoder.spec.sample_rate == RATE
    assert encoder.spec.window_samples == SAMPLES
    assert encoder.spec.dim == model.dim
    assert encoder.spec.labels == CLASSES
    windows, valid = sounds(6)
    found = encoder.encode(encoder.prepare(windows, valid))
    with torch.no_grad():
        out = model(torch.from_numpy(windows), torch.from_numpy(valid))
    bound = {"fp32": 1e-8, "fp16": 1e-5, "int8": 1e-2}[precision]
    assert cosine_distance(found.embeddings, out.embedding.numpy()).max() < bound
    tolerance = {"fp32": 1e-4, "fp16": 1e-3, "int8": 5e-2}[precision]
    np.testing.assert_allclose(found.scores, torch.sigmoid(out.logits).numpy(), atol=tolerance)


def test_without_scores_only_embeddings_come_out(model_folder, tmp_path, audio):
    whole = create_encoder(str(export(model_folder, tmp_path / "whole", audio).manifest))
    report = export(model_folder, tmp_path / "out", audio, scores=False)
    encoder = create_encoder(str(report.manifest))
    assert encoder.spec.labels == ()
    windows, valid = sounds(3)
    found = encoder.encode(encoder.prepare(windows, valid))
    assert found.scores is None
    np.testing.assert_allclose(
        found.embeddings, whole.encode(whole.prepare(windows, valid)).embeddings, atol=1e-6
    )


def test_a_head_of_shares_gives_shares(tmp_path, audio):
    model = make_model("conv")
    model.head_config = HeadConfig(activation="softmax")
    save_model(model, tmp_path / "model", name="wrens")
    encoder = create_encoder(str(export(tmp_path / "model", tmp_path / "out", audio).manifest))
    windows, valid = sounds(4)
    found = encoder.encode(encoder.prepare(windows, valid)).scores
    with torch.no_grad():
        wanted = model(torch.from_numpy(windows), torch.from_numpy(valid)).logits.softmax(1)
    np.testing.assert_allclose(found, wanted.numpy(), atol=1e-4)


def test_the_result_of_a_window_does_not_depend_on_its_batch(model_folder, tmp_path, audio):
    # Dynamic scales follow what is computed at once; the encoder computes one window at a time.
    report = export(model_folder, tmp_path / "out", audio, precision="int8")
    assert report.quantisation == "dynamic"
    encoder = create_encoder(str(report.manifest))
    windows, valid = sounds(5)
    together = encoder.encode(encoder.prepare(windows, valid)).embeddings
    for row in range(5):
        one = slice(row, row + 1)
        alone = encoder.encode(encoder.prepare(windows[one], valid[one])).embeddings
        np.testing.assert_array_equal(alone[0], together[row])


def test_files_and_their_facts(model_folder, tmp_path, audio):
    out = tmp_path / "new" / "out"
    report = export(model_folder, out, audio, hop_s=0.5, description="Wrens of a test.")
    assert sorted(path.name for path in out.iterdir()) == [
        "README.md",
        "export.json",
        "wrens.onnx",
        "wrens.yaml",
    ]
    assert [path.name for path in out.parent.iterdir()] == ["out"]
    manifest = load_manifest(out / "wrens.yaml")
    assert manifest.sha256 == hashlib.sha256((out / "wrens.onnx").read_bytes()).hexdigest()
    assert manifest.input.model_dump(exclude_defaults=True) == {
        "tensor": "waveform",
        "valid": "valid",
        "layout": "NS",
        "dtype": "float32",
    }
    assert (manifest.licence, manifest.source) == ("CC0-1.0", "this test")
    assert manifest.description == "Wrens of a test."
    assert manifest.labels == CLASSES
    assert (manifest.version, manifest.hop_s) == ("fp32", 0.5)
    kept = json.loads((out / "export.json").read_text())
    assert kept == report.to_json()
    assert kept["files"]["wrens.onnx"]["sha256"] == manifest.sha256
    assert kept["parity"]["fp32"]["windows"] == 8
    assert kept["parity"]["fp32"]["padded"] == 2
    assert kept["parity"]["fp32"]["worst"][0]["window"].startswith("site")
    assert [row["runtime"] for row in kept["speed"]] == ["torch fp32", "onnx fp32"]
    assert all(row["windows_per_s"] > 0 for row in kept["speed"])
    assert str(tmp_path) not in (out / "README.md").read_text() + json.dumps(kept)


def test_the_same_model_gives_the_same_encoder(model_folder, tmp_path, audio):
    for precision in ("fp32", "fp16", "int8"):
        specs = []
        for turn in ("one", "two"):
            out = tmp_path / f"{precision}-{turn}"
            report = export(model_folder, out, audio, precision=precision)
            specs.append(create_encoder(str(report.manifest)).spec)
        assert specs[0].fingerprint == specs[1].fingerprint
    texts = [(tmp_path / f"fp32-{turn}" / "wrens.yaml").read_text() for turn in ("one", "two")]
    assert texts[0] == texts[1]


def test_a_comparison_reports_on_all_precisions_and_keeps_one(model_folder, tmp_path, audio):
    report = export(model_folder, tmp_path / "out", audio, precision="fp16", compare=True)
    assert list(report.parity) == ["fp32", "int8", "fp16"]
    runtimes = [one.runtime for one in report.speed]
    assert runtimes == ["torch fp32", "onnx fp32", "onnx int8, dynamic", "onnx fp16"]
    sizes = {one.runtime: one.size for one in report.speed}
    kept = (tmp_path / "out" / "wrens.onnx").stat().st_size
    assert sizes["onnx fp16"] == kept < sizes["onnx fp32"]
    assert len(list((tmp_path / "out").glob("*.onnx"))) == 1


def test_beyond_the_bounds_nothing_is_kept(model_folder, tmp_path, audio):
    with pytest.raises(ParityError, match="Refused") as caught:
        export(model_folder, tmp_path / "a" / "out", audio, precision="int8", bounds={"max": 1e-12})
    message = str(caught.value)
    assert caught.value.exit_code == 2
    assert "site" in message
    assert "--allow" in message
    assert caught.value.report.parity["int8"].max > 1e-12
    assert list(tmp_path.iterdir()) == []


def test_another_bound_lets_it_pass(model_folder, tmp_path, audio):
    report = export(
        model_folder,
        tmp_path / "out",
        audio,
        precision="int8",
        quantisation="static",
        bounds=Bounds(max=2.0, mean=2.0, score=1.0),
    )
    assert report.quantisation == "static"
    assert report.to_json()["bounds"] == {"max": 2.0, "mean": 2.0, "score": 1.0}


def test_class_scores_beyond_their_bound_are_refused(model_folder, tmp_path, audio):
    bounds = {"max": 2.0, "mean": 2.0, "score": 1e-9}
    with pytest.raises(ParityError, match=r"a class score differs by .*, above 1e-09") as caught:
        export(model_folder, tmp_path / "out", audio, precision="int8", bounds=bounds)
    assert caught.value.report.to_json()["parity"]["int8"]["max_score_difference"] > 1e-9
    assert list(tmp_path.iterdir()) == []


def test_an_export_that_computes_something_else_is_refused(
    model_folder, tmp_path, audio, monkeypatch
):
    whole = exporting.export_graph

    def spoilt(model, source, front_end):
        with torch.no_grad():
            model.backbone.patch_embed.weight[:4] *= -1
        return whole(model, source, front_end)

    monkeypatch.setattr(exporting, "export_graph", spoilt)
    with pytest.raises(ParityError, match="please report it"):
        export(model_folder, tmp_path / "out", audio)
    assert list(tmp_path.iterdir()) == []


def test_an_existing_target_is_replaced_only_if_asked(model_folder, tmp_path, audio):
    out = tmp_path / "out"
    export(model_folder, out, audio, name="first")
    with pytest.raises(FileError, match="holds an export already"):
        export(model_folder, out, audio)
    assert (out / "first.onnx").is_file()
    export(model_folder, out, audio, overwrite=True, precision="fp16")
    assert sorted(path.name for path in out.glob("*.onnx")) == ["wrens.onnx"]
    assert list(tmp_path.iterdir()) == [out]


def test_a_refused_export_leaves_the_earlier_one(model_folder, tmp_path, audio):
    out = tmp_path / "out"
    export(model_folder, out, audio)
    before = (out / "export.json").read_text()
    with pytest.raises(ParityError):
        export(model_folder, out, audio, overwrite=True, precision="int8", bounds={"mean": 1e-12})
    assert (out / "export.json").read_text() == before
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_folder_of_something_else_is_never_replaced(model_folder, tmp_path, audio, overwrite):
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis.txt").write_text("years of work")
    with pytest.raises(FileError, match="holds no export"):
        export(model_folder, out, audio, overwrite=overwrite)
    assert (out / "thesis.txt").read_text() == "years of work"
    file = tmp_path / "file"
    file.write_text("x")
    with pytest.raises(FileError, match="is no folder"):
        export(model_folder, file, audio, overwrite=overwrite)


def test_what_was_put_beside_an_export_is_not_lost(model_folder, tmp_path, audio):
    out = tmp_path / "out"
    export(model_folder, out, audio)
    (out / "notes.txt").write_text("mine")
    with pytest.raises(FileError, match=r"notes\.txt"):
        export(model_folder, out, audio, overwrite=True)
    assert (out / "notes.txt").is_file()
    assert (out / "wrens.onnx").is_file()


def test_an_empty_folder_is_taken(model_folder, tmp_path, audio):
    out = tmp_path / "out"
    out.mkdir()
    export(model_folder, out, audio)
    assert (out / "wrens.yaml").is_file()


@pytest.mark.parametrize("where", ["write_bytes", "write_text"])
def test_a_full_disk_leaves_nothing(model_folder, tmp_path, audio, monkeypatch, where):
    def full(self, *arguments, **options):
        raise OSError(errno.ENOSPC, "No space left on device", str(self))

    monkeypatch.setattr(Path, where, full)
    with pytest.raises(DiskFullError, match="disk is full") as caught:
        export(model_folder, tmp_path / "new" / "out", audio)
    assert caught.value.exit_code == 1
    assert str(tmp_path / "new" / "out") in str(caught.value)
    monkeypatch.undo()
    assert list(tmp_path.iterdir()) == []


def test_a_stop_half_way_leaves_nothing(tmp_path):
    def write_half():
        with staging(tmp_path / "out", False) as folder:
            (folder / "half.onnx").write_bytes(b"half")
            assert list(tmp_path.iterdir()) == [folder]
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_half()
    assert list(tmp_path.iterdir()) == []


def test_missing_and_unfinished_models(tmp_path, audio):
    with pytest.raises(FileError, match="no such folder"):
        export(tmp_path / "nowhere", tmp_path / "out", audio)
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(FileError, match="neither a model nor a training run"):
        export(empty, tmp_path / "out", audio)
    (empty / "config.yaml").write_text("stage: eat\n")
    with pytest.raises(FileError, match="not finished"):
        export(empty, tmp_path / "out", audio)
    (tmp_path / "file").write_text("")
    with pytest.raises(FileError, match="is a file"):
        export(tmp_path / "file", tmp_path / "out", audio)


def test_damaged_weights(model_folder, tmp_path, audio):
    copy = tmp_path / "copy"
    copy.mkdir()
    (copy / "model.yaml").write_bytes((model_folder / "model.yaml").read_bytes())
    (copy / "model.safetensors").write_bytes(b"\0" * 100)
    with pytest.raises(ModelError, match=r"model\.safetensors"):
        export(copy, tmp_path / "out", audio)


def test_a_hop_longer_than_the_window(model_folder, tmp_path, audio):
    with pytest.raises(UserError, match="leaves out audio"):
        export(model_folder, tmp_path / "out", audio, hop_s=1.5)


@pytest.fixture
def run_folder(tmp_path, model_folder):
    """A run as antiphon train-encoder leaves it."""
    run = tmp_path / "runs" / "skye"
    save_model(load_model(model_folder), run / "model")
    config = {
        "stage": "supervised",
        "name": "skye-wrens",
        "seed": 17,
        "init_from": "/home/someone/models/eat",
        "data": {
            "sources": [
                {"kind": "folder", "path": "/home/someone/recordings/skye", "domain": "bio"},
                {"kind": "repertoire", "name": "made", "weight": 2.0},
            ]
        },
        "loop": {"steps": 400},
    }
    (run / "config.yaml").write_text(yaml.safe_dump(config))
    (run / "environment.json").write_text(
        json.dumps({"antiphon": "0.0.9", "packages": {"torch": "2.4.0"}, "begun": "2026-01-02"})
    )
    (run / "validation.json").write_text(
        json.dumps(
            {
                "finished": True,
                "last": {"values": {"r_auc": 0.8125}},
                "data": {"training, skye": "40 clips of 4 recordings"},
            }
        )
    )
    return run


def test_the_card_tells_what_the_run_knows(run_folder, tmp_path, audio):
    report = export(run_folder, tmp_path / "out", audio, licence="CC-BY-4.0")
    assert report.name == "skye-wrens"
    card = (tmp_path / "out" / "README.md").read_text()
    for known in (
        "# skye-wrens",
        "| licence | CC-BY-4.0 |",
        "| source | unknown |",
        "supervised training with labels",
        "skye (folder, domain bio); made (repertoire, weight 2)",
        "| training, skye | 40 clips of 4 recordings |",
        "| started from | eat |",
        "| steps | 400 |",
        "| seed | 17 |",
        "r_auc 0.8125",
        "antiphon 0.0.9, torch 2.4.0",
        "3: wren, no, 1.5",
        "max 1e-05",
        "init_from: eat",
    ):
        assert known in card, known
    assert "/home/someone" not in card
    assert report.to_json()["model"]["seed"] == 17


def test_the_card_says_what_is_not_known(model_folder, tmp_path, audio):
    export(model_folder, tmp_path / "out", audio)
    card = (tmp_path / "out" / "README.md").read_text()
    for row in ("stage", "data", "started from", "steps", "seed", "held-out clips at the end"):
        assert f"| {row} | unknown |" in card


def test_facts_that_cannot_be_read_are_told_of(run_folder, tmp_path, audio):
    (run_folder / "environment.json").write_text("{")
    report = export(run_folder, tmp_path / "out", audio)
    assert any("environment.json" in note for note in report.notes)
    folder = find_model_folder(run_folder / "model")
    assert read_facts(folder, report_settings(folder)).run["seed"] == 17


def test_notes_name_no_place_of_the_machine(run_folder, tmp_path):
    recordings = write_recordings(tmp_path / "recordings")
    (recordings / "broken.wav").write_bytes(b"RIFF")
    (run_folder / "config.yaml").write_text("a: [1")
    report = export(run_folder, tmp_path / "out", recordings)
    assert any("left out: recordings/broken.wav" in note for note in report.notes)
    assert any("config.yaml" in note for note in report.notes)
    for path in (tmp_path / "out").glob("*.[mjy]*"):
        assert str(tmp_path) not in path.read_text(), path.name


def report_settings(folder):
    from antiphon.training.checkpoints.models import read_model_config

    return read_model_config(folder)


def test_without_audio_soundscapes_are_synthesised_and_that_is_said(model_folder, tmp_path):
    report = export(model_folder, tmp_path / "out", None)
    assert "synthesised" in report.audio
    assert "synthesised" in (tmp_path / "out" / "README.md").read_text()


@pytest.mark.slow
@pytest.mark.real
@pytest.mark.parametrize("precision", ["fp32", "fp16", "int8"])
def test_a_trained_network_on_real_recordings(tmp_path, precision):
    """EfficientAT mn04 keeps its default bounds in every precision."""
    from antiphon.training.checkpoints.external import load_external

    model = load_external("efficientat", real_model("efficientat_mn04_as.pt"), quiet=True)
    save_model(model, tmp_path / "mn04", name="mn04")
    report = export(
        tmp_path / "mn04",
        tmp_path / "out",
        real_data("esc10") / "audio",
        precision=precision,
        windows=16,
    )
    assert report.parity[precision].windows == 16
    assert create_encoder(str(report.manifest)).spec.dim == model.dim

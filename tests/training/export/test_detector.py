# ruff: noqa: E402
"""A detector's export: features go in, scores of clip and frames come out."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra train")
onnx = pytest.importorskip("onnx", reason="needs the extra train")

from antiphon.encoders.front_end import NetworkFrontEnd
from antiphon.encoders.manifest import LogMelFrontEnd, load_manifest
from antiphon.encoders.registry import create_encoder
from antiphon.errors import UserError
from antiphon.training.backbones.config import ConvConfig, SedHeadConfig, TimmConfig, ViTConfig
from antiphon.training.checkpoints import save_model
from antiphon.training.export import exporting
from antiphon.training.export.config import ExportConfig
from antiphon.training.export.errors import ParityError
from antiphon.training.export.graph import open_session
from antiphon.training.export.report import PARITY_COLUMNS, parity_rows
from antiphon.training.front_end.config import EmphasisedLogMelFrontEnd
from antiphon.training.model import EncoderModel
from tests.training.export.models import CLASSES, RATE, SAMPLES, WINDOW_S, sounds

LOG_MEL = LogMelFrontEnd(
    kind="log_mel", n_fft=512, hop=160, n_mels=32, fmin=20, fmax=4000, scale="htk", log="db",
    top_db=80, normalise="mean_std",
)  # fmt: skip
BACKBONES = {
    "conv": ConvConfig(width=8, depths=(1, 1, 1), dim=32, frequency="keep"),
    "vit": ViTConfig(dim=32, depth=2, heads=2),
    "timm": TimmConfig(name="mobilenetv3_small_050"),
}
QUICK = {"windows": 8, "calibration": 4}


@pytest.fixture(autouse=True)
def short_timing(monkeypatch):
    whole = exporting.export_model

    def quick(*arguments, **options):
        return whole(*arguments, **{"seconds": 0.01, **options})

    monkeypatch.setattr(exporting, "export_model", quick)


def make(kind, front_end=LOG_MEL, seed=3):
    """A detector with scores that differ, as after some training."""
    if kind == "timm":
        pytest.importorskip("timm", reason="needs the extra train")
    torch.manual_seed(seed)
    sed = SedHeadConfig(kind="sed", pool="mean" if kind == "vit" else "gem")
    model = EncoderModel(front_end, RATE, WINDOW_S, BACKBONES[kind], CLASSES, sed)
    model.train()
    audio, valid = sounds(12)
    with torch.no_grad():
        for _ in range(20):
            model(torch.from_numpy(audio), torch.from_numpy(valid))
        model.head.scores.weight.mul_(8)
        model.head.scores.bias.zero_()
    return model.eval()


def export(tmp_path, kind, **options):
    model = make(kind)
    save_model(model, tmp_path / kind, name=kind)
    config = ExportConfig(**{**QUICK, **options})
    return model, exporting.export_encoder(tmp_path / kind, tmp_path / "out", config)


@pytest.mark.parametrize("kind", BACKBONES)
def test_features_go_in_and_what_the_network_says_comes_out(tmp_path, kind):
    model, report = export(tmp_path, kind)
    manifest = load_manifest(report.manifest)
    assert manifest.front_end == LOG_MEL
    assert manifest.input.layout == "NTF"
    assert manifest.frames.model_dump() == {
        "tensor": "frames", "activation": "none", "layout": "NTC",
    }  # fmt: skip
    assert manifest.labels == CLASSES
    audio, valid = sounds(6)
    prepared = NetworkFrontEnd(manifest)(audio, valid)
    session = open_session((tmp_path / "out" / f"{kind}.onnx").read_bytes())
    given = {"features": prepared.tensor, "valid": valid}
    scores, frames = session.run(["scores", "frames"], given)
    with torch.no_grad():
        out = model(torch.from_numpy(audio), torch.from_numpy(valid))
    np.testing.assert_allclose(scores, out.logits.sigmoid().numpy(), atol=1e-4)
    wanted = out.sed.frame_probabilities().numpy()
    np.testing.assert_allclose(frames, wanted, atol=1e-4)
    assert np.ptp(scores) > 0.05
    # The scores are half of the clip's and half of the loudest frame's.
    half = 0.5 * out.sed.clip.sigmoid().numpy() + 0.5 * frames.max(1)
    np.testing.assert_allclose(scores, half, atol=1e-4)
    short = int(np.argmin(valid))
    assert (frames[short, int(np.ceil(valid[short] / SAMPLES * frames.shape[1])) + 1 :] == 0).all()
    together = session.run(["scores"], given)[0]
    for row in range(6):
        one = {name: value[row : row + 1] for name, value in given.items()}
        np.testing.assert_allclose(session.run(["scores"], one)[0][0], together[row], atol=1e-5)


def test_the_gate_judges_scores_and_frames(tmp_path):
    _, report = export(tmp_path, "conv", compare=True)
    found = report.parity["fp32"]
    assert found.max_frame is not None
    assert found.max_score < 1e-4
    assert found.max_frame < 1e-4
    assert report.bounds.score == 1e-4
    row = dict(zip(PARITY_COLUMNS, parity_rows(report)[-1], strict=True))
    assert row["frames"] != "-"
    assert set(report.parity) == {"fp32", "fp16", "int8"}
    worse = dataclasses.replace(found, max_frame=0.5)
    assert worse.exceeded(report.bounds) == ["a score of a frame differs by 0.5, above 0.0001"]


def test_an_export_that_differs_is_refused(tmp_path, monkeypatch):
    whole = exporting.export_graph

    def spoilt(*arguments):
        graph = whole(*arguments)
        bias = next(i for i in graph.graph.initializer if i.name == "model.head.attention.bias")
        bias.CopyFrom(onnx.numpy_helper.from_array(np.full(3, 0.9, np.float32), bias.name))
        return graph

    monkeypatch.setattr(exporting, "export_graph", spoilt)
    with pytest.raises(ParityError, match="score differs by"):
        export(tmp_path, "conv")
    assert not (tmp_path / "out").exists()


def test_batch_normalisation_is_exported_for_use(tmp_path):
    export(tmp_path, "conv")
    graph = onnx.load(tmp_path / "out" / "conv.onnx")
    for node in graph.graph.node:
        if node.op_type == "BatchNormalization":
            modes = [a.i for a in node.attribute if a.name == "training_mode"]
            assert modes in ([], [0])
    assert not {n.op_type for n in graph.graph.node} & {"DFT", "STFT", "Dropout"}


def test_static_quantisation_is_calibrated_by_features(tmp_path):
    _, report = export(
        tmp_path, "conv", precision="int8", quantisation="static",
        bounds={"max": 2, "mean": 2, "score": 1},
    )  # fmt: skip
    assert report.quantisation == "static"
    assert report.parity["int8"].max_score < 0.5


def test_it_embeds_like_any_encoder(tmp_path):
    model, report = export(tmp_path, "conv")
    encoder = create_encoder(str(report.manifest))
    audio, valid = sounds(4)
    found = encoder.encode(encoder.prepare(audio, valid))
    with torch.no_grad():
        out = model(torch.from_numpy(audio), torch.from_numpy(valid))
    np.testing.assert_allclose(found.embeddings, out.embedding.numpy(), atol=1e-3)
    np.testing.assert_allclose(found.scores, out.logits.sigmoid().numpy(), atol=1e-4)


def test_the_front_end_may_be_inside_as_well(tmp_path):
    _, report = export(tmp_path, "conv", front_end="inside")
    manifest = load_manifest(report.manifest)
    assert manifest.front_end.kind == "waveform"
    assert manifest.frames is not None
    assert report.parity["fp32"].max_frame < 1e-4
    card = (tmp_path / "out" / "README.md").read_text()
    assert "inside the file" in card


def test_a_front_end_that_manifests_do_not_have_stays_inside(tmp_path):
    own = EmphasisedLogMelFrontEnd(kind="emphasised_log_mel", n_fft=512, hop=160, n_mels=32)
    save_model(make("conv", own), tmp_path / "model", name="own")
    config = ExportConfig(**QUICK)
    report = exporting.export_encoder(tmp_path / "model", tmp_path / "out", config)
    assert load_manifest(report.manifest).front_end.kind == "waveform"
    assert any("emphasised_log_mel is inside" in note for note in report.notes)
    config = ExportConfig(**QUICK, front_end="outside")
    with pytest.raises(UserError, match="cannot be outside"):
        exporting.export_encoder(tmp_path / "model", tmp_path / "other", config)

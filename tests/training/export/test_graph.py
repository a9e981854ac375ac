# ruff: noqa: E402
from __future__ import annotations

import copy

import numpy as np
import pydantic
import pytest

torch = pytest.importorskip("torch", reason="needs the extra train")
onnx = pytest.importorskip("onnx", reason="needs the extra train")

from antiphon.encoders.manifest import KaldiFrontEnd, WaveformFrontEnd
from antiphon.errors import ModelError
from antiphon.training.backbones.config import (
    BEATsNetworkConfig,
    ConvConfig,
    EfficientATConfig,
    HubertConfig,
    TimmConfig,
    ViTConfig,
)
from antiphon.training.backbones.output import BackboneOutput
from antiphon.training.export.graph import export_graph, graph_bytes, open_session
from antiphon.training.export.parity import cosine_distance
from antiphon.training.front_end.config import TrainingFrontEnd
from antiphon.training.front_end.features import FeatureFrontEnd
from antiphon.training.model import EncoderModel
from tests.training.export.models import BACKBONES, CLASSES, RATE, SAMPLES, make_model, sounds


def exportable(model: EncoderModel) -> EncoderModel:
    twin = copy.deepcopy(model)
    twin.front_end = FeatureFrontEnd(model.front_end_config, model.sample_rate, transform="matmul")
    return twin.eval()


def run(graph, audio, valid):
    return open_session(graph_bytes(graph)).run(None, {"waveform": audio, "valid": valid})


@pytest.fixture(
    scope="module", params=["vit", "conv", pytest.param("timm", marks=pytest.mark.slow)]
)
def exported(request):
    if request.param == "timm":
        pytest.importorskip("timm", reason="needs the extra train")
    model = make_model(request.param)
    return model, export_graph(exportable(model), "model")


def test_the_graph_gives_what_the_model_gives(exported):
    model, graph = exported
    audio, valid = sounds(9)
    with torch.no_grad():
        out = model(torch.from_numpy(audio), torch.from_numpy(valid))
    embedding, scores = run(graph, audio, valid)
    assert (valid < SAMPLES).any()
    # Sounds differ far more than the two ways to compute one.
    assert cosine_distance(embedding[:-1], embedding[1:]).max() > 1e-4
    assert cosine_distance(out.embedding.numpy(), embedding).max() < 1e-8
    np.testing.assert_allclose(scores, torch.sigmoid(out.logits).numpy(), atol=1e-4)


def test_a_batch_of_mixed_lengths_equals_its_windows_one_by_one(exported):
    _, graph = exported
    audio, valid = sounds(7)
    together = run(graph, audio, valid)
    for row in range(7):
        alone = run(graph, audio[row : row + 1], valid[row : row + 1])
        for one, many in zip(alone, together, strict=True):
            np.testing.assert_allclose(one[0], many[row], rtol=1e-3, atol=1e-4)


def test_a_padded_window_gives_what_the_model_gives_for_the_bare_one(exported):
    model, graph = exported
    audio, _ = sounds(1)
    held = SAMPLES * 6 // 10
    padded = audio.copy()
    padded[:, held:] = 0
    with torch.no_grad():
        bare = model(torch.from_numpy(audio[:, :held])).embedding.numpy()
        torch_padded = model(torch.from_numpy(padded), torch.tensor([held])).embedding.numpy()
    embedding, _ = run(graph, padded, np.array([held]))
    # As near to the bare clip as the model's own, and unlike the window without the mask.
    assert cosine_distance(embedding, bare)[0] == pytest.approx(
        cosine_distance(torch_padded, bare)[0], abs=1e-7
    )
    assert cosine_distance(embedding, bare)[0] < 0.01
    unmasked, _ = run(graph, padded, np.array([SAMPLES]))
    assert cosine_distance(unmasked, bare)[0] > 10 * cosine_distance(embedding, bare)[0]


def test_what_is_beyond_the_valid_samples_changes_nothing(exported):
    # But for the last frame, which reaches a little beyond: noise starts after it.
    _, graph = exported
    audio, _ = sounds(1)
    held = SAMPLES // 2
    quiet, loud = audio.copy(), audio.copy()
    quiet[:, held:] = 0
    loud[:, held:] = 0
    loud[:, held + 400 :] = 0.5 * np.random.default_rng(0).standard_normal(SAMPLES - held - 400)
    one, _ = run(graph, quiet, np.array([held]))
    other, _ = run(graph, loud, np.array([held]))
    np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("valid", [0, 1, SAMPLES])
def test_silence_and_next_to_nothing_give_numbers(exported, valid):
    model, graph = exported
    audio = np.zeros((1, SAMPLES), np.float32)
    embedding, scores = run(graph, audio, np.array([valid]))
    with torch.no_grad():
        expected = model(torch.from_numpy(audio), torch.tensor([valid])).embedding.numpy()
    assert np.isfinite(embedding).all()
    assert np.isfinite(scores).all()
    assert cosine_distance(embedding, expected)[0] < 1e-6


def test_inputs_and_outputs(exported):
    model, graph = exported
    inner = graph.graph

    def shape(value):
        return [d.dim_param or d.dim_value for d in value.type.tensor_type.shape.dim]

    assert [(v.name, shape(v)) for v in inner.input] == [
        ("waveform", ["batch", SAMPLES]),
        ("valid", ["batch"]),
    ]
    assert [(v.name, shape(v)) for v in inner.output] == [
        ("embedding", ["batch", model.dim]),
        ("scores", ["batch", len(CLASSES)]),
    ]
    assert inner.input[0].type.tensor_type.elem_type == onnx.TensorProto.FLOAT
    assert inner.input[1].type.tensor_type.elem_type == onnx.TensorProto.INT64
    assert {entry.domain for entry in graph.opset_import} == {""}
    onnx.checker.check_model(graph, full_check=True)


def test_a_model_without_head_has_no_scores():
    graph = export_graph(exportable(make_model("conv", classes=())), "model")
    assert [value.name for value in graph.graph.output] == ["embedding"]


def agrees(model):
    audio, valid = sounds(5)
    valid[-1] = 1
    audio[-1, 1:] = 0
    embedding = run(export_graph(exportable(model), "model"), audio, valid)[0]
    with torch.no_grad():
        expected = model(torch.from_numpy(audio), torch.from_numpy(valid)).embedding.numpy()
    assert cosine_distance(expected, embedding).max() < 1e-8


@pytest.mark.parametrize(
    "settings",
    [
        {"kind": "stft_magnitude", "normalise": "min_max"},
        {"kind": "mel", "n_mels": 24, "pad": "zero", "power": 1},
        {"kind": "log_mel", "n_mels": 24, "log": "db", "top_db": 80.0},
        {"kind": "pcen", "n_mels": 24, "pad": "none"},
        {"kind": "emphasised_log_mel", "n_mels": 24},
        {"kind": "kaldi_fbank", "n_mels": 24, "snip_edges": False, "window": "hamming"},
    ],
    ids=lambda settings: settings["kind"],
)
def test_every_front_end_is_inside(settings):
    if settings["kind"] != "kaldi_fbank":
        settings = {"n_fft": 256, "hop": 100, **settings}
    front_end = pydantic.TypeAdapter(TrainingFrontEnd).validate_python(settings)
    torch.manual_seed(0)
    agrees(EncoderModel(front_end, RATE, 1.0, BACKBONES["conv"]).eval())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("backbone", "needed"),
    [
        (BEATsNetworkConfig(), "torch"),
        (HubertConfig(), "transformers"),
        (EfficientATConfig(), "torch"),
        (ViTConfig(dim=32, depth=2, heads=2, norm="post"), "torch"),
        (ConvConfig(width=8, frequency="project"), "torch"),
        (TimmConfig(name="convnextv2_atto"), "timm"),
        (TimmConfig(name="efficientnet_b0"), "timm"),
    ],
    ids=lambda value: getattr(value, "name", getattr(value, "kind", None)),
)
def test_every_backbone_can_be_exported(backbone, needed):
    pytest.importorskip(needed, reason="needs the extra train")
    torch.manual_seed(0)
    waveform = WaveformFrontEnd(kind="waveform", remove_mean=True)
    front_end = waveform if backbone.kind == "hubert" else KaldiFrontEnd(kind="kaldi_fbank")
    agrees(EncoderModel(front_end, RATE, 1.0, backbone).eval())


@pytest.mark.parametrize("pooling", ["cls", "attention"])
def test_other_poolings(pooling):
    agrees(make_model("vit", classes=(), pooling=pooling))


def test_the_same_model_gives_the_same_bytes(exported):
    model, graph = exported
    again = graph_bytes(export_graph(exportable(model), "model"))
    assert again == graph_bytes(graph)
    assert b"pytorch" not in again
    assert b"/work" not in again
    assert b".py" not in again


class Odd(torch.nn.Module):
    """A backbone with a step of another kind."""

    dim = 4

    def __init__(self, step):
        super().__init__()
        self.step = step
        self.weight = torch.nn.Parameter(torch.ones(4))

    def forward(self, features, mask):
        pooled = self.step(features).mean((1, 2)).unsqueeze(1) * self.weight
        return BackboneOutput(pooled.unsqueeze(1), mask[:, :1])


@pytest.mark.parametrize(
    ("step", "problem"),
    [
        # No counterpart in ONNX.
        (lambda x: torch.special.bessel_j0(x), "cannot be exported"),
        # The batch it was traced with becomes a constant.
        (lambda x: x + torch.zeros(len(x), 1, 1), "cannot be exported"),
        # Windows of a batch influence each other.
        (lambda x: x - x.mean(0, keepdim=True) + 0.1 * x, "other values in a batch"),
    ],
)
def test_a_backbone_that_cannot_be_exported_is_refused(step, problem):
    model = exportable(make_model("vit", classes=()))
    model.backbone = Odd(step)
    model.pooling.kind = "mean"
    with pytest.raises(ModelError, match=problem) as caught:
        export_graph(model, "some/model")
    assert "vit" in str(caught.value)
    assert str(caught.value).startswith("some/model")

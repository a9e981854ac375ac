# ruff: noqa: E402
import pytest

torch = pytest.importorskip("torch", reason="needs the extra train")

pytest.importorskip("peft", reason="needs the extra train")

from antiphon.errors import UserError
from antiphon.training.backbones.config import BEATsNetworkConfig, EfficientATConfig
from antiphon.training.supervised.config import FinetuneConfig, LoraSettings
from antiphon.training.supervised.finetuning import FinetuneTask
from antiphon.training.supervised.lora import (
    adapted_layers,
    add_adapters,
    merge_adapters,
)
from tests.training.supervised.tiny import CONV, calls, moved, state, tiny_model, train

NAMES = ("a", "b", "c")
SMALL = LoraSettings(rank=4, alpha=8.0, dropout=0.1)


@pytest.fixture(scope="module")
def data() -> dict:
    return calls(3, 8, seed=1)


def finetune(config: FinetuneConfig, **other: object) -> FinetuneTask:
    return FinetuneTask(tiny_model(), NAMES, config, seed=3, **other)


def test_which_layers() -> None:
    backbone = tiny_model().backbone
    attention = [f"layers.{n}.attn.{part}" for n in (0, 1) for part in ("qkv", "proj")]
    assert adapted_layers(backbone) == attention
    assert adapted_layers(backbone, r"layers\.1\.mlp\..*") == [
        "layers.1.mlp.fc1",
        "layers.1.mlp.fc2",
    ]
    with pytest.raises(UserError, match="no linear layer named like"):
        adapted_layers(backbone, "head")
    with pytest.raises(UserError, match="no regular expression"):
        adapted_layers(backbone, "(")
    with pytest.raises(UserError, match="full or probe"):
        adapted_layers(tiny_model(backbone=CONV).backbone)


def test_the_gate_of_positions_in_beats_is_left_out() -> None:
    settings = BEATsNetworkConfig(
        patch_dim=16, dim=32, depth=2, heads=2, hidden=48, position_kernel=8, position_groups=4
    )
    backbone = tiny_model(backbone=settings).backbone
    parts = ("k_proj", "out_proj", "q_proj", "v_proj")
    expected = [f"layers.{n}.self_attn.{part}" for n in (0, 1) for part in parts]
    assert sorted(adapted_layers(backbone)) == expected
    assert adapted_layers(backbone, r".*grep_linear") == [
        f"layers.{n}.self_attn.grep_linear" for n in (0, 1)
    ]


def test_fresh_adapters_change_nothing_and_count_as_they_should() -> None:
    model = tiny_model().eval()
    audio = 0.1 * torch.randn(2, 4000, generator=torch.Generator().manual_seed(0))
    before = model.embed(audio)
    add_adapters(model.backbone, SMALL, seed=1)
    assert torch.equal(model.embed(audio), before)
    # Rank 4: 4 * (32 + 96) for qkv and 4 * (32 + 32) for the output, in two blocks.
    trained = sum(p.numel() for p in model.backbone.parameters() if p.requires_grad)
    assert trained == 2 * 4 * (128 + 64)


def test_adapters_follow_from_the_seed() -> None:
    made = []
    for seed in (1, 1, 2):
        model = tiny_model()
        add_adapters(model.backbone, SMALL, seed=seed)
        made.append(state(model))
    assert not moved(made[0], made[1])
    assert moved(made[0], made[2])


def test_merge_by_hand_and_in_the_output(data: dict) -> None:
    task = finetune(FinetuneConfig(lora=SMALL))
    train(task, data, 8, lr=1e-2)
    task.eval()
    layer = task.model.backbone.layers[0].attn.qkv
    a, b = (getattr(layer, f"lora_{x}")["default"].weight.detach() for x in "AB")
    expected = layer.base_layer.weight.detach() + (8.0 / 4) * b @ a
    assert b.abs().max() > 1e-3
    merged = task.encoder()
    torch.testing.assert_close(merged.backbone.layers[0].attn.qkv.weight.detach(), expected)
    with torch.no_grad():
        ours = task.model(data["waveform"], data["valid"])
        theirs = merged(data["waveform"], data["valid"])
    assert (ours.embedding - theirs.embedding).abs().max() < 1e-5
    assert (ours.logits - theirs.logits).abs().max() < 1e-5
    plain = tiny_model()
    assert set(merged.backbone.state_dict()) == set(plain.backbone.state_dict())
    assert type(merged.backbone.layers[0].attn.qkv) is torch.nn.Linear
    assert all(p.requires_grad for p in merged.parameters())


def test_making_the_encoder_leaves_training_alone(data: dict) -> None:
    straight, watched = (finetune(FinetuneConfig(lora=SMALL)) for _ in range(2))
    train(straight, data, 6)
    optimiser = train(watched, data, 6, until=3)
    watched.encoder()
    assert watched.training
    train(watched, data, 6, first=3, optimiser=optimiser)
    assert not moved(state(straight), state(watched))


def test_only_adapters_and_head_move(data: dict) -> None:
    task = finetune(FinetuneConfig(lora=SMALL))
    before = state(task.model)
    train(task, data, 3, weight_decay=0.5)
    changed = moved(before, state(task.model))
    adapters = {name for name in before if ".lora_" in name}
    assert changed == adapters | {"head.1.weight", "head.1.bias"}
    assert "LoRA of rank 4" in task.describe()
    trained = sum(p.numel() for p in task.parameters() if p.requires_grad)
    assert task.describe().split()[1] == f"{trained:,}"


def test_probe_moves_the_head_alone(data: dict) -> None:
    task = finetune(FinetuneConfig(method="probe"))
    before = state(task.model)
    train(task, data, 3, weight_decay=0.5)
    assert moved(before, state(task.model)) == {"head.1.weight", "head.1.bias"}
    assert not task.model.backbone.training
    assert task.encoder() is task.model


def test_probe_keeps_batch_statistics(data: dict) -> None:
    task = FinetuneTask(tiny_model(backbone=CONV), NAMES, FinetuneConfig(method="probe"))
    before = state(task.model)
    train(task, data, 2)
    assert moved(before, state(task.model)) == {"head.1.weight", "head.1.bias"}


def test_adapters_keep_batch_statistics(data: dict) -> None:
    """Convolutional networks have linear layers as well, in squeeze-and-excitation."""
    model = tiny_model(backbone=EfficientATConfig(width=0.1))
    settings = LoraSettings(rank=2, targets=r".*\.fc1")
    task = FinetuneTask(model, NAMES, FinetuneConfig(lora=settings))
    before = state(task.model)
    train(task, data, 2)
    changed = moved(before, state(task.model))
    adapters = {name for name in before if ".lora_" in name}
    assert changed == adapters | {"head.1.weight", "head.1.bias"}


def test_full_moves_everything(data: dict) -> None:
    task = finetune(FinetuneConfig(method="full", layer_decay=0.8))
    before = state(task.model)
    train(task, data, 2)
    assert moved(before, state(task.model)) == set(before)


def test_merge_refuses_what_is_not_finite() -> None:
    model = tiny_model()
    add_adapters(model.backbone, SMALL)
    with torch.no_grad():
        model.backbone.layers[0].attn.qkv.lora_B["default"].weight.fill_(float("inf"))
    with pytest.raises(UserError, match=r"layers\.0\.attn\.qkv cannot be merged"):
        merge_adapters(model.backbone)

# ruff: noqa: E402
import pytest

torch = pytest.importorskip("torch", reason="needs the extra train")

from pathlib import Path

from antiphon.errors import UserError
from antiphon.training.supervised.config import SupervisedConfig
from antiphon.training.supervised.freezing import FreezePlan
from antiphon.training.supervised.loss_config import SoftmaxConfig
from antiphon.training.supervised.post_training import SupervisedTask
from tests.training.supervised.tiny import (
    CONV,
    VIT,
    batch_at,
    calls,
    moved,
    state,
    tiny_model,
    train,
)

NAMES = ("a", "b", "c")


@pytest.fixture(scope="module")
def data() -> dict:
    return calls(3, 8, seed=1)


def test_plan_by_hand() -> None:
    plan = FreezePlan(share=0.2, rate=0.5, warmup=4)
    assert [plan.is_frozen(step, 10) for step in (0, 1, 2, 9)] == [True, True, False, False]
    assert [plan.rate_factor(step, 10) for step in range(7)] == pytest.approx(
        [1.0, 1.0, 0.125, 0.25, 0.375, 0.5, 0.5]
    )
    assert FreezePlan(steps=3, share=0.9).frozen_steps(10) == 3
    assert FreezePlan(steps=30).frozen_steps(10) == 10
    assert FreezePlan(rate=0.5).rate_factor(5, 10) == 1.0
    # Published: 2 of 10 epochs, where the settings give neither share nor steps.
    assert FreezePlan.of(SupervisedConfig()).frozen_steps(10) == 2
    assert FreezePlan.of(SupervisedConfig(frozen_share=0.0)).frozen_steps(10) == 0
    assert FreezePlan.of(SupervisedConfig(frozen_steps=5)).frozen_steps(10) == 5


@pytest.mark.parametrize("backbone", [VIT, CONV], ids=["vit", "conv"])
def test_frozen_backbone_stays_bit_for_bit(data: dict, backbone: object) -> None:
    task = SupervisedTask(
        tiny_model(backbone=backbone), NAMES, SupervisedConfig(frozen_steps=3), seed=1
    )
    task.train()
    before = state(task.model)
    # A strong decay would show in any weight that the optimiser touches.
    optimiser = train(task, data, 6, until=3, weight_decay=0.5)
    changed = moved(before, state(task.model))
    assert changed == {"head.1.weight", "head.1.bias"}
    held = {id(p) for group in optimiser.param_groups for p in group["params"]}
    assert held == {id(p) for p in task.model.parameters()}
    assert all(p.requires_grad for p in task.model.parameters())
    assert set(map(id, optimiser.state)) == {id(p) for p in task.model.head.parameters()}

    frozen = state(task.model)
    train(task, data, 6, first=3, weight_decay=0.5, optimiser=optimiser)
    changed = moved(frozen, state(task.model))
    weights = {name for name, _ in task.model.named_parameters()}
    assert weights <= changed
    assert task.model.backbone.training


def test_frozen_backbone_is_in_evaluation_mode_after_validation_too(data: dict) -> None:
    task = SupervisedTask(tiny_model(), NAMES, SupervisedConfig(frozen_steps=2))
    task.train()
    task.before_step(0, 10)
    task.validation_loss(data)
    assert task.training
    assert task.model.head.training
    assert not task.model.backbone.training
    task.eval()
    task.train()
    assert not task.model.backbone.training
    task.before_step(2, 10)
    assert task.model.backbone.training


def test_resume_in_the_frozen_phase_equals_uninterrupted(data: dict) -> None:
    def make() -> SupervisedTask:
        config = SupervisedConfig(frozen_steps=4, layer_decay=0.7)
        return SupervisedTask(tiny_model(), NAMES, config, seed=2)

    straight = make()
    train(straight, data, 8)
    first = make()
    optimiser = train(first, data, 8, until=3)
    second = make()
    second.load_state_dict(first.state_dict())
    resumed = torch.optim.AdamW(second.parameter_groups(1e-3, 0.01), lr=1e-3)
    resumed.load_state_dict(optimiser.state_dict())
    train(second, data, 8, first=3, optimiser=resumed)
    assert not moved(state(straight), state(second))


def test_second_rate_after_unfreezing() -> None:
    task = SupervisedTask(
        tiny_model(),
        NAMES,
        SupervisedConfig(frozen_steps=4, unfrozen_rate=0.2, unfrozen_warmup_steps=2),
    )
    assert [task.rate_factor(s, 10) for s in (0, 3, 4, 5, 9)] == pytest.approx(
        [1.0, 1.0, 0.1, 0.2, 0.2]
    )
    assert task.unused_parameters
    assert not SupervisedTask(
        tiny_model(), NAMES, SupervisedConfig(frozen_share=0.0)
    ).unused_parameters


def test_features_are_augmented_in_training_only(data: dict) -> None:
    seen = []

    def silence(
        features: torch.Tensor, mask: torch.Tensor, generator: torch.Generator
    ) -> torch.Tensor:
        seen.append((features.shape, mask.dtype, torch.rand(1, generator=generator).item()))
        return torch.zeros_like(features)

    task = SupervisedTask(tiny_model(), NAMES, SupervisedConfig(frozen_share=0.0), augment=silence)
    some = batch_at(data, 0, 4)
    task.eval()
    plain = task.validation_loss(some)["loss"]
    generator = torch.Generator().manual_seed(3)
    augmented = task.training_loss(some, 0, generator)["loss"]
    drawn = torch.rand(1, generator=torch.Generator().manual_seed(3)).item()
    frames, bands = seen[0][0][1:]
    assert (seen[0][0][0], bands, seen[0][1], seen[0][2]) == (4, 32, torch.bool, drawn)
    assert frames > 40
    assert len(seen) == 1
    assert augmented.item() != plain.item()


def test_validation_measures_are_of_the_whole_pass(data: dict) -> None:
    from sklearn.metrics import average_precision_score

    task = SupervisedTask(tiny_model(), (*NAMES, "never"), SupervisedConfig())
    labels = torch.nn.functional.pad(data["labels"], (0, 1))
    known = torch.ones_like(labels)
    known[::5, 0] = 0.0
    whole = data | {"labels": labels, "known": known}
    task.train()
    for start in range(0, 24, 7):
        part = {name: value[start : start + 7] for name, value in whole.items()}
        task.validation_loss(part)
    found = task.validation_metrics()
    model = task.model.eval()
    with torch.no_grad():
        scores = model(data["waveform"], data["valid"]).logits.numpy()
    expected = []
    for column in range(3):
        rows = known[:, column].bool().numpy()
        expected.append(average_precision_score(labels.numpy()[rows, column], scores[rows, column]))
    assert found["map"] == pytest.approx(sum(expected) / 3, abs=1e-6)
    assert found["map_classes"] == 3
    assert task.validation_metrics() == {}


def test_description_counts_parameters() -> None:
    model = tiny_model()
    task = SupervisedTask(model, NAMES, SupervisedConfig(frozen_steps=1000))
    lines = task.describe().splitlines()
    head = 32 * 3 + 3
    assert lines[0].split() == ["all", *_count(model), "parameters", "trained"]
    assert ["head", f"{head}", "of", f"{head}", "parameters", "trained"] in [
        line.split() for line in lines
    ]
    assert "frozen for 1,000 steps" in lines[-1]


def _count(module: torch.nn.Module) -> list[str]:
    total = f"{sum(p.numel() for p in module.parameters()):,}"
    return [total, "of", total]


def test_faults_name_the_cause(data: dict) -> None:
    task = SupervisedTask(tiny_model(), NAMES, SupervisedConfig())
    unlabelled = {name: value for name, value in data.items() if name != "labels"}
    with pytest.raises(UserError, match="learns from labels"):
        task.validation_loss(unlabelled)
    with pytest.raises(UserError, match="3 classes"):
        task.validation_loss(data | {"labels": data["labels"][:, :2]})


@pytest.mark.parametrize("frozen", [0, 5])
def test_mixed_precision_is_near_full(data: dict, frozen: int) -> None:
    task = SupervisedTask(tiny_model(), NAMES, SupervisedConfig(frozen_steps=frozen))
    task.train()
    task.before_step(0, 10)
    full = task.training_loss(data, 0, torch.Generator())["loss"]
    with torch.autocast("cpu", torch.bfloat16):
        mixed = task.training_loss(data, 0, torch.Generator())["loss"]
    assert mixed.dtype == torch.float32
    assert mixed.item() == pytest.approx(full.item(), rel=0.02)
    mixed.backward()
    with_gradient = [name for name, p in task.model.named_parameters() if p.grad is not None]
    assert all(torch.isfinite(p.grad).all() for p in task.parameters() if p.grad is not None)
    assert with_gradient[-1] == "head.1.bias"
    assert (len(with_gradient) == 2) == (frozen > 0)


@pytest.mark.slow
def test_two_processes_agree_through_the_unfreezing(tmp_path: Path) -> None:
    ports = tmp_path / "meet"
    torch.multiprocessing.spawn(_rank, args=(2, str(ports), str(tmp_path)), nprocs=2)
    one, two = (torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in range(2))
    assert not moved(one["after"], two["after"])
    assert moved(one["before"], one["frozen"]) == {"head.1.weight", "head.1.bias"}
    assert "backbone.layers.0.attn.qkv.weight" in moved(one["frozen"], one["after"])


def _rank(rank: int, processes: int, meet: str, out: str) -> None:
    """Four steps of DDP on other data in each process, the first two with a frozen backbone."""
    torch.set_num_threads(1)
    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{meet}", rank=rank, world_size=processes
    )
    task = SupervisedTask(tiny_model(), NAMES, SupervisedConfig(frozen_steps=2), seed=1)

    class Step(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.task = task

        def forward(self, batch: dict, step: int) -> torch.Tensor:
            return self.task.training_loss(batch, step, torch.Generator())["loss"]

    shared = torch.nn.parallel.DistributedDataParallel(
        Step(), find_unused_parameters=task.unused_parameters
    )
    optimiser = torch.optim.AdamW(task.parameter_groups(1e-2, 0.5), lr=1e-2)
    data = calls(3, 4, seed=rank)
    kept = {"before": state(task.model)}
    task.train()
    for step in range(4):
        task.before_step(step, 4)
        optimiser.zero_grad()
        shared(batch_at(data, step, 6), step).backward()
        optimiser.step()
        if step == 1:
            kept["frozen"] = state(task.model)
    torch.save(kept | {"after": state(task.model)}, f"{out}/{rank}.pt")
    torch.distributed.destroy_process_group()


def test_shares_rather_than_logits_rank_the_clips(data: dict, monkeypatch) -> None:
    task = SupervisedTask(
        tiny_model(), NAMES, SupervisedConfig(loss=SoftmaxConfig(kind="softmax")), seed=1
    )
    # The share of class a is larger in the first clip, its logit in the second.
    logits = torch.tensor([[0.0, -5.0, -5.0], [9.0, 12.0, 9.0]])
    labels = torch.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    output = task.model(data["waveform"][:2], data["valid"][:2])._replace(logits=logits)
    monkeypatch.setattr(task.model, "forward", lambda *given: output)
    task.validation_loss({**{k: v[:2] for k, v in data.items()}, "labels": labels})
    assert task.validation_metrics() == {"map": 1.0, "map_classes": 2.0}

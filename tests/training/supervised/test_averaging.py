# ruff: noqa: E402
import pytest

torch = pytest.importorskip("torch", reason="needs the extra train")

from antiphon.errors import UserError
from antiphon.training.supervised.averaging import Averaged, WeightAverage, renew_statistics
from antiphon.training.supervised.config import (
    BceConfig,
    EmaConfig,
    FinetuneConfig,
    NoAveraging,
    SupervisedConfig,
    SwaConfig,
)
from antiphon.training.supervised.create import averaged, classification_task
from antiphon.training.supervised.post_training import SupervisedTask
from tests.training.supervised.tiny import (
    CONV,
    VIT,
    batches,
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


def supervised(backbone: object = VIT) -> SupervisedTask:
    return SupervisedTask(
        tiny_model(backbone=backbone), NAMES, SupervisedConfig(frozen_share=0.0), seed=1
    )


def weights_along(task: Averaged, data: dict, steps: int) -> list[dict[str, torch.Tensor]]:
    """The trained weights after each step."""
    found, optimiser = [], None
    for step in range(steps):
        optimiser = train(task, data, steps, first=step, until=step + 1, optimiser=optimiser)
        found.append(state(task.task.model))
    return found


def test_swapping_is_undone_bit_for_bit() -> None:
    layer = torch.nn.Linear(2, 2, bias=False)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
    average = WeightAverage(layer)
    with torch.no_grad():
        layer.weight.add_(2.0)
    average.update(0.25)
    with average.swapped():
        assert layer.weight.tolist() == [[1.5, 2.5], [3.5, 4.5]]
    assert layer.weight.tolist() == [[3.0, 4.0], [5.0, 6.0]]
    with pytest.raises(RuntimeError, match="stop"), average.swapped():
        raise RuntimeError("stop")
    assert layer.weight.tolist() == [[3.0, 4.0], [5.0, 6.0]]
    assert int(average.updates) == 1


def test_exponential_average_by_hand(data: dict) -> None:
    task = Averaged(supervised(), EmaConfig(kind="ema", decay=0.9, warmup=False))
    expected = state(task.task.model)["head.1.weight"]
    for weights in weights_along(task, data, 4):
        expected = 0.9 * expected + 0.1 * weights["head.1.weight"]
    torch.testing.assert_close(task.encoder().head[1].weight.detach(), expected)


def test_exponential_average_forgets_the_start(data: dict) -> None:
    task = Averaged(supervised(), EmaConfig(kind="ema", decay=0.9))
    expected = state(task.task.model)["head.1.weight"]
    for number, weights in enumerate(weights_along(task, data, 4)):
        decay = min(0.9, (1 + number) / (10 + number))
        expected = decay * expected + (1 - decay) * weights["head.1.weight"]
    torch.testing.assert_close(task.encoder().head[1].weight.detach(), expected)


def test_stochastic_weight_averaging_is_the_mean_of_late_weights(data: dict) -> None:
    task = Averaged(supervised(), SwaConfig(kind="swa", start_share=0.5, every=2))
    along = weights_along(task, data, 8)
    # From step 4 on every second, and the last.
    taken = [along[step]["head.1.weight"] for step in (4, 6, 7)]
    torch.testing.assert_close(task.encoder().head[1].weight.detach(), torch.stack(taken).mean(0))


@pytest.mark.parametrize("kind", ["ema", "swa"])
def test_which_weights_are_kept_and_validated(data: dict, kind: str) -> None:
    config = {"ema": EmaConfig, "swa": SwaConfig}[kind]
    plain = supervised()
    train(plain, data, 6, lr=1e-2)
    made = {}
    for keep in ("average", "last"):
        task = Averaged(supervised(), config(kind=kind, keep=keep))
        train(task, data, 6, lr=1e-2)
        made[keep] = task
    assert not moved(state(plain.model), state(made["last"].encoder()))
    assert moved(state(plain.model), state(made["average"].encoder()))
    # Training is the same with either.
    assert not moved(state(plain), state(made["average"].task))
    validated = made["average"].validation_loss(data)["loss"]
    rebuilt = supervised()
    rebuilt.model.load_state_dict(made["average"].encoder().state_dict())
    assert torch.equal(validated, rebuilt.validation_loss(data)["loss"])
    assert not torch.equal(validated, plain.validation_loss(data)["loss"])
    assert made["average"].validation_metrics()["map_classes"] == 3


def test_no_average_yet_is_the_weights(data: dict) -> None:
    task = Averaged(supervised(), SwaConfig(kind="swa", start_share=0.9))
    train(task, data, 10, until=2)
    assert not moved(state(task.task.model), state(task.encoder()))


@pytest.mark.parametrize(
    "config", [EmaConfig(kind="ema"), SwaConfig(kind="swa", start_share=0.0)], ids=["ema", "swa"]
)
def test_resume_equals_uninterrupted(data: dict, config: object) -> None:
    straight = Averaged(supervised(), config)
    train(straight, data, 6)
    first = Averaged(supervised(), config)
    optimiser = train(first, data, 6, until=3)
    second = Averaged(supervised(), config)
    second.load_state_dict(first.state_dict())
    resumed = torch.optim.AdamW(second.parameter_groups(1e-3, 0.01), lr=1e-3)
    resumed.load_state_dict(optimiser.state_dict())
    train(second, data, 6, first=3, optimiser=resumed)
    assert not moved(state(straight), state(second))
    assert not moved(state(straight.encoder()), state(second.encoder()))


def test_statistics_are_those_of_the_batches_for_the_weights_there_are(data: dict) -> None:
    task = supervised(CONV)
    norm = task.model.backbone.stem_norm
    with torch.no_grad():
        norm.running_mean.fill_(100.0)
        norm.running_var.fill_(7.0)
    momentum, before = norm.momentum, state(task)
    seen = []
    hook = norm.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].detach()))
    assert renew_statistics(task, batches(data, 3, 8)) == 3
    hook.remove()
    dims = (0, 2, 3)
    mean = torch.stack([x.mean(dims) for x in seen]).mean(0)
    variance = torch.stack([x.var(dims) for x in seen]).mean(0)
    torch.testing.assert_close(norm.running_mean, mean, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(norm.running_var, variance, rtol=1e-4, atol=1e-5)
    assert norm.momentum == momentum
    changed = moved(before, state(task))
    assert changed
    assert all("running_" in name or "num_batches" in name for name in changed)


def test_a_failed_renewal_leaves_momentum_and_mode(data: dict) -> None:
    task = supervised(CONV)
    norm = task.model.backbone.stem_norm
    momentum, mode = norm.momentum, norm.training
    bare = {name: value for name, value in data.items() if name != "labels"}
    with pytest.raises(UserError, match="learns from labels"):
        renew_statistics(task, [data, data, bare])
    assert (norm.momentum, norm.training) == (momentum, mode)


def test_no_batch_leaves_the_statistics(data: dict) -> None:
    task = supervised(CONV)
    before = state(task)
    assert renew_statistics(task, []) == 0
    assert not moved(before, state(task))


def test_finish_renews_what_is_kept_and_not_what_is_trained(data: dict) -> None:
    config = SwaConfig(kind="swa", start_share=0.5, renewal_batches=4)
    task = Averaged(supervised(CONV), config)
    train(task, data, 6, lr=1e-2)
    trained, kept = state(task.task), state(task.encoder())
    drawn = []

    def source() -> object:
        for batch in batches(data, 10, 8):
            drawn.append(1)
            yield batch

    task.finish(source())
    assert len(drawn) == 4
    renewed = state(task.encoder())
    changed = {name for name in moved(kept, renewed) if "num_batches_tracked" not in name}
    assert changed
    assert all("running_" in name for name in changed)
    left = moved(trained, state(task.task))
    assert all("num_batches_tracked" in name for name in left)
    # A network without batch normalisation draws no batch.
    other = Averaged(supervised(), config)
    train(other, data, 6)
    before = len(drawn)
    other.finish(source())
    assert len(drawn) == before


def test_adapters_are_averaged_and_merged(data: dict) -> None:
    pytest.importorskip("peft", reason="needs the extra train")
    config = FinetuneConfig.model_validate(
        {"lora": {"rank": 2}, "averaging": {"kind": "ema", "decay": 0.5, "warmup": False}}
    )
    task = classification_task(config, tiny_model(), NAMES, seed=1)
    assert isinstance(task, Averaged)
    train(task, data, 4, lr=1e-2)
    # Frozen weights need no average.
    assert {n for n in task.average.names if "lora_" not in n and "head" not in n} == set()
    merged = task.encoder()
    assert not any("lora_" in name for name in merged.state_dict())
    with task.average.swapped():
        expected = task.task.encoder()
    assert not moved(state(expected), state(merged))
    assert "ema of the weights; kept: average" in task.describe()


def test_none_is_the_task_itself() -> None:
    task = supervised()
    assert averaged(task, NoAveraging()) is task
    assert task.config.loss == BceConfig()

# ruff: noqa: E402
import pytest

torch = pytest.importorskip("torch", reason="needs the extra train")

from antiphon.training.supervised.config import DistillConfig
from antiphon.training.supervised.create import distillation_task
from antiphon.training.supervised.distill import (
    DistillTask,
    cosine_loss,
    normalised_mse,
    relational_loss,
)
from antiphon.training.supervised.teachers import FromModel
from antiphon.training.task import Batch
from tests.training.supervised.tiny import calls, moved, state, tiny_model, train

SETTINGS = {"sample_rate": 8000, "window_s": 0.5, "n_mels": 32, "dim": 5}
TEACHER = {"kind": "encoder", "name": "spectral", "parameters": SETTINGS}


class Given:
    """A teacher whose embeddings come with the batch."""

    dim = 5

    def __call__(self, batch: Batch) -> torch.Tensor:
        return batch["teacher"]


def config(**settings: object) -> DistillConfig:
    return DistillConfig.model_validate({"teacher": TEACHER} | settings)


def taught(seed: int = 0) -> dict:
    data = calls(3, 4, seed=seed)
    generator = torch.Generator().manual_seed(seed)
    return data | {"teacher": torch.randn(12, 5, generator=generator)}


def test_cosine_by_hand() -> None:
    student = torch.tensor([[3.0, 4.0], [1.0, 0.0]])
    teacher = torch.tensor([[4.0, 3.0], [0.0, 2.0]])
    assert cosine_loss(student, teacher).item() == pytest.approx(1 - (24 / 25 + 0) / 2)


def test_normalised_mse_by_hand() -> None:
    # (1, 3) has mean 2 and deviation 1: its target is (-1, 1), whatever its scale.
    for scale in (1.0, 1000.0):
        teacher = scale * torch.tensor([[1.0, 3.0]])
        loss = normalised_mse(torch.tensor([[0.0, 3.0]]), teacher)
        assert loss.item() == pytest.approx((1 + 4) / 2, rel=1e-4)


def test_relational_by_hand() -> None:
    student = torch.tensor([[1.0, 0.0], [0.0, 2.0], [3.0, 3.0]])
    teacher = torch.tensor([[1.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 5.0]])
    # Cosines: student 0, 0.7071, 0.7071; teacher 1, 0, 0.
    expected = (1.0 + 0.5 + 0.5) / 3
    assert relational_loss(student, teacher).item() == pytest.approx(expected, rel=1e-6)
    assert relational_loss(2 * student, 7 * teacher).item() == pytest.approx(expected, rel=1e-6)


def test_relational_of_one_clip_is_zero() -> None:
    assert relational_loss(torch.ones(1, 3), torch.ones(1, 2)).item() == 0.0


def test_relational_is_exact_under_autocast() -> None:
    generator = torch.Generator().manual_seed(0)
    student, teacher = (torch.randn(8, d, generator=generator) for d in (16, 12))
    exact = relational_loss(student, teacher)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(relational_loss(student, teacher), exact)


def test_loss_is_the_weighted_sum_of_its_parts() -> None:
    task = DistillTask(tiny_model(), config(cosine=0.5, mse=2.0, relational=3.0), Given())
    found = task.training_loss(taught(), 0, torch.Generator())
    expected = 0.5 * found["cosine"] + 2.0 * found["mse"] + 3.0 * found["relational"]
    torch.testing.assert_close(found["loss"], expected)
    only = DistillTask(tiny_model(), config(cosine=0, mse=0), Given())
    assert set(only.training_loss(taught(), 0, torch.Generator())) == {"loss", "relational"}
    assert only.projection is None


def test_projection_and_student_are_trained_and_the_teacher_is_not() -> None:
    teacher = tiny_model(seed=9)
    student = tiny_model(("a", "b"), seed=1)
    task = DistillTask(student, config(projection="mlp", hidden=7), FromModel(teacher))
    assert student.head is None
    assert student.classes == ()
    assert task.projection is not None
    assert task.projection[0].out_features == 7
    held = {id(p) for p in task.parameters()}
    assert not held & {id(p) for p in teacher.parameters()}
    assert not any("teacher" in name for name in task.state_dict())
    before, taught_by = state(task), state(teacher)
    train(task, calls(3, 8, seed=1), 2, weight_decay=0.1)
    assert moved(before, state(task)) == set(before)
    assert not moved(taught_by, state(teacher))
    assert task.encoder() is student
    assert "cosine x 1, relational x 1" in task.describe()


def test_validation_has_no_randomness_and_no_gradient() -> None:
    settings = tiny_model().backbone_config.model_copy(update={"dropout": 0.5})
    task = DistillTask(tiny_model(backbone=settings), config(), Given()).train()
    data = taught()
    one, two = (task.validation_loss(data) for _ in range(2))
    assert torch.equal(one["loss"], two["loss"])
    assert not one["loss"].requires_grad
    assert task.training
    training = [task.training_loss(data, 0, torch.Generator())["loss"] for _ in range(2)]
    assert not torch.equal(*training)


def test_created_with_its_average() -> None:
    task = distillation_task(config(averaging={"kind": "ema"}), tiny_model())
    assert "ema of the weights" in task.describe()
    train(task, taught() | {"index": torch.arange(12)}, 2, size=8)
    assert set(task.encoder().state_dict()) == set(tiny_model().state_dict())

# ruff: noqa: E402
import pytest

torch = pytest.importorskip("torch", reason="needs the extra train")


import copy

import numpy as np

from antiphon.evaluation.protocols.retrieval import retrieval
from antiphon.training.supervised.config import DistillConfig, FinetuneConfig, SupervisedConfig
from antiphon.training.supervised.create import classification_task
from antiphon.training.supervised.distill import DistillTask
from antiphon.training.supervised.teachers import FromModel
from tests.training.supervised.tiny import calls, tiny_model, train

KINDS = 6
NAMES = tuple("abcdef")


@pytest.fixture(autouse=True)
def _one_thread() -> object:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def area(model: object, data: dict) -> float:
    embeddings = model.embed(data["waveform"], data["valid"]).numpy()
    kinds = data["labels"].argmax(1).numpy()
    return float(retrieval(embeddings, kinds, n_resamples=10).measures[0].value)


def validated(task: object, data: dict) -> tuple[float, float]:
    loss = task.validation_loss(data)["loss"].item()
    return loss, task.validation_metrics()["map"]


@pytest.fixture(scope="module")
def post_trained() -> tuple:
    training, held_out = calls(KINDS, 30, seed=1), calls(KINDS, 10, seed=2)
    task = classification_task(
        SupervisedConfig(frozen_share=0.1, unfrozen_rate=1.0), tiny_model(), NAMES, seed=0
    )
    before = (area(task.encoder(), held_out), *validated(task, held_out))
    train(task, training, 150, lr=3e-3)
    return before, (area(task.encoder(), held_out), *validated(task, held_out)), task


def test_supervised_training_learns(post_trained: tuple) -> None:
    (area_0, loss_0, map_0), (area_1, loss_1, map_1), _ = post_trained
    assert area_1 > area_0 + 0.1
    assert map_1 > map_0 + 0.3
    assert loss_1 < 0.6 * loss_0


def test_padding_changes_little(post_trained: tuple) -> None:
    task = post_trained[2]
    data = calls(KINDS, 4, seed=3)
    padded = data | {"waveform": torch.nn.functional.pad(data["waveform"], (0, 8000))}
    taken_as_audio = padded | {"valid": torch.full_like(data["valid"], 12_000)}
    bare, masked, wrong = (validated(task, batch)[0] for batch in (data, padded, taken_as_audio))
    assert abs(masked - bare) < 0.1 * abs(wrong - bare)


def test_adapters_learn_from_five_labels_per_class(post_trained: tuple) -> None:
    pytest.importorskip("peft", reason="needs the extra train")
    encoder = post_trained[2].encoder()
    few, held_out = other_calls(5, seed=4), other_calls(12, seed=5)
    config = FinetuneConfig.model_validate({"lora": {"rank": 4, "alpha": 8, "dropout": 0.1}})
    task = classification_task(config, copy.deepcopy(encoder), NAMES[:4], seed=0)
    loss_0, map_0 = validated(task, held_out)
    train(task, few, 60, lr=5e-3, size=16)
    loss_1, map_1 = validated(task, held_out)
    probe = classification_task(
        FinetuneConfig(method="probe"), copy.deepcopy(encoder), NAMES[:4], seed=0
    )
    assert validated(probe, held_out) == (loss_0, map_0)
    train(probe, few, 60, lr=5e-3, size=16)
    assert map_1 > map_0 + 0.2
    assert loss_1 < 0.7 * loss_0
    # More than the head alone can.
    assert map_1 > validated(probe, held_out)[1] + 0.05


def other_calls(per_kind: int, seed: int) -> dict:
    """Two pitches with a slow and a fast trill; post-training heard no fast one."""
    data = calls(20, per_kind, seed)
    kinds = [0, 1, 18, 19]
    kept = data["labels"][:, kinds].any(1)
    found = {name: value[kept] for name, value in data.items()}
    return found | {"labels": found["labels"][:, kinds]}


def test_distillation_brings_similarities_nearer(post_trained: tuple) -> None:
    teacher = post_trained[2].encoder()
    training, held_out = calls(KINDS, 30, seed=6), calls(KINDS, 10, seed=7)
    config = DistillConfig.model_validate({"teacher": {"kind": "model", "path": "unused"}})
    task = DistillTask(tiny_model(seed=8), config, FromModel(teacher))

    def agreement() -> tuple[float, float]:
        """Correlation of the cosines of all pairs, and the R-AUC of the student."""
        rows = [m.embed(held_out["waveform"], held_out["valid"]) for m in (teacher, task.model)]
        cosines = [torch.nn.functional.normalize(r, dim=1) for r in rows]
        pairs = [(c @ c.T)[np.triu_indices(len(c), 1)].numpy() for c in cosines]
        return float(np.corrcoef(*pairs)[0, 1]), area(task.model, held_out)

    before = agreement(), task.validation_loss(held_out)
    train(task, training, 80, lr=3e-3)
    after = agreement(), task.validation_loss(held_out)
    assert after[0][0] > before[0][0] + 0.2
    assert after[0][1] > before[0][1] + 0.05
    for name in ("loss", "cosine", "relational"):
        assert after[1][name] < 0.7 * before[1][name]

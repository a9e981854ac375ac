from __future__ import annotations

import builtins
import math
import sys

import numpy as np
import pytest

from antiphon.errors import MissingExtraError, UserError
from antiphon.evaluation.protocols.probe import linear_probe
from antiphon.training.probe_recipe import ProbeRecipe, adamw_probe, import_torch
from tests.evaluation.protocols.sets import classes, several


def three(spread: float = 2.0):
    return [classes(n, 10, 4, seed=i, spread=spread) for i, n in enumerate((130, 80, 100))]


def test_the_numbers_are_the_published_ones() -> None:
    recipe = ProbeRecipe()
    assert (recipe.epochs, recipe.batch, recipe.warmup_epochs) == (900, 32, 5)
    assert (recipe.learning_rate, recipe.weight_decay, recipe.final_share) == (1e-3, 0.01, 0.01)


def test_the_rate_warms_up_by_epochs_and_falls_along_a_cosine() -> None:
    recipe, steps = ProbeRecipe(), 10
    assert [recipe.rate(e * steps, steps) for e in range(5)] == pytest.approx(
        [2e-4, 4e-4, 6e-4, 8e-4, 1e-3]
    )
    assert recipe.rate(9, steps) == pytest.approx(2e-4)
    assert recipe.rate(50, steps) == pytest.approx(1e-3)
    middle = 50 + (9000 - 50) // 2
    assert recipe.rate(middle, steps) == pytest.approx(0.505e-3)
    assert recipe.rate(9000, steps) == pytest.approx(1e-5)


def test_the_rate_is_that_of_the_scheduler_of_torch() -> None:
    torch = pytest.importorskip("torch")
    recipe = ProbeRecipe(epochs=8, warmup_epochs=2)
    optimiser = torch.optim.AdamW([torch.zeros(1, requires_grad=True)], lr=1e-3)
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, T_max=18, eta_min=1e-5)
    for step in range(6, 24):
        assert recipe.rate(step, 3) == pytest.approx(optimiser.param_groups[0]["lr"], rel=1e-9)
        optimiser.step()
        cosine.step()


def test_training_agrees_with_the_direct_solver() -> None:
    pytest.importorskip("torch")
    (x, y), (vx, vy), (tx, ty) = three()
    recipe = ProbeRecipe(epochs=60, learning_rate=1e-2)
    found = adamw_probe(x, y, tx, ty, validation=(vx, vy), recipe=recipe)
    direct = linear_probe(x, y, tx, ty, validation=(vx, vy))
    assert direct["accuracy"].low <= found["accuracy"].value <= direct["accuracy"].high
    curve = found.details["validation_curve"]
    assert curve.shape == (60,)
    # The first of the best epochs.
    assert found.details["best_epoch"] == int(curve.argmax()) + 1


def test_the_scores_are_those_of_the_best_epoch() -> None:
    pytest.importorskip("torch")
    (x, y), (vx, vy), _ = three(spread=3.0)
    recipe = ProbeRecipe(epochs=40, learning_rate=3e-2)
    found = adamw_probe(x, y, vx, vy, validation=(vx, vy), recipe=recipe)
    curve = found.details["validation_curve"]
    assert found["accuracy"].value == pytest.approx(curve.max())
    assert curve.max() > curve[-1]


def test_several_labels_are_trained_by_binary_cross_entropy() -> None:
    pytest.importorskip("torch")
    (x, y), (vx, vy), (tx, ty) = (several(n, 8, 3, i) for i, n in enumerate((200, 80, 120)))
    recipe = ProbeRecipe(epochs=40, learning_rate=1e-2)
    found = adamw_probe(x, y, tx, ty, validation=(vx, vy), recipe=recipe)
    direct = linear_probe(x, y, tx, ty, validation=(vx, vy))
    assert direct["map"].low <= found["map"].value <= direct["map"].high


def test_equal_seeds_give_equal_scores_whatever_torch_drew_before() -> None:
    torch = pytest.importorskip("torch")
    (x, y), (vx, vy), (tx, ty) = three()
    recipe = ProbeRecipe(epochs=3, warmup_epochs=1)
    runs = []
    for seed in (1, 1, 2):
        torch.rand(seed + len(runs))
        found = adamw_probe(x, y, tx, ty, validation=(vx, vy), recipe=recipe, seed=seed)
        runs.append(found.details["scores"])
    np.testing.assert_array_equal(runs[0], runs[1])
    assert not np.array_equal(runs[0], runs[2])


def test_faults_are_named() -> None:
    pytest.importorskip("torch")
    (x, y), (vx, vy), (tx, ty) = three()
    with pytest.raises(UserError, match="device 'nowhere'"):
        adamw_probe(x, y, tx, ty, validation=(vx, vy), device="nowhere")
    with pytest.raises(UserError, match="warm-up epochs"):
        ProbeRecipe(epochs=3)
    with pytest.raises(UserError, match="batch"):
        ProbeRecipe(batch=0)


def test_without_torch_one_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def fake(name: str, *arguments: object, **options: object) -> object:
        if name == "torch":
            raise ImportError(name)
        return real(name, *arguments, **options)

    monkeypatch.delitem(sys.modules, "torch", raising=False)
    monkeypatch.setattr(builtins, "__import__", fake)
    with pytest.raises(MissingExtraError, match=r"pip install 'antiphon\[train\]'"):
        import_torch("train the published probe")


def test_importing_the_module_does_not_import_torch() -> None:
    import subprocess

    code = (
        "import sys, antiphon.training.probe_recipe, antiphon.evaluation.protocols.probe; "
        "print('torch' in sys.modules)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "False"


def test_an_epoch_without_warm_up_starts_at_the_full_rate() -> None:
    recipe = ProbeRecipe(epochs=2, warmup_epochs=0)
    assert recipe.rate(0, 4) == 1e-3
    assert recipe.rate(4, 4) == pytest.approx(1e-5 + 0.99e-3 * 0.5 * (1 + math.cos(math.pi / 2)))

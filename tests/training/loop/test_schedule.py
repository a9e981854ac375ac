"""Learning rates against hand-worked values and torch's own schedules."""

from __future__ import annotations

import pytest

from antiphon.training.loop.config import OptimiserConfig
from antiphon.training.loop.schedule import learning_rate_factor


def test_warm_up_from_a_share_by_hand():
    config = OptimiserConfig(lr=1e-3, warmup=4, warmup_from=0.1)
    found = [learning_rate_factor(config, step, 100) for step in range(5)]
    assert found == pytest.approx([0.1, 0.325, 0.55, 0.775, 1.0])


def test_warm_up_from_nothing_and_as_a_share_of_the_steps():
    config = OptimiserConfig(lr=1e-3, warmup=0.1, warmup_from=0.0)
    assert learning_rate_factor(config, 0, 50) == 0.0
    assert learning_rate_factor(config, 5, 50) == 1.0
    assert learning_rate_factor(config, 4, 50) < 1.0


def test_cosine_ends_at_the_floor():
    config = OptimiserConfig(lr=5e-4, warmup=0, final_lr=1e-6)
    assert learning_rate_factor(config, 0, 101) == 1.0
    # Half-way between 5e-4 and 1e-6.
    assert 5e-4 * learning_rate_factor(config, 50, 101) == pytest.approx(2.505e-4)
    assert 5e-4 * learning_rate_factor(config, 100, 101) == pytest.approx(1e-6)


def test_constant_after_the_warm_up():
    config = OptimiserConfig(lr=1e-3, warmup=3, schedule="constant")
    assert {learning_rate_factor(config, step, 20) for step in range(3, 20)} == {1.0}


def test_cosine_is_torchs():
    torch = pytest.importorskip("torch", reason="needs the extra train")
    config = OptimiserConfig(lr=0.1, warmup=0, final_lr=0.01)
    optimiser = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
    peer = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, T_max=20, eta_min=0.01)
    for step in range(21):
        mine = 0.1 * learning_rate_factor(config, step, 21)
        assert mine == pytest.approx(optimiser.param_groups[0]["lr"], rel=1e-9)
        optimiser.step()
        peer.step()

# ruff: noqa: E402
"""The smooth area under the ROC curve, against a loop over pairs in plain Python."""

from __future__ import annotations

import math

import pytest

torch = pytest.importorskip("torch", reason="needs the extra train")

from antiphon.evaluation.metrics.scores import roc_auc
from antiphon.training.supervised.loss_config import SoftAucConfig
from antiphon.training.supervised.losses import MultiLabelLoss, binary_cross_entropy
from antiphon.training.supervised.soft_auc import soft_auc_loss


def by_pairs(x, y, known, scale) -> float:
    total = weights = 0.0
    for c in range(x.shape[1]):
        rows = [i for i in range(len(x)) if known[i, c]]
        loss = mass = 0.0
        for i in rows:
            for j in rows:
                if i != j:
                    w = float(y[i, c]) * (1 - float(y[j, c]))
                    loss += w * math.log1p(math.exp(-scale * float(x[i, c] - x[j, c])))
                    mass += w
        if mass > 0:
            weight = min(1.0, sum(float(y[i, c]) for i in rows))
            total, weights = total + weight * loss / mass, weights + weight
    return total / weights if weights else 0.0


def test_by_hand():
    """One presence against two absences."""
    x = torch.tensor([[1.0], [0.0], [3.0]])
    y = torch.tensor([[1.0], [0.0], [0.0]])
    wanted = (math.log(1 + math.exp(-1)) + math.log(1 + math.exp(2))) / 2
    assert soft_auc_loss(x, y).item() == pytest.approx(wanted, rel=1e-6)


@pytest.mark.parametrize("soft", [False, True])
def test_equals_the_loop_over_pairs(soft):
    generator = torch.Generator().manual_seed(int(soft))
    x = 2 * torch.randn(9, 4, generator=generator)
    y = torch.rand(9, 4, generator=generator)
    y = y * 0.3 if soft else (y < 0.3).float()
    y[:, 3] = 0.0
    known = (torch.rand(9, 4, generator=generator) < 0.7).float()
    hidden = torch.where(known > 0, y, torch.full_like(y, float("nan")))
    found = soft_auc_loss(x, hidden, known, scale=1.5).item()
    assert found == pytest.approx(by_pairs(x, y, known, 1.5), rel=1e-5)


def test_gradient_is_that_of_finite_differences():
    generator = torch.Generator().manual_seed(3)
    x = torch.randn(6, 2, generator=generator).requires_grad_()
    y = (torch.rand(6, 2, generator=generator) < 0.4).float()
    soft_auc_loss(x, y).backward()
    step = 1e-2
    for i in range(6):
        moved = [x.detach().clone() for _ in range(2)]
        moved[0][i, 1] += step
        moved[1][i, 1] -= step
        ends = [by_pairs(m.double(), y, torch.ones_like(y), 1.0) for m in moved]
        assert x.grad[i, 1].item() == pytest.approx((ends[0] - ends[1]) / (2 * step), abs=1e-4)


def test_a_large_scale_counts_the_pairs_in_the_wrong_order():
    generator = torch.Generator().manual_seed(5)
    x = torch.randn(40, 1, generator=generator)
    y = (torch.rand(40, 1, generator=generator) < 0.4).float()
    area = roc_auc(x.numpy(), y.numpy())[0]
    # Divided by the scale, the loss of a pair is how far it is out of order; its slope is 0 or 1.
    x.requires_grad_()
    scale = 1e4
    (soft_auc_loss(x, y, scale=scale) / scale).backward()
    pairs = float(y.sum() * (1 - y).sum())
    wrong = -float((x.grad * y).sum()) * pairs
    assert 1 - wrong / pairs == pytest.approx(area, abs=1e-5)


def test_nothing_to_compare_is_no_loss():
    x = torch.ones(3, 2, requires_grad=True)
    for labels in (torch.zeros(3, 2), torch.ones(3, 2)):
        x.grad = None
        loss = soft_auc_loss(x, labels)
        loss.backward()
        assert loss.item() == 0.0
        assert x.grad.eq(0).all()


def test_extremes_in_half_precision_stay_numbers():
    x = torch.tensor([[-1e38], [1e38], [1e4], [-1e4], [0.0]], dtype=torch.bfloat16)
    x.requires_grad_()
    y = torch.tensor([[1.0], [0.0], [0.0], [1.0], [0.0]])
    loss = soft_auc_loss(x, y)
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(x.grad).all()


def test_by_its_settings_with_binary_cross_entropy():
    generator = torch.Generator().manual_seed(7)
    x = torch.randn(8, 3, generator=generator)
    y = (torch.rand(8, 3, generator=generator) < 0.4).float()
    loss = MultiLabelLoss(SoftAucConfig(kind="soft_auc"), ["a", "b", "c"])
    torch.testing.assert_close(loss(x, y), soft_auc_loss(x, y) + 0.25 * binary_cross_entropy(x, y))

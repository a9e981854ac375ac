from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from antiphon.active.base import KnownHead, PoolView
from antiphon.active.registry import select
from antiphon.active.strategies.badge import gradient_distances, output_error
from tests.active.strategies.views import view

Float = npt.NDArray[np.floating]


def pool_of(probability: Float, hidden: Float, *, multilabel: bool, seed: int = 0) -> PoolView:
    n, labels = probability.shape
    made = view(np.eye(n), [0], multilabel=multilabel, n_labels=labels, seed=seed)
    head = KnownHead(probability.astype(np.float32), hidden.astype(np.float32))
    return replace(made, head=head)


@pytest.mark.parametrize("multilabel", [True, False])
def test_errors_are_the_gradients_of_the_loss_in_torch(multilabel: bool) -> None:
    torch = pytest.importorskip("torch")
    logits = torch.randn(20, 5, generator=torch.manual_seed(0), requires_grad=True)
    if multilabel:
        p = torch.sigmoid(logits)
        target = (p >= 0.5).float()
        loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, target, reduction="sum")
    else:
        p = torch.softmax(logits, dim=1)
        loss = torch.nn.functional.cross_entropy(logits, p.argmax(dim=1), reduction="sum")
    loss.backward()
    found = output_error(p.detach().numpy(), multilabel=multilabel)
    np.testing.assert_allclose(found, logits.grad.numpy(), atol=1e-6)


def test_distances_are_those_of_outer_products() -> None:
    rng = np.random.default_rng(0)
    error = rng.normal(size=(9, 3)).astype(np.float32)
    hidden = rng.normal(size=(12, 5)).astype(np.float32)
    free = np.array([0, 2, 3, 4, 5, 7, 8, 10, 11])
    full = (error[:, :, None] * hidden[free][:, None, :]).reshape(9, -1).astype(float)
    wanted = ((full[:, None] - full) ** 2).sum(axis=2)
    every = np.arange(9)
    found = gradient_distances(error, hidden, free, every, every[:4])
    np.testing.assert_allclose(found, wanted[:, :4], atol=1e-5)


@pytest.mark.parametrize("multilabel", [True, False])
def test_draws_have_the_chances_of_gradient_embeddings_written_out(multilabel: bool) -> None:
    rng = np.random.default_rng(0)
    hidden = rng.random((8, 4)) + 0.1
    p = rng.random((8, 3)) if multilabel else rng.dirichlet(np.ones(3), 8)
    error = output_error(p.astype(np.float32), multilabel=multilabel)[1:]
    full = (error[:, :, None] * hidden[1:, None, :]).reshape(7, -1)
    first = int(np.argmax((full**2).sum(axis=1)))
    gap = ((full - full[first]) ** 2).sum(axis=1)
    count = np.zeros(7)
    for seed in range(2500):
        chosen = select("badge", pool_of(p, hidden, multilabel=multilabel, seed=seed), 2)
        assert chosen.rows[0] == first + 1
        assert chosen.utility[1] == pytest.approx(gap[chosen.rows[1] - 1], rel=1e-4)
        count[chosen.rows[1] - 1] += 1
    # Three standard deviations are 0.03 at most.
    np.testing.assert_allclose(count / 2500, gap / gap.sum(), atol=0.035)


def test_the_chances_of_scikit_activeml_are_the_same() -> None:
    pool = pytest.importorskip("skactiveml.pool")
    base = pytest.importorskip("skactiveml.base")
    rng = np.random.default_rng(0)
    hidden = rng.random((30, 4))
    p = rng.dirichlet(np.ones(3), 30)

    class Known(base.SkactivemlClassifier):  # type: ignore[misc]
        def fit(self, *args: object, **more: object) -> Known:
            return self

        def predict_proba(self, x: Float) -> Float:
            return p[[int(np.argmin(np.abs(hidden - row).sum(axis=1))) for row in x]]

    y = np.full(30, np.nan)
    y[0] = 0.0
    query = pool.Badge(random_state=0)
    rows, chance = query.query(
        hidden, y, Known(classes=[0, 1, 2]), fit_clf=False, batch_size=2, return_utilities=True
    )
    made = pool_of(p, hidden, multilabel=False)
    chosen = select("badge", made, 1)
    assert chosen.rows[0] == rows[0]
    error = output_error(p.astype(np.float32), multilabel=False)
    every = np.arange(30)
    gap = gradient_distances(error, made.head.hidden(), every, every, chosen.rows)[1:, 0]
    # There, the length of a gradient bounds its distance, as if 0 were a centre.
    gap = np.minimum(gap, np.square(error * 1.0).sum(axis=1)[1:] * (hidden[1:] ** 2).sum(axis=1))
    gap[chosen.rows[0] - 1] = 0.0
    wanted = np.nan_to_num(chance[1][1:])
    np.testing.assert_allclose(gap / gap.sum(), wanted, atol=1e-5)

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from antiphon.evaluation.protocols.multinomial import MultinomialProblem
from tests.evaluation.protocols.sets import classes


def standardised(n: int, dim: int, k: int, spread: float = 2.0):
    x, y = classes(n, dim, k, seed=1, spread=spread)
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    return x.astype(np.float32), y


@pytest.mark.parametrize(("n", "dim", "k"), [(300, 12, 5), (40, 90, 4), (200, 30, 2)])
@pytest.mark.parametrize("l2", [100.0, 3.0])
def test_weights_are_those_of_scikit_learn(n: int, dim: int, k: int, l2: float) -> None:
    x, y = standardised(n, dim, k)
    own = MultinomialProblem(x, y, k).solve(l2, tol=1e-6)
    # Of two classes scikit-learn has one weight vector, the difference of the two here: each half
    # as long, so both together pay half.
    strength = l2 if k > 2 else 0.5 * l2
    peer = LogisticRegression(C=1.0 / strength, tol=1e-8, max_iter=5000)
    peer.fit(x.astype(np.float64), y)
    assert own.converged
    proba = peer.predict_proba(x)
    logits = x @ own.weight.T + own.bias
    mine = np.exp(logits - logits.max(axis=1, keepdims=True))
    np.testing.assert_allclose(mine / mine.sum(axis=1, keepdims=True), proba, atol=5e-4)
    if k > 2:
        np.testing.assert_allclose(own.weight, peer.coef_, atol=1e-3)


def test_the_weights_sum_to_zero_over_classes() -> None:
    x, y = standardised(200, 10, 4)
    found = MultinomialProblem(x, y, 4).solve(10.0, tol=1e-5)
    np.testing.assert_allclose(found.weight.sum(axis=0), 0.0, atol=1e-4)


def test_a_path_ends_where_a_cold_start_ends() -> None:
    x, y = standardised(250, 20, 6)
    path = MultinomialProblem(x, y, 6)
    for l2 in (1000.0, 100.0, 10.0):
        warm = path.solve(l2, tol=1e-6)
    cold = MultinomialProblem(x, y, 6).solve(10.0, tol=1e-6)
    np.testing.assert_allclose(warm.weight, cold.weight, atol=2e-4)
    assert warm.iterations <= cold.iterations


def test_the_gradient_at_the_end_is_small() -> None:
    x, y = standardised(400, 15, 3)
    found = MultinomialProblem(x, y, 3).solve(5.0, tol=1e-5)
    logits = x.astype(np.float64) @ found.weight.T + found.bias
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    p[np.arange(400), y] -= 1.0
    gradient = p.T @ x + 5.0 * found.weight
    assert np.abs(gradient).max() <= 2e-5 * 400


def test_perfectly_separable_classes_are_solved_too() -> None:
    x = np.repeat(np.eye(3, dtype=np.float32), 20, axis=0)
    x -= x.mean(axis=0)
    y = np.repeat(np.arange(3), 20)
    found = MultinomialProblem(x, y, 3).solve(0.1, tol=1e-5)
    assert found.converged
    assert ((x @ found.weight.T + found.bias).argmax(axis=1) == y).all()


def test_too_few_iterations_are_said() -> None:
    x, y = standardised(300, 20, 5)
    assert not MultinomialProblem(x, y, 5).solve(0.1, tol=1e-7, max_iter=2).converged

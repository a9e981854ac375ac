from __future__ import annotations

import numpy as np
import scipy.stats

from antiphon.active.registry import select
from antiphon.active.strategies.entropy import label_entropy
from tests.active.strategies.views import view


def test_several_labels_are_summed() -> None:
    p = np.random.default_rng(0).random((30, 4)).astype(np.float32)
    wanted = sum(scipy.stats.bernoulli(p[:, j].astype(float)).entropy() for j in range(4))
    np.testing.assert_allclose(label_entropy(p, multilabel=True), wanted / np.log(2), rtol=1e-4)


def test_labels_that_exclude_each_other_have_one_distribution() -> None:
    p = np.random.default_rng(0).dirichlet(np.ones(5), 30)
    p[0] = [1, 0, 0, 0, 0]
    found = label_entropy(p.astype(np.float32), multilabel=False)
    np.testing.assert_allclose(found, scipy.stats.entropy(p, base=2, axis=1), atol=1e-4)


def test_a_single_label_is_compared_with_its_absence() -> None:
    found = label_entropy(np.array([[0.5], [1.0]], np.float32), multilabel=False)
    np.testing.assert_allclose(found, [1.0, 0.0], atol=1e-5)


def test_the_two_readings_choose_differently() -> None:
    # All labels likely is sure for labels that may go together, and the opposite for others.
    probability = np.array([[0.98, 0.98, 0.98], [0.5, 0.4, 0.1]])
    assert select("entropy", view(np.eye(2), probability=probability), 1).rows[0] == 1
    even = np.array([[1 / 3, 1 / 3, 1 / 3], [0.5, 0.4, 0.1]])
    assert select("entropy", view(np.eye(2), probability=even, multilabel=False), 1).rows[0] == 0

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from antiphon.active.base import KnownHead
from antiphon.active.registry import select
from antiphon.active.strategies.bald import mutual_information
from tests.active.strategies.views import view


class Passes(KnownHead):
    def __init__(self, passes: npt.NDArray[np.float32]) -> None:
        super().__init__(passes.mean(axis=0))
        self._passes = passes

    def dropout(self, passes: int) -> npt.NDArray[np.float32]:
        return self._passes[:passes]


def test_information_is_that_of_scikit_activeml() -> None:
    module = pytest.importorskip("skactiveml.pool._bald")
    p = np.random.default_rng(0).dirichlet(np.ones(4), (6, 20))
    wanted = module.batch_bald(p, batch_size=1, n_MC_samples=None, random_state=0)[0]
    found = mutual_information(p.astype(np.float32), multilabel=False)
    # In nats there.
    np.testing.assert_allclose(found * np.log(2), wanted, atol=1e-5)


def test_disagreement_counts_and_doubt_shared_by_all_passes_does_not() -> None:
    passes = np.empty((10, 3, 2), np.float32)
    passes[:, 0] = 0.5
    passes[:, 1] = np.where(np.arange(10) % 2, 0.95, 0.05)[:, None]
    passes[:, 2] = 0.01
    pool = replace(view(np.eye(3), n_labels=2), head=Passes(passes))
    chosen = select("bald", pool, 3)
    assert chosen.rows[0] == 1
    # Two labels of 1 bit each, less the entropy of 0.05.
    left = -(0.05 * np.log2(0.05) + 0.95 * np.log2(0.95))
    assert chosen.utility[0] == pytest.approx(2 * (1 - left), abs=1e-4)
    np.testing.assert_allclose(chosen.utility[1:], 0.0, atol=1e-5)


def test_without_dropout_entropy_decides() -> None:
    probability = np.array([[0.9, 0.1], [0.5, 0.6], [0.99, 0.99]])
    pool = view(np.eye(3), probability=probability, n_labels=2)
    assert select("bald", pool, 3).rows.tolist() == [1, 0, 2]

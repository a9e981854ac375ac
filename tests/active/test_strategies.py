"""What every strategy must do, whatever it looks for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.active.base import KnownHead, PoolView
from antiphon.active.registry import get_strategy, list_strategies, select
from antiphon.errors import UserError

NAMES = [card.name for card in list_strategies()]
N, DIM, LABELS = 60, 12, 3


class DropoutHead(KnownHead):
    """A head whose dropout passes differ."""

    def dropout(self, passes: int) -> npt.NDArray[np.float32]:
        rng = np.random.default_rng(9)
        p = self.probabilities()
        return np.clip(p + 0.2 * rng.normal(size=(passes, *p.shape)), 0, 1).astype(np.float32)


def make_pool(
    seed: int = 0, n: int = N, dim: int = DIM, labelled: int = 10, *, multilabel: bool = True
) -> PoolView:
    rng = np.random.default_rng(seed)
    if multilabel:
        labels = rng.integers(0, 2, (labelled, LABELS)).astype(np.float32)
        labels[rng.random(labels.shape) < 0.2] = np.nan
        probability = rng.random((n, LABELS))
    else:
        labels = np.eye(LABELS, dtype=np.float32)[rng.integers(0, LABELS, labelled)]
        probability = rng.dirichlet(np.ones(LABELS), n)
    embeddings = rng.normal(size=(n, dim)).astype(np.float32)
    head = DropoutHead(
        probability.astype(np.float32),
        np.maximum(embeddings, 0.0),
        rng.normal(size=(LABELS, dim)).astype(np.float32),
    )
    return PoolView(
        embeddings=embeddings,
        labelled=rng.choice(n, labelled, replace=False).astype(np.int64),
        labels=labels,
        head=head,
        recording=(np.arange(n) // 5).astype(np.int64),
        generator=np.random.default_rng(seed + 1),
        multilabel=multilabel,
    )


def assert_good(pool: PoolView, name: str, n: int) -> npt.NDArray[np.int64]:
    chosen = select(name, pool, n)
    free = set(pool.candidates().tolist())
    assert len(chosen.rows) == len(chosen.utility) == min(n, len(free))
    assert len(set(chosen.rows.tolist())) == len(chosen.rows)
    assert set(chosen.rows.tolist()) <= free
    assert chosen.rows.dtype == np.int64
    assert chosen.utility.dtype == np.float32
    assert np.isfinite(chosen.utility).all()
    return chosen.rows


@pytest.mark.parametrize("name", NAMES)
@given(seed=st.integers(0, 1000), n=st.integers(1, 70), multilabel=st.booleans())
@settings(max_examples=15, deadline=None)
def test_rows_are_new_different_candidates(name: str, seed: int, n: int, multilabel: bool) -> None:
    assert_good(make_pool(seed, multilabel=multilabel), name, n)


@pytest.mark.parametrize("multilabel", [True, False])
@pytest.mark.parametrize("name", NAMES)
def test_the_same_seed_gives_the_same_rows(name: str, multilabel: bool) -> None:
    first = select(name, make_pool(3, multilabel=multilabel), 7)
    second = select(name, make_pool(3, multilabel=multilabel), 7)
    np.testing.assert_array_equal(first.rows, second.rows)
    np.testing.assert_array_equal(first.utility, second.utility)


@pytest.mark.parametrize("name", NAMES)
def test_rows_do_not_depend_on_global_randomness(name: str) -> None:
    np.random.seed(1)  # noqa: NPY002
    first = select(name, make_pool(3), 7)
    np.random.seed(2)  # noqa: NPY002
    np.testing.assert_array_equal(first.rows, select(name, make_pool(3), 7).rows)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_remembered_changes_no_choice(name: str) -> None:
    pool = make_pool(6, n=150)
    remembered: dict[str, Any] = {}
    labelled, labels = pool.labelled, pool.labels
    for cycle in (1, 2, 3):
        known = replace(pool, labelled=labelled, labels=labels, cycle=cycle)
        with_memory, without = (
            select(name, replace(known, cache=cache, generator=np.random.default_rng(cycle)), 9)
            for cache in (remembered, {})
        )
        np.testing.assert_array_equal(with_memory.rows, without.rows)
        labelled = np.concatenate([labelled, with_memory.rows])
        labels = np.concatenate([labels, np.eye(3, dtype=np.float32)[with_memory.rows % 3]])


@pytest.mark.parametrize("multilabel", [True, False])
@pytest.mark.parametrize("name", NAMES)
def test_nothing_labelled_and_no_head(name: str, multilabel: bool) -> None:
    pool = replace(
        make_pool(4, multilabel=multilabel),
        labelled=np.empty(0, np.int64),
        labels=np.empty((0, LABELS), np.float32),
        head=None,
    )
    assert_good(pool, name, 5)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_labelled_but_a_head(name: str) -> None:
    pool = replace(
        make_pool(4), labelled=np.empty(0, np.int64), labels=np.empty((0, LABELS), np.float32)
    )
    assert_good(pool, name, 5)


@pytest.mark.parametrize("name", NAMES)
def test_labels_but_no_head(name: str) -> None:
    assert_good(replace(make_pool(4), head=None), name, 5)


@pytest.mark.parametrize("name", NAMES)
def test_identical_windows(name: str) -> None:
    pool = make_pool(5)
    head = KnownHead(np.full((N, LABELS), 0.5, np.float32), np.ones((N, DIM), np.float32))
    assert_good(replace(pool, embeddings=np.ones((N, DIM), np.float32), head=head), name, 20)


@pytest.mark.parametrize("name", NAMES)
def test_vectors_of_zeros(name: str) -> None:
    pool = make_pool(5)
    nothing = np.zeros((N, DIM), np.float32)
    assert_good(replace(pool, embeddings=nothing, head=None), name, 20)
    assert_good(replace(pool, embeddings=nothing), name, 20)


@pytest.mark.parametrize("name", NAMES)
def test_labels_of_which_nothing_is_known(name: str) -> None:
    pool = make_pool(7)
    assert_good(replace(pool, labels=np.full_like(pool.labels, np.nan)), name, 8)


@pytest.mark.parametrize("value", [0.0, 1.0])
@pytest.mark.parametrize("name", NAMES)
def test_a_head_that_is_certain_of_all(name: str, value: float) -> None:
    pool = make_pool(8)
    head = KnownHead(np.full((N, LABELS), value, np.float32), pool.embeddings)
    assert_good(replace(pool, head=head), name, 8)


@pytest.mark.parametrize("name", NAMES)
def test_all_candidates_at_once(name: str) -> None:
    pool = make_pool(9)
    rows = assert_good(pool, name, N - len(pool.labelled))
    assert sorted(rows.tolist()) == pool.candidates().tolist()


@pytest.mark.parametrize("name", NAMES)
def test_a_pool_of_two_windows_and_one_label(name: str) -> None:
    pool = PoolView(
        embeddings=np.array([[1.0, 0.0], [0.0, 1.0]], np.float32),
        labelled=np.array([0]),
        labels=np.ones((1, 1), np.float32),
        recording=np.array([-1, -1]),
        generator=np.random.default_rng(0),
        head=KnownHead(np.array([[0.7], [0.4]], np.float32)),
    )
    assert assert_good(pool, name, 5).tolist() == [1]


@pytest.mark.parametrize("name", NAMES)
def test_nothing_that_is_given_is_written_to(name: str) -> None:
    pool = make_pool(10)
    assert pool.head is not None
    given = [pool.embeddings, pool.labelled, pool.labels, pool.recording]
    given += [pool.head.probabilities(), pool.head.hidden(), pool.head.output_weight()]
    before = [array.copy() for array in given]
    select(name, pool, 6)
    for array, copy in zip(given, before, strict=True):
        np.testing.assert_array_equal(array, copy)


@pytest.mark.parametrize("name", NAMES)
def test_a_card_says_what_it_does_and_where_it_comes_from(name: str) -> None:
    card = get_strategy(name)
    assert card.summary
    assert len(card.source) > 20


def test_a_view_cannot_be_written_to() -> None:
    with pytest.raises(ValueError, match="read-only"):
        make_pool().embeddings[0, 0] = 1.0


def test_a_strategy_that_needs_a_head_begins_without_one() -> None:
    pool = make_pool(2)
    without = replace(pool, head=None)
    rows = select("margin", without, 6).rows
    again = replace(without, generator=np.random.default_rng(3))
    np.testing.assert_array_equal(rows, select("coreset-whitened", again, 6).rows)


def test_unknown_names_and_numbers_are_refused_with_help() -> None:
    with pytest.raises(UserError, match=r"'margn' is not known. Did you mean 'margin'"):
        get_strategy("margn")
    with pytest.raises(UserError, match="at least 1"):
        select("random", make_pool(), 0)

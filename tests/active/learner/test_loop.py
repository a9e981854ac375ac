from __future__ import annotations

import csv
import gc
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from antiphon.active.base import PoolView, Selection
from antiphon.active.dataset import LabelledSet
from antiphon.active.learner.config import LoopConfig, Schedule
from antiphon.active.learner.guard import StrategyError
from antiphon.active.learner.loop import run_loop
from antiphon.active.learner.record import Run
from antiphon.active.registry import list_strategies
from antiphon.errors import UserError
from tests.active.learner.making import make_set
from tests.real import real_data

QUICK = LoopConfig(budget=60, schedule=Schedule((20,)), epochs=2)


def esc10() -> LabelledSet:
    folder = real_data("baseal_esc10") / "ESC10_BASEAL"
    with (folder / "labels.csv").open() as file:
        rows = list(csv.DictReader(file))
    labels = sorted({row["label"] for row in rows})
    vectors = {p.name.split(".npy")[0]: p for p in (folder / "embeddings/birdnet").glob("*.npy")}
    stems = [row["filename"].rsplit(".", 1)[0] for row in rows]
    x = np.stack([np.load(vectors[stem]).reshape(-1) for stem in stems]).astype(np.float32)
    targets = np.zeros((len(rows), len(labels)), np.float32)
    targets[np.arange(len(rows)), [labels.index(row["label"]) for row in rows]] = 1.0
    return LabelledSet(
        name="ESC10",
        embeddings=x,
        targets=targets,
        labels=tuple(labels),
        validation=np.array([row["validation"].lower() == "true" for row in rows]),
        recording=np.full(len(rows), -1, np.int64),
        filenames=tuple(stems),
        multilabel=False,
    )


def strict(data: LabelledSet, name: str, *, budget: int, dtype: type = np.float32) -> None:
    """Compare our strict mode with the loop in torch: picks one by one, mAP to 1e-6."""
    pytest.importorskip("torch")
    pytest.importorskip("sklearn")
    from tests.active.learner.reference import TorchDraws, reference_loop

    seed, batch = 17, 50
    draws = [TorchDraws(seed, dtype) for _ in range(2)]
    picks, scores = reference_loop(data, name, draws[0], seed, budget=budget, batch=batch)
    config = LoopConfig(budget=budget, schedule=Schedule((batch,)), exact=True, compat=True)
    run = run_loop(data, name, config, draws=draws[1], generator=np.random.default_rng(seed))
    assert [list(cycle.rows) for cycle in run.cycles] == picks
    np.testing.assert_allclose([cycle.mAP for cycle in run.cycles], scores, atol=1e-6)


@pytest.mark.parametrize("name", ["random", "margin", "coreset"])
def test_strict_mode_repeats_the_reference_loop_on_esc10(name):
    strict(esc10(), name, budget=150)


@pytest.mark.parametrize("name", ["random", "margin-multilabel", "coreset"])
def test_strict_mode_repeats_the_reference_loop_with_many_labels(name):
    # Rare classes, empty rows, and a last mini-batch of another size in each epoch.
    strict(make_set(9, n=1500, dim=64, labels=12), name, budget=150)


# Once the loss is all but zero Adam's steps hang on the rounding of gradients near zero, and two
# runs in float32 drift apart within a cycle or two, torch's from torch's as well. In float64 there
# is room for that over a whole run.


@pytest.mark.slow
@pytest.mark.parametrize("name", ["random", "margin", "coreset"])
def test_a_whole_strict_run_repeats_the_reference_on_esc10(name):
    strict(esc10(), name, budget=500, dtype=np.float64)


@pytest.mark.parametrize("name", ["random", "margin-multilabel", "coreset"])
def test_a_whole_strict_run_repeats_the_reference_with_many_labels(name):
    strict(make_set(9, n=1500, dim=64, labels=12), name, budget=500, dtype=np.float64)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "budget", "dtype"),
    [
        ("random", 200, np.float32),
        ("coreset", 200, np.float32),
        ("margin-multilabel", 200, np.float32),
        ("margin-multilabel", 500, np.float64),
    ],
)
def test_strict_mode_repeats_the_reference_loop_on_a_set_like_hsn(name, budget, dtype):
    from antiphon.active.simulate.generate import generate
    from antiphon.active.simulate.presets import preset

    strict(generate(preset("hsn"), 0), name, budget=budget, dtype=dtype)


def test_the_fast_mode_agrees_in_the_mean_of_five_runs():
    data = make_set(21, n=900, dim=48, labels=8)
    config = LoopConfig(budget=150, schedule=Schedule((50,)))
    modes = [
        [run_loop(data, "margin", replace(config, exact=exact), seed).aulc() for seed in range(5)]
        for exact in (True, False)
    ]
    assert np.mean(modes[0]) == pytest.approx(np.mean(modes[1]), abs=0.005)


def test_runs_are_equal_to_the_bit_and_seeds_differ():
    data = make_set()
    first, second = (run_loop(data, "coreset", QUICK, 3) for _ in range(2))
    other = run_loop(data, "coreset", QUICK, 4)
    assert [c.rows for c in first.cycles] == [c.rows for c in second.cycles]
    assert first.curve() == second.curve()
    assert first.curve() != other.curve()


def test_a_run_says_what_it_spent():
    data = make_set(1)
    config = LoopConfig(budget=70, schedule=Schedule((30, 25)), epochs=2)
    run = run_loop(data, "random", config, 0)
    assert [c.n_labelled for c in run.cycles] == [30, 55, 70]
    chosen = [row for c in run.cycles for row in c.rows]
    assert len(set(chosen)) == 70
    assert not data.validation[chosen].any()
    assert run.events() == int(data.targets[chosen].sum())
    assert (run.n_pool, run.n_judges, run.n_labels) == (300, 100, 5)
    dim = 24
    assert run.parameters == run.baseline_parameters == dim * dim + dim + dim * 5 + 5
    assert run.relative_cost() == pytest.approx(2 * 3 / (10 * 2))
    assert Run.from_json(run.to_json()) == run


def test_single_label_sets_cost_one_event_each():
    run = run_loop(make_set(2, multilabel=False), "random", QUICK, 0)
    assert run.events() == 60


def test_the_budget_never_exceeds_the_pool():
    data = make_set(5, n=16)
    run = run_loop(data, "coreset", LoopConfig(epochs=1), 0)
    assert [c.n_labelled for c in run.cycles] == [12]


def test_a_class_only_in_validation_is_judged_and_one_without_is_left_out():
    data = make_set(6)
    targets = data.targets.copy()
    targets[~data.validation, 0] = 0.0
    targets[data.validation, 1] = 0.0
    run = run_loop(replace(data, targets=targets), "random", QUICK, 0)
    assert run.without_positives == 1
    assert all(np.isfinite(c.mAP) for c in run.cycles)


def test_a_run_keeps_the_precision_of_each_class():
    data = make_set(seed=2)
    run = run_loop(data, "random", QUICK, seed=1)
    assert [name for name, _ in run.by_label] == list(data.labels)
    known = [value for _, value in run.by_label if value is not None]
    assert run.cycles[-1].mAP == pytest.approx(np.mean(known), abs=1e-5)
    assert len(data.labels) - len(known) == run.without_positives
    plain = run.to_json()
    assert Run.from_json(plain) == run
    # Runs of versions that did not keep it can be read still.
    del plain["by_label"]
    assert Run.from_json(plain).by_label == ()


def test_without_validation_rows_all_rows_judge():
    data = make_set(7)
    run = run_loop(replace(data, validation=np.zeros(400, bool)), "random", QUICK, 0)
    assert (run.n_pool, run.n_judges) == (400, 400)


def test_the_warm_up_chooses_the_first_batch_only():
    data = make_set(8)
    plain = run_loop(data, "margin", QUICK, 0)
    warm = run_loop(data, "margin", replace(QUICK, warmup="coreset"), 0)
    alone = run_loop(data, "coreset", QUICK, 0)
    assert warm.cycles[0].rows == alone.cycles[0].rows != plain.cycles[0].rows
    assert warm.cycles[1].rows != alone.cycles[1].rows


def reachable(thing: object) -> list[object]:
    """All objects that can be reached from one, functions and modules left out."""
    found: dict[int, object] = {}
    queue = [thing]
    while queue:
        one = queue.pop()
        if id(one) in found or isinstance(one, type) or type(one).__name__ in {"module", "frame"}:
            continue
        found[id(one)] = one
        if isinstance(one, np.ndarray):
            queue.append(one.base)
        elif callable(one) and hasattr(one, "__globals__"):
            queue += [cell.cell_contents for cell in one.__closure__ or ()]
        else:
            queue += gc.get_referents(one)
    return list(found.values())


def test_a_strategy_cannot_reach_a_hidden_label():
    data = make_set(11)
    seen: list[PoolView] = []
    hidden_rows = []

    def spy(pool: PoolView, n: int) -> Selection:
        everything = reachable(pool)
        assert not any(isinstance(thing, LabelledSet) for thing in everything)
        arrays = [a for a in everything if isinstance(a, np.ndarray)]
        # No array within reach holds a label per row of the pool or of the set.
        for array in arrays:
            if array.ndim == 2 and array.shape[1] == len(data.labels):
                binary = np.isin(array, (0.0, 1.0)).all() and array.dtype == np.float32
                assert not (binary and len(array) in (pool.size, len(data.targets)))
            assert not np.shares_memory(array, data.targets)
        assert len(pool.labels) == len(pool.labelled)
        seen.append(pool)
        hidden_rows.append(len(pool.candidates()))
        return Selection(pool.candidates()[:n], np.ones(n, np.float32))

    run_loop(data, spy, QUICK, 0)
    assert hidden_rows == [300, 280, 260]
    with pytest.raises(ValueError, match="read-only"):
        seen[0].embeddings[0] = 0
    with pytest.raises(ValueError, match="read-only"):
        seen[-1].labels[0] = 0


@pytest.mark.parametrize("name", [card.name for card in list_strategies()])
def test_picks_do_not_depend_on_labels_that_are_not_revealed(name):
    data = make_set(12)
    before = run_loop(data, name, QUICK, 1)
    revealed = {row for cycle in before.cycles[:-1] for row in cycle.rows}
    scrambled = data.targets.copy()
    others = np.array([i for i in range(len(scrambled)) if i not in revealed])
    scrambled[others] = 1.0 - scrambled[others]
    after = run_loop(replace(data, targets=scrambled), name, QUICK, 1)
    assert [c.rows for c in after.cycles] == [c.rows for c in before.cycles]


def answer(rows):
    def strategy(pool: PoolView, n: int) -> Selection:
        found = rows(pool, n)
        return Selection(found, np.ones(len(found), np.float32))

    strategy.name = "odd"  # type: ignore[attr-defined]
    return strategy


@pytest.mark.parametrize(
    ("rows", "word"),
    [
        (lambda pool, n: np.zeros(n, np.int64), "row 0 more than once"),
        (lambda pool, n: np.arange(n) + pool.size, "not in the pool of 300"),
        (lambda pool, n: np.arange(n) - 5, "not in the pool"),
        (lambda pool, n: np.arange(n) + 0.5, "expected whole numbers"),
        (lambda pool, n: np.arange(n - 1), "returned 19 rows; 20 were wanted"),
        (lambda pool, n: np.arange(20), "labelled already"),
    ],
)
def test_a_strategy_that_answers_nonsense_is_named(rows, word):
    with pytest.raises(StrategyError, match=word) as caught:
        run_loop(make_set(), answer(rows), QUICK, 0)
    assert "'odd'" in str(caught.value)


@pytest.mark.parametrize("error", [KeyError("x"), SystemExit(3), UserError("x")])
def test_a_strategy_that_raises_or_exits_is_named(error):
    def broken(pool: PoolView, n: int) -> Selection:
        raise error

    with pytest.raises(StrategyError, match=f"'broken' failed in cycle 1: {type(error).__name__}"):
        run_loop(make_set(), broken, QUICK, 0)


@pytest.mark.parametrize(
    ("utility", "word"),
    [
        (lambda n: np.ones(n + 1), "expected one number for each row"),
        (lambda n: ["much"] * n, "expected one number for each row"),
        (lambda n: [[1.0], [2.0, 3.0]], "expected one number for each row"),
        (lambda n: np.full(n, np.nan), "not a number"),
    ],
)
def test_odd_utilities_are_refused(utility, word):
    def odd(pool: PoolView, n: int) -> Selection:
        return Selection(pool.candidates()[:n], utility(n))

    with pytest.raises(StrategyError, match=word):
        run_loop(make_set(), odd, QUICK, 0)


def test_a_strategy_that_returns_nothing_is_named():
    with pytest.raises(StrategyError, match="'nothing' returned nothing"):
        run_loop(make_set(), named("nothing", lambda pool, n: None), QUICK, 0)


def named(name, function):
    function.__name__ = name
    return function


def test_a_strategy_that_hangs_is_given_up():
    def hanging(pool: PoolView, n: int) -> Selection:
        while True:
            try:
                time.sleep(0.01)
            except Exception:
                continue

    with pytest.raises(StrategyError, match=r"'hanging' did not end within 0\.2 s in cycle 1"):
        run_loop(make_set(), hanging, replace(QUICK, time_limit_s=0.2), 0)


def test_a_strategy_that_hangs_outside_the_main_thread_is_given_up_too():
    stop = threading.Event()

    def hanging(pool: PoolView, n: int) -> Selection:
        stop.wait(60)
        raise AssertionError

    config = replace(QUICK, time_limit_s=0.2)
    with ThreadPoolExecutor(1) as threads:
        good = threads.submit(run_loop, make_set(), "random", config, 0).result()
        late = threads.submit(run_loop, make_set(), hanging, config, 0)
        with pytest.raises(StrategyError, match=r"'hanging' did not end within 0\.2 s"):
            late.result()
    stop.set()
    assert good.curve() == run_loop(make_set(), "random", config, 0).curve()


def test_sets_that_cannot_be_run_are_refused():
    data = make_set()
    with pytest.raises(UserError, match="no rows to choose from"):
        run_loop(replace(data, validation=np.ones(400, bool)), "random", QUICK)
    x = data.embeddings.copy()
    x[7, 3] = np.inf
    with pytest.raises(UserError, match="NaN or infinite"):
        run_loop(replace(data, embeddings=x), "random", QUICK)


@pytest.mark.parametrize(
    "wrong",
    [
        {"budget": 0},
        {"dropout": 1.0},
        {"learning_rate": 0.0},
        {"hidden": 0},
        {"time_limit_s": -1.0},
    ],
)
def test_settings_are_checked(wrong):
    with pytest.raises(UserError, match=next(iter(wrong))):
        LoopConfig(**wrong)

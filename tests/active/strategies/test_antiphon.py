from __future__ import annotations

import numpy as np
import pytest

from antiphon.active.doubt import balanced_entropy
from antiphon.active.registry import select
from antiphon.active.strategies.antiphon import (
    Settings,
    antiphon_with,
    distance_from_background,
    diverse_batch,
    make_space,
    outlier_weight,
    ramp,
)
from antiphon.active.surrogate import believe
from tests.active.strategies.views import circle, view


def test_entropy_joins_in_as_the_budget_is_spent() -> None:
    settings = Settings(ramp_from=0.1, ramp_to=0.6)
    shares = [0.0, 0.1, 0.35, 0.6, 1.0]
    np.testing.assert_allclose([ramp(s, settings) for s in shares], [0, 0, 0.5, 1, 1], atol=1e-9)
    # A ramp without width is a step.
    step = Settings(ramp_from=0.3, ramp_to=0.3)
    assert (ramp(0.29, step), ramp(0.31, step)) == (0.0, 1.0)


def test_isolated_windows_lose_weight_and_common_ones_none() -> None:
    lonely = np.concatenate([np.linspace(0.5, 0.7, 101), [0.85, 1.2]]).astype(np.float32)
    weight = outlier_weight(lonely, Settings(fence=1.5, guard=2.0))
    # Quartiles 0.551 and 0.653, so the fence is at 0.806.
    np.testing.assert_allclose(weight[:-2], 1.0)
    np.testing.assert_allclose(weight[-2:], [(0.806 / 0.85) ** 2, (0.806 / 1.2) ** 2], rtol=1e-3)
    even = np.linspace(0.5, 1.0, 101, dtype=np.float32)
    assert (outlier_weight(even, Settings()) == 1.0).all()
    assert (outlier_weight(lonely, Settings(guard=0.0)) == 1.0).all()
    assert (outlier_weight(np.zeros(4, np.float32), Settings()) == 1.0).all()


def test_the_first_batch_covers_what_stands_out() -> None:
    rng = np.random.default_rng(0)
    # 270 empty windows around the background, 30 with one of five sounds.
    x = rng.normal(size=20) * 4.0 + 0.3 * rng.normal(size=(300, 20))
    kind = np.full(300, -1)
    kind[::10] = np.arange(30) % 5
    sounds = 4.0 * rng.normal(size=(5, 20))
    x[::10] += sounds[kind[::10]]
    found = [select("antiphon", view(x, seed=s), 8).rows for s in range(4)]
    for rows in found:
        assert set(kind[rows]) >= set(range(5))
    plain = antiphon_with(Settings(salience=0.0))(view(x), 8).rows
    assert (kind[found[0]] >= 0).sum() >= (kind[plain] >= 0).sum()


def test_a_batch_of_equally_good_windows_has_no_repeats() -> None:
    points = circle([0, 2, 4, 90, 92])
    chosen = diverse_batch(points, np.arange(5), np.ones(5, np.float32), 2, Settings())
    assert sorted((chosen.rows // 3).tolist()) == [0, 1]


def test_empty_windows_are_near_the_background() -> None:
    rng = np.random.default_rng(0)
    x = 4.0 * rng.normal(size=40) + 0.3 * rng.normal(size=(300, 40))
    # Every tenth window holds one of three sounds.
    events = np.arange(0, 300, 10)
    x[events] += 3.0 * rng.normal(size=(3, 40))[np.arange(30) % 3]
    away = distance_from_background(x.astype(np.float32), Settings())
    assert np.median(away) == pytest.approx(1.0, abs=0.05)
    assert away[events].min() > 1.5
    assert away.max() <= 2.5
    assert (distance_from_background(np.ones((4, 3), np.float32), Settings()) == 1.0).all()


@pytest.mark.parametrize(("labelled", "power"), [(10, 0.0), (35, 0.5), (80, 1.0)])
def test_each_choice_has_the_largest_determinant(labelled: int, power: float) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(140, 9))
    labels = (rng.random((labelled, 3)) < 0.3).astype(np.float32)
    pool = view(x, np.arange(labelled), labels, rng.random((140, 3)), budget=100)
    settings = Settings(guard=0.0, candidates=200, ramp_to=0.6)
    rows = antiphon_with(settings)(pool, 5).rows
    space = make_space(pool.embeddings, settings)
    points, free = space.points, np.arange(labelled, 140)
    belief = believe(
        points, free, np.arange(labelled), labels, width=settings.width, noise=settings.noise
    )
    doubt = 0.05 + balanced_entropy(belief.probability, labels, settings.balance)
    empty = (labels.sum(axis=1) == 0).mean()
    worth = (
        np.sqrt(belief.variance)
        * doubt**power
        * space.length[free] ** (settings.later_salience * empty)
    )
    squared = ((points[free][:, None] - points[free][None]) ** 2).sum(axis=2)
    kernel = worth[:, None] * np.exp(-squared / (2 * settings.width**2)) * worth
    chosen: list[int] = []
    for row in rows - labelled:
        left = [i for i in range(140 - labelled) if i not in chosen]
        value = [np.linalg.det(kernel[np.ix_([*chosen, i], [*chosen, i])]) for i in left]
        assert row == left[int(np.argmax(value))]
        chosen.append(int(row))


def test_the_guard_holds_back_junk() -> None:
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(20, 30)) * 3.0
    calls = centres[rng.integers(0, 20, 570)] + rng.normal(size=(570, 30))
    junk = rng.normal(size=(30, 30)) * 3.0
    x = np.concatenate([calls, junk])
    labelled = np.arange(40)

    def junk_chosen(guard: float) -> int:
        pool = view(x, labelled)
        return int((antiphon_with(Settings(guard=guard))(pool, 20).rows >= 570).sum())

    assert junk_chosen(16.0) < junk_chosen(0.0) / 2


def test_the_default_takes_the_settings_documented() -> None:
    x = np.random.default_rng(0).normal(size=(60, 6))
    first = select("antiphon", view(x), 10).rows
    assert first.tolist() == antiphon_with(Settings())(view(x), 10).rows.tolist()

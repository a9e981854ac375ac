from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from antiphon.errors import UserError
from antiphon.evaluation.blending.resampling import wins as w
from antiphon.evaluation.blending.resampling.counts import Wins


def made_up(seed: int, files: int = 9, classes: int = 4) -> tuple[np.ndarray, ...]:
    """Scores of two models with ties, truth, and files in mixed order."""
    rng = np.random.default_rng(seed)
    file = rng.permutation(np.repeat(np.arange(files), rng.integers(2, 9, files)))
    n = len(file)
    level = rng.standard_normal((files, classes))[file]
    truth = level + rng.standard_normal((n, classes)) > 0.8
    truth[0], truth[1] = True, False
    score = np.rint(2 * (rng.standard_normal((2, n, classes)) + truth + level / 2))
    return score, truth, file


def by_rows(score: np.ndarray, truth: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """AUC of each class on rows, which may repeat."""
    s, t = score[rows], truth[rows]
    return np.array(
        [
            roc_auc_score(t[:, c], s[:, c]) if 0 < t[:, c].sum() < len(t) else np.nan
            for c in range(t.shape[1])
        ]
    )


def test_counts_by_hand() -> None:
    # File 0: positive 3, negatives 1 and 3; file 1: positive 2, negative 2.
    score = np.array([3.0, 1.0, 3.0, 2.0, 2.0])[:, None]
    truth = np.array([1, 0, 0, 1, 0])[:, None]
    wins = w.win_counts(score, truth, np.array([0, 0, 0, 1, 1]))
    assert wins.count.tolist() == [[3, 2], [2, 1]]
    assert (wins.row_class.tolist(), wins.row_file.tolist()) == ([0, 0], [0, 1])
    assert wins.dense(0).tolist() == [[1.5, 1.0], [1.0, 0.5]]
    assert float(w.macro_auc(wins)) == pytest.approx(4 / 6)


@pytest.mark.parametrize("seed", range(4))
def test_weights_are_copies_of_files(seed: int) -> None:
    score, truth, file = made_up(seed)
    wins = w.win_counts(score[0], truth, file)
    weights = np.random.default_rng(seed).integers(0, 4, (6, wins.n_files))
    weights[0] = 1
    got = w.class_auc(wins, weights)
    for one, values in zip(weights, got, strict=True):
        rows = np.repeat(np.arange(len(file)), one[file])
        np.testing.assert_allclose(values, by_rows(score[0], truth, rows), rtol=0, atol=1e-12)
    np.testing.assert_allclose(w.macro_auc(wins, weights), np.nanmean(got, axis=1), atol=1e-15)


def test_bootstrap_is_recomputing_on_resampled_rows() -> None:
    score, truth, file = made_up(5)
    a, b = (w.win_counts(s, truth, file) for s in score)
    drawn = w.bootstrap(a, b, 25, np.random.default_rng(1))
    files = a.n_files
    weights = np.random.default_rng(1).multinomial(files, np.full(files, 1 / files), size=25)
    for k, one in enumerate(weights):
        rows = np.repeat(np.arange(len(file)), one[file])
        for values, s in ((drawn.a, score[0]), (drawn.b, score[1])):
            assert values[k] == pytest.approx(np.nanmean(by_rows(s, truth, rows)), abs=1e-12)
    np.testing.assert_allclose(drawn.difference, drawn.a - drawn.b, atol=1e-15)
    interval = drawn.interval()
    assert interval.low <= interval.value <= interval.high
    assert interval.value == pytest.approx(float(w.macro_auc(a) - w.macro_auc(b)))
    assert drawn.interval("a", method="bca").n_groups == files


def test_a_model_differs_from_itself_by_nothing() -> None:
    score, truth, file = made_up(6)
    wins = w.win_counts(score[0], truth, file)
    assert not w.bootstrap(wins, wins, 50, np.random.default_rng(0)).difference.any()
    assert w.standard_error(wins, wins).macro == 0.0


def test_jackknife_folds_and_splits_are_subsets_of_rows() -> None:
    score, truth, file = made_up(7)
    wins = w.win_counts(score[0], truth, file)

    def on(files: np.ndarray) -> float:
        return float(np.nanmean(by_rows(score[0], truth, np.flatnonzero(files[file]))))

    every = np.arange(wins.n_files)
    want = [on(every != f) for f in every]
    np.testing.assert_allclose(w.jackknife(wins), want, atol=1e-12)
    fold = every % 3
    np.testing.assert_allclose(
        w.fold_scores(wins, fold), [on(fold == k) for k in range(3)], atol=1e-12
    )
    first, rest = w.split_scores(wins, fold == 0)
    assert (first[0], rest[0]) == pytest.approx((on(fold == 0), on(fold != 0)), abs=1e-12)


def obuchowski(x: list[np.ndarray], y: list[np.ndarray]) -> float:
    """Variance of the AUC as in the paper, from scores of positives and negatives by cluster."""
    positive, negative = np.concatenate(x), np.concatenate(y)

    def psi(p: np.ndarray, q: np.ndarray) -> np.ndarray:
        return (p[:, None] > q[None]) + 0.5 * (p[:, None] == q[None])

    m, n, clusters = len(positive), len(negative), len(x)
    theta = psi(positive, negative).mean()
    part_x = np.array([psi(p, negative).mean(axis=1).sum() - len(p) * theta for p in x])
    part_y = np.array([psi(positive, q).mean(axis=0).sum() - len(q) * theta for q in y])
    with_x, with_y = sum(len(p) > 0 for p in x), sum(len(q) > 0 for q in y)
    s10 = with_x / ((with_x - 1) * m) * (part_x**2).sum()
    s01 = with_y / ((with_y - 1) * n) * (part_y**2).sum()
    s11 = clusters / (clusters - 1) * (part_x * part_y).sum()
    return s10 / m + s01 / n + 2 * s11 / (m * n)


def test_standard_error_is_that_of_obuchowski() -> None:
    score, truth, file = made_up(8)
    wins = w.win_counts(score[0], truth, file)
    got = w.standard_error(wins).by_class
    for c in range(truth.shape[1]):
        s, t = score[0][:, c], truth[:, c]
        x = [s[(file == f) & t] for f in range(wins.n_files)]
        y = [s[(file == f) & ~t] for f in range(wins.n_files)]
        assert got[c] == pytest.approx(np.sqrt(obuchowski(x, y)), abs=1e-12)


def test_standard_error_without_clusters_is_that_of_delong() -> None:
    rng = np.random.default_rng(1)
    truth = np.arange(60) < 20
    score = rng.standard_normal(60) + truth
    wins = w.win_counts(score[:, None], truth[:, None], np.arange(60))
    psi = (score[truth][:, None] > score[~truth][None]).astype(float)
    variance = psi.mean(axis=1).var(ddof=1) / 20 + psi.mean(axis=0).var(ddof=1) / 40
    # In single-row files only positives or only negatives are there, so the cross term is 0.
    assert w.standard_error(wins).by_class[0] == pytest.approx(np.sqrt(variance), abs=1e-12)


def test_standard_error_agrees_with_the_bootstrap_for_many_files() -> None:
    score, truth, file = made_up(9, files=150, classes=3)
    a, b = (w.win_counts(s, truth, file) for s in score)
    drawn = w.bootstrap(a, b, 3000, np.random.default_rng(0))
    assert w.standard_error(a).macro == pytest.approx(drawn.a.std(), rel=0.1)
    assert w.standard_error(a, b).macro == pytest.approx(drawn.difference.std(), rel=0.1)


def test_positives_in_one_file_are_not_estimable() -> None:
    score = np.array([[3.0], [1.0], [2.0], [0.5]])
    truth = np.array([[1], [0], [0], [0]])
    wins = w.win_counts(score, truth, np.array([0, 0, 1, 1]))
    assert np.isnan(w.standard_error(wins).by_class[0])
    assert w.macro_auc(wins, [[0, 1]]).tolist() == pytest.approx([np.nan], nan_ok=True)


def test_within_and_between_files() -> None:
    score, truth, file = made_up(10)
    wins = w.win_counts(score[0], truth, file)
    got = w.within_between(wins)
    for c in range(truth.shape[1]):
        p, q = np.flatnonzero(truth[:, c]), np.flatnonzero(~truth[:, c])
        s = score[0][:, c]
        psi = (s[p][:, None] > s[q]) + 0.5 * (s[p][:, None] == s[q])
        same = file[p][:, None] == file[q]
        assert got.within[c] == pytest.approx(psi[same].mean(), abs=1e-12)
        assert got.between[c] == pytest.approx(psi[~same].mean(), abs=1e-12)
        assert (got.pairs_within[c], got.pairs_between[c]) == (same.sum(), (~same).sum())
    assert got.macro_within == pytest.approx(got.within.mean())


def test_a_class_without_positives_has_no_rows_and_no_auc() -> None:
    score, truth, file = made_up(11)
    truth[:, 1], truth[:, 2] = False, True
    wins = w.win_counts(score[0], truth, file, n_files=12)
    assert 1 not in wins.row_class
    assert np.isnan(w.class_auc(wins)[[1, 2]]).all()
    assert float(w.macro_auc(wins)) == pytest.approx(
        np.nanmean(by_rows(score[0], truth, np.arange(len(file))))
    )
    # Files without rows are not drawn and change nothing.
    assert w.bootstrap_many([wins], 5, np.random.default_rng(0)).n_groups == 9


def test_what_does_not_fit_is_refused() -> None:
    score, truth, file = made_up(12)
    wins = w.win_counts(score[0], truth, file)
    with pytest.raises(UserError, match="same rows"):
        w.bootstrap(wins, w.win_counts(score[1], ~truth, file), 5, np.random.default_rng(0))
    with pytest.raises(UserError, match="row 0, class 0 is nan"):
        w.win_counts(np.full_like(score[0], np.nan), truth, file)
    with pytest.raises(UserError, match="File numbers"):
        w.win_counts(score[0], truth, file, n_files=2)
    with pytest.raises(UserError, match="not negative"):
        w.macro_auc(wins, -np.ones(wins.n_files))
    with pytest.raises(UserError, match="one fold"):
        w.fold_scores(wins, [0])
    assert isinstance(wins, Wins)

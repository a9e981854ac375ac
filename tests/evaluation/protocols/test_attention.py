from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import approx_fprime

from antiphon.errors import UserError
from antiphon.evaluation.protocols.attention import attention_probe
from antiphon.evaluation.protocols.attention_model import (
    AttentionModel,
    Frames,
    loss_and_gradient,
)
from antiphon.evaluation.protocols.inputs import Labelled
from antiphon.evaluation.protocols.pooling import masked_mean
from antiphon.evaluation.protocols.probe import linear_probe


def model(heads: int, k: int, dim: int, seed: int) -> AttentionModel:
    rng = np.random.default_rng(seed)
    return AttentionModel(
        rng.standard_normal((heads, dim)),
        rng.standard_normal((heads, k, dim)),
        rng.standard_normal(k),
    )


def data(n: int, length: int, dim: int, seed: int):
    rng = np.random.default_rng(seed)
    values = rng.standard_normal((n, length, dim)).astype(np.float32)
    mask = np.arange(length) < rng.integers(1, length + 1, n)[:, None]
    return Frames.of(values, mask), rng.integers(0, 3, n), rng.integers(0, 2, (n, 3))


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize("heads", [1, 3])
def test_loss_and_gradient_are_those_of_torch(several: bool, heads: int) -> None:
    torch = pytest.importorskip("torch")
    frames, one, many = data(11, 6, 5, 0)
    start, l2 = model(heads, 3, 5, 1), 0.7
    side = Labelled(np.empty((11, 5), np.float32), many if several else one, 3)
    value, gradient = loss_and_gradient(start, frames, side, l2)
    query, weight, bias = (
        torch.tensor(a, requires_grad=True) for a in (start.query, start.weight, start.bias)
    )
    x = torch.tensor(frames.values.astype(np.float64))
    score = torch.einsum("ntd,hd->nht", x, query) / np.sqrt(5)
    score = score.masked_fill(~torch.tensor(frames.mask)[:, None], -torch.inf)
    pooled = torch.softmax(score, dim=2) @ x
    logits = torch.einsum("nhd,hcd->nc", pooled, weight) + bias
    if several:
        target = torch.tensor(many.astype(np.float64))
        loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, target, reduction="sum")
    else:
        loss = torch.nn.functional.cross_entropy(logits, torch.tensor(one), reduction="sum")
    loss = loss + 0.5 * l2 * ((weight**2).sum() + (query**2).sum())
    loss.backward()
    want = np.concatenate([t.grad.numpy().ravel() for t in (query, weight, bias)])
    assert value == pytest.approx(float(loss.detach()), rel=1e-5)
    np.testing.assert_allclose(gradient, want, atol=2e-5 * np.abs(want).max())


def test_the_gradient_is_that_of_finite_differences() -> None:
    frames, one, _ = data(6, 4, 3, 2)
    start, side = model(2, 3, 3, 3), Labelled(np.empty((6, 3), np.float32), one, 3)
    _, gradient = loss_and_gradient(start, frames, side, 0.1)
    want = approx_fprime(
        start.vector, lambda v: loss_and_gradient(start.like(v), frames, side, 0.1)[0], 1e-2
    )
    np.testing.assert_allclose(gradient, want, atol=0.05)


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    from antiphon.evaluation.protocols import attention_model

    frames, one, _ = data(30, 5, 4, 4)
    start, side = model(2, 3, 4, 5), Labelled(np.empty((30, 4), np.float32), one, 3)
    whole = loss_and_gradient(start, frames, side, 1.0)
    monkeypatch.setattr(attention_model, "BLOCK", 50)
    parts = loss_and_gradient(start, frames, side, 1.0)
    assert whole[0] == pytest.approx(parts[0], rel=1e-6)
    np.testing.assert_allclose(whole[1], parts[1], rtol=1e-4, atol=1e-4)


def test_padding_gets_no_attention_and_changes_nothing() -> None:
    frames, _, _ = data(9, 6, 4, 6)
    tool = model(2, 3, 4, 7)
    share = tool.attention(frames)
    assert (share[np.broadcast_to(~frames.mask[:, None], share.shape)] == 0).all()
    np.testing.assert_allclose(share.sum(axis=2), 1.0, rtol=1e-6)
    longer = np.concatenate([frames.values, np.full((9, 5, 4), 7.0, np.float32)], axis=1)
    mask = np.concatenate([frames.mask, np.zeros((9, 5), dtype=bool)], axis=1)
    np.testing.assert_allclose(
        tool.logits(Frames.of(longer, mask)), tool.logits(frames), rtol=1e-5, atol=1e-5
    )


def hidden(n: int, seed: int):
    """The class stands in one marked frame of twelve; the others carry other classes."""
    rng = np.random.default_rng(seed)
    centre = np.random.default_rng(99).standard_normal((4, 8))
    y = rng.integers(0, 4, n)
    other = rng.integers(0, 4, (n, 12))
    x = 3.0 * centre[other] + 0.3 * rng.standard_normal((n, 12, 8))
    at = rng.integers(0, 12, n)
    x[np.arange(n), at] = 3.0 * centre[y] + 0.3 * rng.standard_normal((n, 8))
    marker = np.zeros((n, 12, 1))
    marker[np.arange(n), at] = 3.0
    return np.concatenate([x, marker], axis=2).astype(np.float32), np.ones(n), y


def test_attention_finds_the_frame_that_the_mean_drowns() -> None:
    (x, valid, y), (vx, vv, vy), (tx, tv, ty) = hidden(300, 0), hidden(150, 1), hidden(200, 2)
    found = attention_probe((x, valid), y, (tx, tv), ty, validation=(vx, vv, vy))
    mean = linear_probe(masked_mean(x, valid), y, masked_mean(tx, tv), ty, l2=10.0)
    assert found["accuracy"].low > mean["accuracy"].high
    marked = tx[:, :, 8] > 1.0
    assert found.details["attention"][:, 0][marked].mean() > 0.5


def test_where_frames_say_nothing_more_the_mean_is_kept() -> None:
    rng = np.random.default_rng(0)
    sets = []
    for n in (60, 60, 60):
        y = rng.integers(0, 2, n)
        one = rng.standard_normal((n, 1, 6)) + 0.3 * y[:, None, None]
        sets.append((np.repeat(one, 3, axis=1).astype(np.float32), np.ones(n), y))
    (x, valid, y), (vx, vv, vy), (tx, tv, ty) = sets
    found = attention_probe((x, valid), y, (tx, tv), ty, validation=(vx, vv, vy), grid=[1e-4])
    mean = linear_probe(x[:, 0], y, tx[:, 0], ty, validation=(vx[:, 0], vy))
    assert found.details["l2"] is None
    assert any("no better than the mean" in note for note in found.notes)
    assert found["accuracy"].value == mean["accuracy"].value


def test_faults_are_named() -> None:
    x, valid, y = hidden(20, 0)
    bad = x.copy()
    bad[3, 2, 1] = np.nan
    with pytest.raises(UserError, match="row 3 holds NaN"):
        attention_probe((bad, valid), y, (x, valid), y, validation=(x, valid, y))
    with pytest.raises(UserError, match="at least 1 query"):
        attention_probe((x, valid), y, (x, valid), y, validation=(x, valid, y), heads=0)

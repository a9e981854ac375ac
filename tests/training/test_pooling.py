# ruff: noqa: E402
from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="needs the extra train")

from antiphon.training.pooling import AttentionPooling, TokenPooling, masked_mean


def test_masked_mean_by_hand() -> None:
    tokens = torch.tensor([[[1.0, 2.0], [3.0, 4.0], [99.0, float("nan")]], [[5.0, 6.0]] * 3])
    mask = torch.tensor([[True, True, False], [False, False, False]])
    assert masked_mean(tokens, mask).tolist() == [[2.0, 3.0], [0.0, 0.0]]


def test_attention_pools_by_the_softmax_of_query_and_key() -> None:
    pool = AttentionPooling(4, heads=2)
    tokens = torch.randn(3, 5, 4)
    mask = torch.tensor([[True] * 5, [True, True, True, False, False], [False] * 5])
    pooled = pool(tokens, mask)
    key, value = pool.key(tokens), pool.value(tokens)
    for head in range(2):
        part = slice(2 * head, 2 * head + 2)
        score = key[1, :3, part] @ pool.query[head] / 2**0.5
        wanted = score.softmax(0) @ value[1, :3, part]
        torch.testing.assert_close(pooled[1, part], wanted)
    changed = tokens.clone()
    changed[1, 3:] = 100.0
    torch.testing.assert_close(pool(changed, mask)[1], pooled[1])
    pooled.sum().backward()
    assert bool(torch.isfinite(pool.query.grad).all())
    with pytest.raises(ValueError, match="3 heads do not divide"):
        AttentionPooling(4, heads=3)


def test_the_class_token_is_taken_where_there_is_one() -> None:
    tokens, mask = torch.randn(2, 3, 4), torch.ones(2, 3, dtype=torch.bool)
    cls = torch.randn(2, 4)
    assert torch.equal(TokenPooling("cls", 4)(tokens, mask, cls), cls)
    with pytest.raises(ValueError, match="no class token"):
        TokenPooling("cls", 4)(tokens, mask, None)


def test_masked_mean_holds_in_half_precision() -> None:
    """A sum over the clip is beyond 65504, the mean is not."""
    tokens = torch.full((1, 1000, 2), 100.0, dtype=torch.float16)
    mask = torch.ones(1, 1000, dtype=torch.bool)
    assert masked_mean(tokens, mask).tolist() == [[100.0, 100.0]]
    assert masked_mean(tokens, mask).dtype == torch.float16

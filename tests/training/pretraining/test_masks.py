from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="needs the extra train")

from antiphon.training.pretraining import masks as module  # noqa: E402
from antiphon.training.pretraining.masks import (  # noqa: E402
    Masks,
    inverse_block_masks,
    kept_numbers,
    random_masks,
)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def blocks(valid, grid, *, ratio=0.8, block=5, adjust=0.07, seed=0):
    return inverse_block_masks(
        valid, grid, ratio=ratio, block=block, adjust=adjust, generator=generator(seed)
    )


def kept_sets(masks):
    return [set(k[r].tolist()) for k, r in zip(masks.kept, masks.real, strict=True)]


def test_hand_worked_block_on_a_four_by_four_grid(monkeypatch):
    # The draw 0.66 of 16 patches is patch 10, at (2, 2); a block of 3 around it covers rows and
    # columns 1 to 3, nine patches. Half of 16 is 8, so the one with the lowest number goes.
    draws = iter([torch.tensor([[0.66]]), torch.arange(16).view(1, 16) / 16])
    monkeypatch.setattr(module, "_uniform", lambda shape, generator, like: next(draws))
    masks = blocks(torch.ones(1, 16, dtype=torch.bool), (4, 4), ratio=0.5, block=3, adjust=0.0)
    assert masks.kept.tolist() == [[6, 7, 9, 10, 11, 13, 14, 15]]
    assert masks.predicted.nonzero()[:, 1].tolist() == [0, 1, 2, 3, 4, 5, 8, 12]


def test_hand_worked_block_at_the_edge_is_filled_up(monkeypatch):
    # Patch 0 is the corner: a block of 2 reaches back to row and column -1, so it covers itself
    # only; the three others wanted are those with the highest numbers.
    draws = iter([torch.tensor([[0.0]]), torch.arange(16).view(1, 16) / 16])
    monkeypatch.setattr(module, "_uniform", lambda shape, generator, like: next(draws))
    masks = blocks(torch.ones(1, 16, dtype=torch.bool), (4, 4), ratio=0.75, block=2, adjust=0.0)
    assert masks.kept.tolist() == [[0, 13, 14, 15]]


def test_paper_numbers_keep_a_fifth_of_each_row_in_blocks():
    grid = (64, 8)
    valid = torch.ones(40, 512, dtype=torch.bool)
    masks = blocks(valid, grid)
    assert masks.kept.shape == (40, 102)
    assert masks.real.all()
    assert masks.predicted.sum(1).tolist() == [410] * 40

    def neighbours(masks):
        seen = torch.zeros(40, 512).scatter_(1, masks.kept, 1.0).view(40, *grid)
        return float((seen[:, 1:] * seen[:, :-1]).sum() / seen.sum())

    at_random = random_masks(valid, ratio=0.8, generator=generator())
    # At random a fifth of the patches after a kept one are kept as well.
    assert neighbours(at_random) == pytest.approx(0.2, abs=0.03)
    assert neighbours(masks) > 0.5


@pytest.mark.parametrize("make", ["blocks", "random"])
def test_padding_is_neither_kept_nor_predicted_and_counts_are_exact(make):
    lengths = torch.tensor([12, 7, 3, 1, 0])
    valid = (torch.arange(12) < lengths.unsqueeze(1)).repeat_interleave(4, dim=1)
    for seed in range(20):
        masks = (
            blocks(valid, (12, 4), block=3, seed=seed)
            if make == "blocks"
            else random_masks(valid, ratio=0.8, generator=generator(seed))
        )
        numbers = masks.real.sum(1).tolist()
        # A fifth of 48, 28, 12 and 4 patches, rounded.
        assert numbers == [10, 6, 2, 1, 0]
        for row, kept in enumerate(kept_sets(masks)):
            predicted = set(masks.predicted[row].nonzero()[:, 0].tolist())
            assert len(kept) == numbers[row]
            assert kept | predicted == set(range(4 * int(lengths[row])))
            assert not kept & predicted


def test_at_least_one_is_kept_and_one_left():
    valid = torch.arange(3) < torch.tensor([[0], [1], [2], [3]])
    assert kept_numbers(valid, 0.99).tolist() == [0, 1, 1, 1]
    assert kept_numbers(valid, 0.01).tolist() == [0, 1, 1, 2]


def test_masks_follow_from_the_generator():
    valid = torch.ones(3, 60, dtype=torch.bool)
    one, same, other = (blocks(valid, (15, 4), seed=s) for s in (1, 1, 2))
    assert torch.equal(one.kept, same.kept)
    assert not torch.equal(one.kept, other.kept)
    assert len({tuple(row) for row in one.kept.tolist()}) == 3


def test_take_and_restore_are_each_others_inverse():
    tokens = torch.arange(2 * 4 * 3.0).view(2, 4, 3)
    # Two clones of each of two clips; the last row keeps one patch and has a filler.
    masks = Masks(
        torch.tensor([[0, 1], [1, 3], [0, 2], [1, 2]]),
        torch.tensor([[True, True], [True, True], [True, True], [False, True]]),
        torch.zeros(4, 4, dtype=torch.bool),
    )
    taken = masks.take(tokens)
    assert taken[:, :, 0].tolist() == [[0, 3], [3, 9], [12, 18], [15, 18]]
    back = masks.restore(taken, torch.full((4, 4, 3), -1.0))
    assert back[:, :, 0].tolist() == [
        [0, 3, -1, -1],
        [-1, 3, -1, 9],
        [12, -1, 18, -1],
        [-1, -1, 18, -1],
    ]

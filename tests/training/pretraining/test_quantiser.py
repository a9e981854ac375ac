from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="needs the extra train")
from torch.nn import functional  # noqa: E402

from antiphon.training.pretraining.quantiser import Quantiser, nearest_codes  # noqa: E402


def test_nearest_codes_by_brute_force():
    generator = torch.Generator().manual_seed(0)
    vectors = functional.normalize(torch.randn(3, 50, 6, generator=generator), dim=2)
    codebook = functional.normalize(torch.randn(20, 6, generator=generator), dim=1)
    found = nearest_codes(vectors, codebook)
    for clip in range(3):
        for place in range(50):
            squares = [float(((vectors[clip, place] - c) ** 2).sum()) for c in codebook]
            assert found[clip, place] == squares.index(min(squares))


def test_codebook_follows_its_vectors_by_hand():
    quantiser = Quantiser(2, 2, decay=0.5, revive_below=0.0)
    quantiser.sums.copy_(torch.tensor([[1.0, 0.0], [0.0, 1.0]]))
    quantiser.counts.fill_(1.0)
    quantiser.codebook.copy_(quantiser.sums)
    vectors = torch.tensor([[0.8, 0.6], [0.6, 0.8], [1.0, 0.0]])
    codes = quantiser.codes(vectors)
    assert codes.tolist() == [0, 1, 0]
    quantiser.follow(vectors, codes)
    # Code 0: half of (1, 0) and half of (1.8, 0.6); code 1: half of (0, 1) and of (0.6, 0.8).
    assert torch.allclose(quantiser.sums, torch.tensor([[1.4, 0.3], [0.3, 0.9]]))
    assert quantiser.counts.tolist() == [1.5, 1.0]
    assert torch.allclose(quantiser.codebook, functional.normalize(quantiser.sums, dim=1))


def test_unused_codes_take_vectors_of_the_batch_and_used_ones_stay():
    quantiser = Quantiser(4, 2, decay=0.9, revive_below=0.1)
    quantiser.counts.copy_(torch.tensor([5.0, 0.05, 0.2, 0.0]))
    quantiser.codebook[:] = torch.tensor([1.0, 0.0])
    vectors = torch.tensor([[0.0, 1.0], [0.0, -1.0]])
    assert quantiser.revive(vectors, torch.Generator().manual_seed(0)) == 2
    assert quantiser.codebook[:, 0].tolist() == [1, 0, 1, 0]
    assert quantiser.codebook[[1, 3], 1].abs().tolist() == [1, 1]
    assert quantiser.revive(vectors, torch.Generator().manual_seed(0)) == 0


def test_a_batch_without_audio_revives_nothing():
    quantiser = Quantiser(4, 2, decay=0.9, revive_below=0.1)
    assert quantiser.revive(torch.zeros(0, 2), torch.Generator().manual_seed(0)) == 0
    assert not quantiser.counts.any()

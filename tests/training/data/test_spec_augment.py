from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="needs the extra train")

from antiphon.audio.augmentation.config import SpecAugmentConfig  # noqa: E402
from antiphon.training.data.spec_augment import spec_augment  # noqa: E402

OFF = {"time_masks": 0, "mel_masks": 0, "band_p": 0.0}


def features(n: int = 64, frames: int = 100, bins: int = 40) -> torch.Tensor:
    return torch.randn(n, frames, bins, generator=torch.Generator().manual_seed(0)) + 5.0


def changed(config: SpecAugmentConfig, x: torch.Tensor, mask: torch.Tensor | None = None):
    before = x.clone()
    out = spec_augment(x, mask, config, torch.Generator().manual_seed(1))
    assert torch.equal(x, before)
    assert out.shape == x.shape
    return out, out != x


def runs(line: torch.Tensor) -> int:
    """Spans of True in a row of bools."""
    steps = torch.diff(line.int(), prepend=torch.zeros(1, dtype=torch.int32))
    return int((steps == 1).sum())


def test_nothing_changes_nothing():
    out, hidden = changed(SpecAugmentConfig(**OFF), features())
    assert not hidden.any()
    assert torch.equal(out, features())


def test_one_span_of_frames():
    config = SpecAugmentConfig(**{**OFF, "time_masks": 1}, time_share=0.2)
    _, hidden = changed(config, features(400))
    frames = hidden.all(2)
    assert torch.equal(hidden, frames[:, :, None].expand_as(hidden))
    assert max(runs(row) for row in frames) == 1
    # Evenly from 0 to 20 frames, each as often as another.
    width = frames.sum(1)
    assert width.min() == 0
    assert width.max() == 20
    assert width.float().mean().item() == pytest.approx(10, abs=1)
    # Each place is hidden: the middle by a tenth of all, the ends less often.
    share = frames.float().mean(0)
    assert share[40:60].mean().item() == pytest.approx(0.12, abs=0.03)
    assert 0 < share[0] < share[50]
    assert 0 < share[-1] < share[50]


def test_spans_of_bins_and_their_fill():
    config = SpecAugmentConfig(**{**OFF, "mel_masks": 3}, mel_share=0.25)
    x = features()
    out, hidden = changed(config, x)
    bins = hidden.all(1)
    assert torch.equal(hidden, bins[:, None].expand_as(hidden))
    assert max(runs(row) for row in bins) == 3
    assert bins.sum(1).max() <= 30
    mean = x.mean((1, 2), keepdim=True).expand_as(x)
    torch.testing.assert_close(out[hidden], mean[hidden])


def test_spans_lie_in_the_audio_of_each_example():
    config = SpecAugmentConfig(**{**OFF, "time_masks": 2, "mel_masks": 1}, time_share=0.5)
    x = features(200)
    length = torch.randint(1, 101, (200,), generator=torch.Generator().manual_seed(3))
    mask = torch.arange(100) < length[:, None]
    out, hidden = changed(config, x, mask)
    assert not (hidden & ~mask[:, :, None]).any()
    for row in range(0, 200, 20):
        part = x[row, : length[row]]
        filled = out[row][hidden[row]]
        torch.testing.assert_close(filled, part.mean().expand_as(filled))


def test_bands_are_cut_at_one_end():
    config = SpecAugmentConfig(**{**OFF, "band_p": 0.5}, band_keep=0.25)
    _, hidden = changed(config, features(600))
    bins = hidden.all(1)
    width = bins.sum(1)
    cut = width > 0
    # Half of the examples, and of those one in 31 has a width of 0.
    assert cut.float().mean().item() == pytest.approx(0.5 * 30 / 31, abs=0.06)
    assert width.max() <= 30
    low, high = bins[:, 0] & cut, bins[:, -1] & cut
    assert torch.equal(low ^ high, cut)
    assert (low.sum() / cut.sum()).item() == pytest.approx(0.5, abs=0.1)
    assert all(runs(row) == 1 for row in bins[cut])


def test_generator_decides():
    config = SpecAugmentConfig()
    x = features()
    one = spec_augment(x, None, config, torch.Generator().manual_seed(1))
    assert torch.equal(one, spec_augment(x, None, config, torch.Generator().manual_seed(1)))
    assert not torch.equal(one, spec_augment(x, None, config, torch.Generator().manual_seed(2)))

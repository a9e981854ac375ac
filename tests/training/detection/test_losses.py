# ruff: noqa: E402
from __future__ import annotations

import math

import pytest

torch = pytest.importorskip("torch", reason="needs the extra train")

from antiphon.training.detection.head import SedOutput
from antiphon.training.detection.losses import clip_loss, frame_loss, resampled
from antiphon.training.supervised.loss_config import BceConfig
from antiphon.training.supervised.losses import MultiLabelLoss


def output(frames, mask=None) -> SedOutput:
    frames = torch.tensor(frames, dtype=torch.float32)
    held = torch.ones(frames.shape[:2], dtype=torch.bool) if mask is None else torch.tensor(mask)
    return SedOutput(frames.mean(1), frames.amax(1), frames, torch.zeros_like(frames), held)


def test_the_loss_is_that_of_clip_and_peak_by_their_share():
    out = output([[[0.0], [2.0]]])
    batch = {"labels": torch.tensor([[1.0]]), "known": torch.tensor([[1.0]])}
    entropy = [math.log(1 + math.exp(-z)) for z in (1.0, 2.0)]
    loss = MultiLabelLoss(BceConfig(), ["a"])
    for share in (0.0, 0.3, 1.0):
        wanted = share * entropy[0] + (1 - share) * entropy[1]
        assert clip_loss(loss, out, batch, share).item() == pytest.approx(wanted, rel=1e-6)


def test_the_loss_of_frames_by_hand():
    """Class b is not known, frame 2 is padding; what they hold must not matter."""
    out = output([[[1.0, 5.0], [-2.0, 5.0], [9.0, 9.0]]], [[True, True, False]])
    labels = torch.tensor([[[1.0, float("nan")], [0.5, float("nan")], [float("nan")] * 2]])
    known = torch.tensor([[1.0, 0.0]])
    # Logit 1 of a presence, and logit -2 of what is half one: log(1 + e^-2) + 0.5 * 2.
    wanted = (math.log(1 + math.exp(-1)) + math.log(1 + math.exp(-2)) + 1.0) / 2
    assert frame_loss(out, labels, known).item() == pytest.approx(wanted, rel=1e-6)


def test_without_anything_known_the_loss_of_frames_is_nothing():
    frames = torch.ones(1, 2, 1, requires_grad=True)
    out = output([[[1.0], [1.0]]])._replace(frames=frames)
    loss = frame_loss(out, torch.ones(1, 2, 1), torch.zeros(1, 1))
    loss.backward()
    assert loss.item() == 0.0
    assert frames.grad.eq(0).all()


def test_targets_of_frames_by_hand():
    three = torch.tensor([1.0, 0.0, 0.5])[None, :, None]
    # Frame 0 covers part 0 and half of part 1.
    assert resampled(three, 2).flatten().tolist() == pytest.approx([2 / 3, 1 / 3])
    assert resampled(three, 6).flatten().tolist() == pytest.approx([1, 1, 0, 0, 0.5, 0.5])
    assert resampled(three, 3) is three
    assert resampled(three, 1).item() == pytest.approx(0.5)

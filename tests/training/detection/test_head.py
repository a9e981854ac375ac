# ruff: noqa: E402
"""The detection head, against hand-worked cases and formulas in float64."""

from __future__ import annotations

import math

import pytest

torch = pytest.importorskip("torch", reason="needs the extra train")

from antiphon.training.backbones.config import SedHeadConfig
from antiphon.training.backbones.output import BackboneOutput
from antiphon.training.detection.head import GemPool, SedHead, joint_logit, within


def head(**settings) -> SedHead:
    torch.manual_seed(0)
    made = SedHead(6, 3, SedHeadConfig(kind="sed", **settings))
    with torch.no_grad():
        # Attention that differs from frame to frame.
        made.attention.weight.mul_(3)
    return made.eval()


def found(frames: int = 7, rows: int = 4, batch: int = 2, seed: int = 1) -> BackboneOutput:
    generator = torch.Generator().manual_seed(seed)
    x = torch.rand(batch, 6, rows, frames, generator=generator)
    tokens = x.mean(2).transpose(1, 2)
    return BackboneOutput(tokens, torch.ones(batch, frames, dtype=torch.bool), map=x)


def test_generalised_mean_by_hand():
    x = torch.tensor([1.0, 2.0, 3.0])[None, None, :, None]
    assert GemPool(1.0)(x).item() == pytest.approx(2.0)
    assert GemPool(2.0)(x).item() == pytest.approx(math.sqrt(14 / 3))
    assert GemPool(3.0)(x).item() == pytest.approx(12 ** (1 / 3))
    # A large power is nearly the maximum, and does not overflow.
    assert GemPool(200.0)(1e3 * x).item() == pytest.approx(3000 * 3 ** (-1 / 200), rel=1e-4)


def test_generalised_mean_and_its_gradients_equal_the_formula():
    x = torch.rand(2, 3, 5, 4, dtype=torch.float64) + 0.05
    p = torch.tensor([3.0], dtype=torch.float64, requires_grad=True)
    plain = x.clone().requires_grad_()
    wanted = plain.pow(p).mean(2).pow(1 / p)
    weights = torch.rand(wanted.shape, dtype=torch.float64)
    (wanted * weights).sum().backward()
    pool, mine = GemPool(3.0), x.float().requires_grad_()
    ours = pool(mine)
    (ours * weights.float()).sum().backward()
    torch.testing.assert_close(ours, wanted.float())
    torch.testing.assert_close(mine.grad, plain.grad.float(), rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(pool.p.grad, p.grad.float(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("power", [1.0, 3.0, 60.0])
@pytest.mark.parametrize("level", [0.0, -5.0, 1e-20, 1e15])
def test_generalised_mean_of_extremes_is_a_number(power, level):
    pool = GemPool(power)
    x = torch.full((1, 2, 3, 2), level, dtype=torch.bfloat16, requires_grad=True)
    pool(x).sum().backward()
    assert torch.isfinite(pool.p.grad).all()
    assert torch.isfinite(x.grad).all()


def test_scores_by_hand():
    """Two frames of one class: logits 2 and -1, attention tanh(1) and tanh(-1)."""
    made = SedHead(1, 1, SedHeadConfig(kind="sed", gem_p=1)).eval()
    with torch.no_grad():
        made.scores.weight.fill_(3.0)
        made.scores.bias.fill_(-1.0)
        made.attention.weight.fill_(2.0)
        made.attention.bias.fill_(-1.0)
    x = torch.tensor([1.0, 0.0])[None, None, None]
    out = made(BackboneOutput(x[:, :, 0].transpose(1, 2), torch.ones(1, 2, dtype=bool), map=x))
    a, b = math.exp(math.tanh(1.0)), math.exp(math.tanh(-1.0))
    assert out.frames.flatten().tolist() == pytest.approx([2.0, -1.0], abs=1e-5)
    assert out.clip.item() == pytest.approx((2 * a - b) / (a + b), abs=1e-5)
    assert out.peak.item() == pytest.approx(2.0, abs=1e-5)
    sigmoid = [1 / (1 + math.exp(-z)) for z in (out.clip.item(), 2.0)]
    joint = joint_logit(out.clip, out.peak, 0.5).sigmoid().item()
    assert joint == pytest.approx(sum(sigmoid) / 2, abs=1e-6)


def test_padding_has_no_weight_and_is_never_the_loudest():
    made, out = head(), found(7)
    bare = made(BackboneOutput(out.tokens[:, :5], out.mask[:, :5], map=out.map[..., :5]))
    loud = out.map.clone()
    loud[..., 5:] = 50.0
    mask = out.mask.clone()
    mask[:, 5:] = False
    padded = made(BackboneOutput(out.tokens, mask, map=loud))
    torch.testing.assert_close(padded.clip, bare.clip)
    torch.testing.assert_close(padded.peak, bare.peak)
    assert padded.frame_probabilities()[:, 5:].eq(0).all()
    torch.testing.assert_close(padded.frame_probabilities()[:, :5], bare.frame_probabilities())


def test_a_clip_without_audio_has_a_score_all_the_same():
    made, out = head(), found(4)
    empty = made(BackboneOutput(out.tokens, torch.zeros_like(out.mask), map=out.map))
    assert torch.isfinite(empty.clip).all()
    torch.testing.assert_close(empty.peak, empty.frames[:, 0])


def test_the_tokens_of_one_step_share_its_mask():
    """A transformer has several tokens per step, mel running fastest."""
    made, out = head(pool="mean"), found(4, rows=3)
    mask = torch.tensor([[True, True, False, False]] * 2)
    tokens = out.map.permute(0, 3, 2, 1).flatten(1, 2)
    several = made(BackboneOutput(tokens, mask.repeat_interleave(3, 1), map=out.map))
    single = made(BackboneOutput(out.tokens, mask, map=out.map))
    assert torch.equal(several.mask, mask)
    torch.testing.assert_close(several.clip, single.clip)


def test_the_joint_logit_of_sure_scores_is_finite():
    sure = torch.tensor([-1e4, -90.0, 0.0, 90.0, 1e4], dtype=torch.float64)
    a, b = torch.meshgrid(sure, sure, indexing="ij")
    a, b = a.float().requires_grad_(), b.float().requires_grad_()
    logit = joint_logit(a, b, 0.5)
    logit.sum().backward()
    for values in (logit, a.grad, b.grad):
        assert torch.isfinite(values).all()
    wanted = 0.5 * a.double().sigmoid() + 0.5 * b.double().sigmoid()
    torch.testing.assert_close(logit.double().sigmoid(), wanted, atol=1e-6, rtol=1e-5)
    assert torch.equal(joint_logit(a, b, 1.0), a)
    assert torch.equal(joint_logit(a, b, 0.0), b)


def test_the_whole_clip_as_a_part_gives_what_it_gave():
    out = head()(found(7))
    again = within(out, torch.tensor([0.0, 0.0]), torch.tensor([1.0, 1.0]))
    torch.testing.assert_close(again.clip, out.clip)
    assert torch.equal(again.peak, out.peak)


def test_a_part_is_heard_by_its_own_frames():
    made, out = head(), found(8)
    whole = made(out)
    part = within(whole, torch.tensor([0.25, 0.5]), torch.tensor([0.5, 1.0]))
    for row, frames in ((0, slice(2, 4)), (1, slice(4, 8))):
        rows = slice(row, row + 1)
        alone = made(
            BackboneOutput(
                out.tokens[rows, frames], out.mask[rows, frames], map=out.map[rows, :, :, frames]
            )
        )
        torch.testing.assert_close(part.clip[rows], alone.clip)
        torch.testing.assert_close(part.peak[rows], alone.peak)
    # A part shorter than a frame is heard by the frame in its middle.
    short = within(whole, torch.tensor([0.30, 0.30]), torch.tensor([0.31, 0.31]))
    torch.testing.assert_close(short.peak, whole.frames[:, 2])


def test_half_precision_around_it_changes_no_digit_of_the_head():
    made, out = head(), found()
    plain = made(out)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mixed = made(out)
    assert mixed.frames.dtype == torch.float32
    assert torch.equal(mixed.clip, plain.clip)


def test_fresh_scores_begin_at_one_in_a_hundred():
    made = SedHead(6, 3, SedHeadConfig(kind="sed"))
    assert made.scores.bias.sigmoid().tolist() == pytest.approx([0.01] * 3)

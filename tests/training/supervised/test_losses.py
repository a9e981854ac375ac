# ruff: noqa: E402
import math

import pytest

torch = pytest.importorskip("torch", reason="needs the extra train")

from antiphon.errors import UserError
from antiphon.training.supervised.loss_config import (
    AsymmetricConfig,
    BceConfig,
    FocalConfig,
    SoftAucConfig,
    SoftmaxConfig,
)
from antiphon.training.supervised.losses import (
    MultiLabelLoss,
    asymmetric_loss,
    binary_cross_entropy,
    focal_loss,
    positive_weights,
    smooth_labels,
    softmax_loss,
)


def logit(p: float) -> float:
    return math.log(p / (1 - p))


def drawn(seed: int = 0, rows: int = 16, classes: int = 5) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    logits = 3 * torch.randn(rows, classes, generator=generator)
    return logits, (torch.rand(rows, classes, generator=generator) < 0.3).float()


def test_bce_by_hand() -> None:
    logits = torch.tensor([[logit(0.8), logit(0.4), logit(0.9)]])
    labels = torch.tensor([[1.0, 0.0, 1.0]])
    known = torch.tensor([[1.0, 1.0, 0.0]])
    expected = -(math.log(0.8) + math.log(0.6)) / 2
    assert binary_cross_entropy(logits, labels, known).item() == pytest.approx(expected, rel=1e-6)


def test_bce_equals_torch() -> None:
    logits, labels = drawn()
    weight = torch.tensor([1.0, 2.0, 0.5, 3.0, 1.0])
    ours = binary_cross_entropy(logits, labels, positive_weight=weight)
    theirs = torch.nn.BCEWithLogitsLoss(pos_weight=weight)(logits, labels)
    assert torch.equal(ours, theirs)
    smoothed = binary_cross_entropy(logits, labels, label_smoothing=0.1)
    theirs = torch.nn.BCEWithLogitsLoss()(logits, labels * 0.9 + 0.05)
    torch.testing.assert_close(smoothed, theirs)


def test_mask_is_the_loss_over_the_known_labels_alone() -> None:
    logits, labels = drawn(1)
    known = (torch.rand(labels.shape, generator=torch.Generator().manual_seed(2)) < 0.6).float()
    kept = known.bool()
    for loss, settings in (
        (binary_cross_entropy, {}),
        (asymmetric_loss, {"gamma_positive": 1.0, "gamma_negative": 2.0}),
    ):
        masked = loss(logits, labels, known, **settings)
        alone = loss(logits[kept][None], labels[kept][None], **settings)
        torch.testing.assert_close(masked, alone)


def test_unknown_labels_have_no_gradient_whatever_they_hold() -> None:
    logits, labels = drawn(3)
    logits.requires_grad_(True)
    known = torch.ones_like(labels)
    known[:, 2] = 0.0
    labels[:, 2] = float("nan")
    for loss in (binary_cross_entropy, asymmetric_loss):
        logits.grad = None
        value = loss(logits, labels, known)
        value.backward()
        assert torch.isfinite(value)
        assert torch.equal(logits.grad[:, 2], torch.zeros(len(logits)))
        assert logits.grad[:, 0].abs().min() > 0 or loss is asymmetric_loss


def test_no_known_label_gives_zero_with_a_gradient_of_zero() -> None:
    logits = torch.randn(3, 2, requires_grad=True)
    loss = binary_cross_entropy(logits, torch.ones(3, 2), torch.zeros(3, 2))
    loss.backward()
    assert loss.item() == 0.0
    assert torch.equal(logits.grad, torch.zeros(3, 2))


def test_smoothing_by_hand() -> None:
    assert smooth_labels(torch.tensor([0.0, 1.0, 0.5]), 0.2).tolist() == pytest.approx(
        [0.1, 0.9, 0.5]
    )


def test_asymmetric_by_hand() -> None:
    # Presence at p = 0.6: (0.4)^1 log 0.6. Absence at p = 0.7, margin 0.2: q = 0.5, q^2 log 0.5.
    logits = torch.tensor([[logit(0.6), logit(0.7)]])
    labels = torch.tensor([[1.0, 0.0]])
    loss = asymmetric_loss(logits, labels, gamma_positive=1.0, gamma_negative=2.0, margin=0.2)
    expected = -(0.4 * math.log(0.6) + 0.25 * math.log(0.5)) / 2
    assert loss.item() == pytest.approx(expected, rel=1e-6)


def test_asymmetric_without_focus_is_bce() -> None:
    logits, labels = drawn(4)
    ours = asymmetric_loss(logits, labels, gamma_negative=0.0, margin=0.0)
    torch.testing.assert_close(ours, binary_cross_entropy(logits, labels))


def test_asymmetric_discards_absences_below_the_margin() -> None:
    logits = torch.tensor([[logit(0.04)]], requires_grad=True)
    loss = asymmetric_loss(logits, torch.zeros(1, 1), gamma_negative=4.0, margin=0.05)
    loss.backward()
    assert loss.item() == 0.0
    assert logits.grad.item() == 0.0


def test_asymmetric_gradient_is_that_of_differences() -> None:
    generator = torch.Generator().manual_seed(5)
    logits = torch.randn(3, 4, generator=generator, dtype=torch.float64).float()
    labels = torch.rand(3, 4, generator=generator)

    def at(x: torch.Tensor) -> torch.Tensor:
        return asymmetric_loss(x, labels, gamma_positive=1.0, gamma_negative=2.0, margin=0.05)

    logits.requires_grad_(True)
    at(logits).backward()
    step = 1e-2
    for row in range(3):
        for column in range(4):
            shift = torch.zeros(3, 4)
            shift[row, column] = step
            with torch.no_grad():
                slope = (at(logits + shift) - at(logits - shift)) / (2 * step)
            assert logits.grad[row, column].item() == pytest.approx(slope.item(), abs=2e-4)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("gamma", [0.0, 1.0, 4.0])
@pytest.mark.parametrize("margin", [0.0, 0.05])
def test_half_precision_is_finite_and_right(
    dtype: torch.dtype, gamma: float, margin: float
) -> None:
    logits = torch.tensor([[-60.0, -12.0, 0.0, 12.0, 60.0]], dtype=dtype, requires_grad=True)
    for value in (0.0, 1.0):
        labels = torch.full((1, 5), value)
        for loss in (
            binary_cross_entropy(logits, labels),
            asymmetric_loss(
                logits, labels, gamma_positive=gamma, gamma_negative=gamma, margin=margin
            ),
        ):
            assert loss.dtype == torch.float32
            logits.grad = None
            loss.backward(retain_graph=True)
            assert torch.isfinite(loss)
            assert torch.isfinite(logits.grad).all()
        exact = torch.nn.functional.softplus(
            logits.detach().double() * (1.0 if value == 0 else -1.0)
        ).mean()
        bce = binary_cross_entropy(logits, labels)
        assert bce.item() == pytest.approx(exact.item(), rel=1e-6)


def test_balanced_weights() -> None:
    weight = positive_weights(
        BceConfig(positive_weight="balanced", max_weight=9.0), "abcd", [0.5, 0.2, 0.001, 0.0]
    )
    assert weight is not None
    assert weight.tolist() == pytest.approx([1.0, 4.0, 9.0, 1.0])
    with pytest.raises(UserError, match="share of clips"):
        positive_weights(BceConfig(positive_weight="balanced"), "abcd", None)


def test_weights_by_name() -> None:
    weight = positive_weights(BceConfig(positive_weight={"b": 3.0}), ["a", "b"], None)
    assert weight is not None
    assert weight.tolist() == [1.0, 3.0]
    with pytest.raises(UserError, match="no class of the labels: c"):
        positive_weights(BceConfig(positive_weight={"c": 3.0}), ["a", "b"], None)


def test_loss_by_settings() -> None:
    logits, labels = drawn(6, classes=2)
    weighted = MultiLabelLoss(BceConfig(positive_weight=2.0, label_smoothing=0.1), "ab")
    expected = binary_cross_entropy(
        logits, labels, label_smoothing=0.1, positive_weight=torch.tensor([2.0, 2.0])
    )
    assert torch.equal(weighted(logits, labels), expected)
    config = AsymmetricConfig(kind="asymmetric", gamma_positive=1.0, margin=0.1)
    expected = asymmetric_loss(logits, labels, gamma_positive=1.0, margin=0.1)
    assert torch.equal(MultiLabelLoss(config, "ab")(logits, labels), expected)
    assert not weighted.state_dict()


def test_focal_by_hand() -> None:
    logits = torch.tensor([[logit(0.8), logit(0.4)]])
    labels = torch.tensor([[1.0, 0.0]])
    expected = (0.25 * 0.2**2 * -math.log(0.8) + 0.75 * 0.4**2 * -math.log(0.6)) / 2
    assert focal_loss(logits, labels).item() == pytest.approx(expected, rel=1e-5)


def test_focal_of_a_soft_label_is_its_expectation() -> None:
    logits = torch.tensor([[0.7]])
    ends = [focal_loss(logits, torch.tensor([[y]])).item() for y in (0.0, 1.0)]
    soft = focal_loss(logits, torch.tensor([[0.3]])).item()
    assert soft == pytest.approx(0.7 * ends[0] + 0.3 * ends[1], rel=1e-5)


def test_focal_gradient_equals_autograd_on_probabilities() -> None:
    logits, labels = drawn(4)
    known = (torch.rand(labels.shape, generator=torch.Generator().manual_seed(5)) < 0.6).float()
    mine = logits.clone().requires_grad_()
    focal_loss(mine, labels, known, alpha=0.25, gamma=2.0).backward()
    theirs = logits.double().requires_grad_()
    p = 1 / (1 + (-theirs).exp())
    chosen = torch.where(labels > 0, p, 1 - p)
    alpha = torch.where(labels > 0, 0.25, 0.75)
    loss = -(alpha * (1 - chosen) ** 2 * chosen.log() * known).sum() / known.sum()
    loss.backward()
    torch.testing.assert_close(mine.grad.double(), theirs.grad, rtol=1e-4, atol=1e-7)


def test_focal_recipe_adds_binary_cross_entropy_of_smoothed_labels() -> None:
    logits, labels = drawn(6)
    loss = MultiLabelLoss(FocalConfig(kind="focal"), list("abcde"))(logits, labels)
    smooth = labels * 0.95 + 0.025
    expected = focal_loss(logits, smooth, alpha=0.25, gamma=2.0)
    expected = expected + torch.nn.BCEWithLogitsLoss()(logits, smooth)
    torch.testing.assert_close(loss, expected)


@pytest.mark.parametrize(
    "config",
    [
        BceConfig(label_smoothing=0.05),
        AsymmetricConfig(kind="asymmetric", gamma_positive=1.0),
        FocalConfig(kind="focal"),
        SoftAucConfig(kind="soft_auc"),
    ],
    ids=lambda config: config.kind,
)
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32])
def test_extremes_stay_numbers_in_every_precision(config, dtype) -> None:
    ends = torch.tensor([-6e4, -100.0, -1e-3, 0.0, 1e-3, 100.0, 6e4])
    logits = ends.to(dtype)[:, None].expand(-1, 3).clone().requires_grad_()
    labels = torch.tensor([[1.0, 0.0, 0.3]]).expand(7, -1).clone()
    labels[::2, 0] = 0.0
    labels[1, 2] = float("nan")
    known = torch.ones_like(labels)
    known[1, 2] = 0.0
    loss = MultiLabelLoss(config, list("abc"))(logits, labels, known)
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(logits.grad).all()
    assert logits.grad[1, 2] == 0


def test_softmax_by_hand() -> None:
    # Clip 1: shares 1/2, 1/4, 1/4 and two classes present. Clip 2: nothing present. Clip 3: the
    # first class is not known, so the others have shares 1/2 and 1/2.
    logits = torch.tensor([[2.0, 1.0, 1.0], [5.0, 0.0, 0.0], [9.0, 1.0, 1.0]])
    logits[0] = torch.tensor([0.5, 0.25, 0.25]).log()
    labels = torch.tensor([[1.0, 1.0, 0.0], [0.0, 0.0, 0.0], [float("nan"), 0.0, 1.0]])
    known = torch.tensor([[1.0, 1.0, 1.0], [1.0, 1.0, 1.0], [0.0, 1.0, 1.0]])
    expected = ((math.log(2) + math.log(4)) / 2 + math.log(2)) / 2
    found = softmax_loss(logits, labels, known)
    assert found.item() == pytest.approx(expected, rel=1e-6)
    assert MultiLabelLoss(SoftmaxConfig(kind="softmax"), "abc")(logits, labels, known) == found


def test_softmax_of_one_label_is_cross_entropy() -> None:
    logits, _ = drawn(8)
    target = torch.arange(len(logits)) % logits.shape[1]
    labels = torch.nn.functional.one_hot(target, logits.shape[1]).float()
    for smoothing in (0.0, 0.1):
        theirs = torch.nn.CrossEntropyLoss(label_smoothing=smoothing)(logits, target)
        torch.testing.assert_close(softmax_loss(logits, labels, label_smoothing=smoothing), theirs)


def test_softmax_gives_no_gradient_to_what_is_not_known_or_not_labelled() -> None:
    logits, labels = drawn(9)
    labels[0], labels[1:, 1] = 0.0, 1.0
    logits.requires_grad_(True)
    known = torch.ones_like(labels)
    known[:, 0] = 0.0
    softmax_loss(logits, labels, known).backward()
    assert not logits.grad[0].any()
    assert not logits.grad[:, 0].any()
    assert logits.grad[1:, 1].abs().min() > 0
    logits.grad = None
    softmax_loss(logits, torch.zeros_like(labels), known).backward()
    assert not logits.grad.any()

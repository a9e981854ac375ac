from __future__ import annotations

import numpy as np
import pytest

from antiphon.active.learner.head import Head, NumpyDraws

torch = pytest.importorskip("torch")

from tests.active.learner.making import make_set  # noqa: E402
from tests.active.learner.reference import TorchDraws, TorchHead  # noqa: E402


def pair(seed, dim, hidden, labels, *, multilabel=True, exact=False):
    ours = Head(dim, hidden, labels, TorchDraws(seed), multilabel=multilabel, exact=exact)
    theirs = TorchHead(dim, hidden, labels, TorchDraws(seed), multilabel)
    return ours, theirs


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize("multilabel", [True, False])
def test_weights_are_those_of_torch_after_ten_cycles(exact, multilabel):
    data = make_set(3, n=260, dim=96, labels=6, multilabel=multilabel)
    ours, theirs = pair(5, 96, 96, 6, multilabel=multilabel, exact=exact)
    for cycle in range(1, 11):
        rows = np.arange(25 * cycle)
        ours.train(data.embeddings[rows], data.targets[rows])
        theirs.train(data.embeddings[rows], data.targets[rows])
    for mine, reference in zip(ours.weights(), theirs.weights(), strict=True):
        np.testing.assert_allclose(mine, reference, atol=1e-4)
    np.testing.assert_allclose(
        ours.probabilities(data.embeddings), theirs.probabilities(data.embeddings), atol=1e-3
    )


@pytest.mark.parametrize("multilabel", [True, False])
def test_one_step_without_scratch_left_over(multilabel):
    # More rows than a block holds, and not a multiple of it.
    data = make_set(4, n=40, dim=600, labels=3, multilabel=multilabel)
    ours, theirs = pair(1, 600, 205, 3, multilabel=multilabel)
    loss = ours.step(data.embeddings[:32], data.targets[:32], want_loss=True)
    targets = torch.from_numpy(data.targets[:32])
    with torch.no_grad():
        before = theirs.loss(
            theirs.net(torch.from_numpy(data.embeddings[:32])),
            targets if multilabel else targets.argmax(dim=1),
        )
    assert loss == pytest.approx(float(before), rel=1e-5)
    theirs.train(data.embeddings[:32], data.targets[:32], epochs=1)
    for mine, reference in zip(ours.weights(), theirs.weights(), strict=True):
        # Adam's first step is the sign of the gradient, so a rounding of zero shows in full.
        assert np.mean(np.abs(mine - reference) > 1e-6) < 1e-3


def test_dropout_leaves_units_out_and_keeps_the_mean():
    data = make_set(1)
    rate = 0.4
    ours = Head(24, 64, 5, TorchDraws(0), dropout=rate)
    torch_net = TorchHead(24, 64, 5, TorchDraws(0), True)
    masks = TorchDraws(0)
    for shape in ((64, 24), (5, 64)):
        masks.weight(*shape)
    kept = torch.from_numpy(masks.kept((32, 64), rate))
    x, y = torch.from_numpy(data.embeddings[:32]), torch.from_numpy(data.targets[:32])
    hidden = torch.relu(torch_net.net[0](x)) * kept / (1 - rate)
    loss = torch_net.loss(torch_net.net[2](hidden), y)
    loss.backward()
    torch_net.adam.step()
    assert ours.step(data.embeddings[:32], data.targets[:32], want_loss=True) == pytest.approx(
        loss.item(), rel=1e-5
    )
    for mine, reference in zip(ours.weights(), torch_net.weights(), strict=True):
        assert np.mean(np.abs(mine - reference) > 1e-6) < 0.01
    passes = ours.dropout_probabilities(
        data.embeddings, 400, rate, NumpyDraws(np.random.default_rng(0))
    )
    assert passes.shape == (400, 400, 5)
    assert passes.std(axis=0).max() > 0.01
    # The last layer is linear, so the mean logit is that without dropout.
    logits = np.log(passes / (1 - passes))
    error = (logits.mean(axis=0) - ours.logits(data.embeddings)) / (logits.std(axis=0) / 20)
    assert np.abs(error).max() < 5
    assert abs(error.mean()) < 0.1


def test_initial_weights_are_xavier_uniform():
    weight = NumpyDraws(np.random.default_rng(0)).weight(300, 100)
    bound = np.sqrt(6 / 400)
    assert weight.dtype == np.float32
    assert np.abs(weight).max() <= bound
    assert weight.std() == pytest.approx(bound / np.sqrt(3), rel=0.02)


def test_equal_draws_give_equal_heads_to_the_bit():
    data = make_set(2)
    heads = [Head(24, 48, 5, NumpyDraws(np.random.default_rng(7))) for _ in range(2)]
    for head in heads:
        head.train(data.embeddings[:70], data.targets[:70])
    for one, other in zip(heads[0].weights(), heads[1].weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert heads[0].n_parameters == 24 * 48 + 48 + 48 * 5 + 5


@pytest.mark.parametrize("exact", [True, False])
def test_initial_weights_may_lie_in_memory_as_they_like_and_are_left_alone(exact):
    class Columns(NumpyDraws):
        given: list[np.ndarray] = []  # noqa: RUF012

        def weight(self, outputs: int, inputs: int) -> np.ndarray:
            self.given.append(np.asfortranarray(super().weight(outputs, inputs)))
            return self.given[-1]

    data = make_set(2)
    plain, columns = (
        Head(24, 48, 5, draws(np.random.default_rng(7)), exact=exact)
        for draws in (NumpyDraws, Columns)
    )
    start = Columns.given[-2].copy()
    for head in (plain, columns):
        head.train(data.embeddings[:70], data.targets[:70])
    for one, other in zip(plain.weights(), columns.weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(Columns.given[-2], start)
    assert np.abs(columns.w1 - start).max() > 1e-3

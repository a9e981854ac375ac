"""The published linear probe: 900 epochs of AdamW, in torch.

It is here to reproduce published numbers. For new ones
:func:`antiphon.evaluation.protocols.probe.linear_probe` finds the optimum of the same classifier
directly.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from antiphon.errors import MissingExtraError, UserError
from antiphon.evaluation.protocols.inputs import (
    Float32,
    Labelled,
    Pair,
    check_groups,
    check_sides,
    class_names,
    class_notes,
)
from antiphon.evaluation.protocols.result import ProtocolResult, unique_notes
from antiphon.evaluation.protocols.scoring import RESAMPLES, score_side, validation_score


@dataclass(frozen=True, slots=True)
class ProbeRecipe:
    """Numbers of the recipe; the defaults are those of "What Matters for Bioacoustic Encoding".

    Parameters
    ----------
    epochs, batch
        900 and 32.
    learning_rate, weight_decay
        Of AdamW (Loshchilov and Hutter 2019); torch decays the bias as well.
    warmup_epochs
        The rate of epoch e is ``e / warmup_epochs`` of the full one up to here.
    final_share
        The rate then falls along a cosine, step by step, to this share.
    """

    epochs: int = 900
    batch: int = 32
    learning_rate: float = 1e-3
    weight_decay: float = 0.01
    warmup_epochs: int = 5
    final_share: float = 0.01

    def __post_init__(self) -> None:
        if self.epochs < 1 or self.batch < 1 or not 0 <= self.warmup_epochs <= self.epochs:
            raise UserError(
                f"The recipe needs epochs ({self.epochs}) and batch ({self.batch}) of at least 1, "
                f"and warm-up epochs ({self.warmup_epochs}) between 0 and the epochs."
            )

    def rate(self, step: int, steps_per_epoch: int) -> float:
        """Return the learning rate of a step, counted from 0.

        ``eta_min + (eta - eta_min) (1 + cos(pi t / T)) / 2`` after the warm-up (Loshchilov and
        Hutter 2017, equation 5, one cycle).
        """
        epoch = step // steps_per_epoch
        if epoch < self.warmup_epochs:
            return self.learning_rate * (epoch + 1) / self.warmup_epochs
        warm = self.warmup_epochs * steps_per_epoch
        total = max(1, self.epochs * steps_per_epoch - warm)
        low = self.learning_rate * self.final_share
        cosine = 0.5 * (1.0 + math.cos(math.pi * (step - warm) / total))
        return low + (self.learning_rate - low) * cosine


def adamw_probe(
    train_x: npt.ArrayLike,
    train_y: npt.ArrayLike,
    test_x: npt.ArrayLike,
    test_y: npt.ArrayLike,
    *,
    validation: Pair,
    test_groups: npt.ArrayLike | None = None,
    multilabel: bool | None = None,
    names: Sequence[str] | None = None,
    recipe: ProbeRecipe | None = None,
    device: str = "cpu",
    seed: int = 0,
    n_resamples: int = RESAMPLES,
) -> ProtocolResult:
    """Train Linear(dim, classes) by the published recipe and score its best epoch on the test side.

    Cross-entropy for one label per item, binary cross-entropy for several; embeddings as they are,
    not standardised. The best epoch is the first with the highest validation accuracy, or mean
    average precision; validation is in evaluation mode and never shuffled or cut.

    Parameters
    ----------
    train_x, train_y, test_x, test_y, validation, test_groups, multilabel, names, seed
        As in :func:`antiphon.evaluation.protocols.probe.linear_probe`; validation is needed.
    recipe
        Other numbers.
    device
        As torch names it.

    Returns
    -------
    ProtocolResult
        Family ``probe_recipe``; measures as in the linear probe. Details: ``best_epoch`` (from 1),
        ``validation_curve`` ``(epochs,)``, ``per_class``, ``scores``, ``recipe``.

    Raises
    ------
    MissingExtraError
        If torch is not installed.
    UserError
        If shapes or labels do not fit, or there is no such device.
    """
    sides = check_sides(
        {"training": (train_x, train_y), "test": (test_x, test_y), "validation": validation},
        multilabel=multilabel,
        names=names,
    )
    recipe = recipe or ProbeRecipe()
    train, test = sides["training"], sides["test"]
    scores, best, curve = _train(train, sides["validation"], test.x, recipe, device, seed)
    by = check_groups(test_groups, len(test.x), "test")
    measures, details = score_side(scores, test, by, seed, n_resamples)
    details |= {
        "best_epoch": best,
        "validation_curve": curve,
        "scores": scores,
        "recipe": asdict(recipe),
    }
    notes = class_notes(train, test, class_names(names, train.n_classes))
    late = "The best epoch was the last one." if best == recipe.epochs else ""
    return ProtocolResult("probe_recipe", measures, details, unique_notes(notes, [late]))


def import_torch(purpose: str) -> Any:
    """Return the module torch.

    Raises
    ------
    MissingExtraError
        If it is not installed.
    """
    try:
        import torch
    except ImportError as error:
        raise MissingExtraError("train", purpose) from error
    return torch


def _train(
    train: Labelled, judge: Labelled, test_x: Float32, recipe: ProbeRecipe, device: str, seed: int
) -> tuple[Float32, int, npt.NDArray[np.float64]]:
    """Return test scores of the best epoch, that epoch, and the validation score of each."""
    torch = import_torch("train the published probe")
    try:
        place = torch.device(device)
        x = torch.from_numpy(train.x).to(place)
    except (RuntimeError, AssertionError) as error:
        raise UserError(
            f"The device {device!r} cannot be used: {str(error).splitlines()[0]}"
        ) from error
    functional = torch.nn.functional
    generator = torch.Generator().manual_seed(seed)
    several = train.multilabel
    target = torch.from_numpy(train.labels.astype(np.float32 if several else np.int64)).to(place)
    judge_x, asked = (torch.from_numpy(a).to(place) for a in (judge.x, test_x))
    model = torch.nn.Linear(train.x.shape[1], train.n_classes)
    with torch.no_grad():
        # The start of torch's own Linear, from this seed alone.
        bound = 1.0 / math.sqrt(train.x.shape[1])
        for parameter in model.parameters():
            parameter.uniform_(-bound, bound, generator=generator)
    model = model.to(place)
    optimiser = torch.optim.AdamW(
        model.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay
    )
    steps = math.ceil(len(x) / recipe.batch)
    curve = np.empty(recipe.epochs)
    best, kept, step = 0, {k: v.clone() for k, v in model.state_dict().items()}, 0
    for epoch in range(recipe.epochs):
        model.train()
        order = torch.randperm(len(x), generator=generator).to(place)
        for begin in range(0, len(x), recipe.batch):
            rows = order[begin : begin + recipe.batch]
            for group in optimiser.param_groups:
                group["lr"] = recipe.rate(step, steps)
            logits = model(x[rows])
            if several:
                loss = functional.binary_cross_entropy_with_logits(logits, target[rows])
            else:
                loss = functional.cross_entropy(logits, target[rows])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            step += 1
        model.eval()
        with torch.no_grad():
            curve[epoch] = validation_score(model(judge_x).cpu().numpy(), judge)
        if best == 0 or curve[epoch] > curve[best - 1]:
            best = epoch + 1
            kept = {k: v.clone() for k, v in model.state_dict().items()}
    model.load_state_dict(kept)
    model.eval()
    with torch.no_grad():
        scores: Float32 = model(asked).cpu().numpy()
    return scores, best, curve

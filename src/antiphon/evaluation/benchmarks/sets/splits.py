"""Sides of the split, as the benchmarks chose them.

BEANS divides with scikit-learn's ``train_test_split``, seed 42. The published numbers belong to
those very sides, so the same draws are made here, from the same generator of NumPy
(Mersenne Twister); a test compares them with scikit-learn.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from antiphon.audio.recording import probe
from antiphon.errors import AudioError
from antiphon.evaluation.benchmarks.sets.items import Event, Item, Split
from antiphon.evaluation.benchmarks.sets.recipe import Splitting

Int64 = npt.NDArray[np.int64]

SEED = 42
TRAIN_UP_TO, VALIDATION_UP_TO = 0.6, 0.8


def apply_split(
    items: Sequence[Item], rule: Splitting, *, multilabel: bool
) -> tuple[list[Item], list[str]]:
    """Return the items with their sides, cut into stretches where the rule says so, and notes.

    Parameters
    ----------
    items
        In the order of the publisher's table.
    rule
        From a recipe.
    multilabel
        Whether items may have several labels; a validation side is then drawn without regard to
        them.
    """
    notes: list[str] = []
    chosen = list(items)
    if rule.rule in ("chunks", "files"):
        chosen, notes = _stretches(chosen, rule)
    elif rule.rule == "none":
        chosen = [replace(item, split="test") for item in chosen]
    elif rule.rule == "folds":
        chosen = [replace(item, split=_by_fold(item.fold, rule)) for item in chosen]
    elif rule.rule == "groups":
        chosen = _by_group(chosen)
    elif rule.rule in ("stratified", "shuffled"):
        labels = [item.labels[0] for item in chosen] if rule.rule == "stratified" else None
        chosen = _six_two_two(chosen, labels)
    if rule.validation_share:
        chosen = _validation(chosen, rule.validation_share, multilabel)
    return chosen, notes


def draw(
    n: int, test_share: float, labels: Sequence[str] | None, seed: int = SEED
) -> tuple[Int64, Int64]:
    """Divide ``n`` rows as scikit-learn's ``train_test_split`` does.

    Parameters
    ----------
    n
        Number of rows.
    test_share
        Share of the second part, rounded up to rows.
    labels
        Class of each row, to be represented alike on both sides; None draws without regard.
    seed
        Of the generator.

    Returns
    -------
    first, second : numpy.ndarray
        Row numbers, in the order drawn.
    """
    n_second = math.ceil(test_share * n)
    n_first = n - n_second
    rng = np.random.RandomState(seed)
    if labels is None:
        order = rng.permutation(n)
        return order[n_second:], order[:n_second]
    _, code, counts = np.unique(
        np.asarray(labels, dtype=str), return_inverse=True, return_counts=True
    )
    by_class = np.split(np.argsort(code, kind="stable"), np.cumsum(counts)[:-1])
    first_of = _shares(counts, n_first, rng)
    second_of = _shares(counts - first_of, n_second, rng)
    first: list[Int64] = []
    second: list[Int64] = []
    for rows, a, b in zip(by_class, first_of, second_of, strict=True):
        drawn = rows[rng.permutation(len(rows))]
        first.append(drawn[:a])
        second.append(drawn[a : a + b])
    return rng.permutation(np.concatenate(first)), rng.permutation(np.concatenate(second))


def _shares(counts: Int64, wanted: int, rng: np.random.RandomState) -> Int64:
    """Return whole numbers near ``counts * wanted / sum``, largest remainders rounded up."""
    exact = counts / counts.sum() * wanted
    share = np.floor(exact)
    lacking = int(wanted - share.sum())
    remainder = exact - share
    for value in np.unique(remainder)[::-1]:
        if lacking <= 0:
            break
        tied = np.flatnonzero(remainder == value)
        up = rng.choice(tied, size=min(len(tied), lacking), replace=False)
        share[up] += 1
        lacking -= len(up)
    return np.asarray(share, np.int64)


def _six_two_two(items: list[Item], labels: list[str] | None) -> list[Item]:
    if len(items) < 3:
        return [replace(item, split="train") for item in items]
    train, rest = draw(len(items), 0.4, labels)
    kept = None if labels is None else [labels[i] for i in rest]
    validation, _ = draw(len(rest), 0.5, kept)
    side: list[Split] = ["test"] * len(items)
    for i in train:
        side[i] = "train"
    for i in rest[validation]:
        side[i] = "validation"
    return [replace(item, split=s) for item, s in zip(items, side, strict=True)]


def _by_group(items: list[Item]) -> list[Item]:
    groups = list(dict.fromkeys(item.group for item in items))
    random.Random(SEED).shuffle(groups)
    train = set(groups[: int(TRAIN_UP_TO * len(groups))])
    validation = set(groups[int(TRAIN_UP_TO * len(groups)) : int(VALIDATION_UP_TO * len(groups))])

    def side(group: str) -> Split:
        return "train" if group in train else "validation" if group in validation else "test"

    return [replace(item, split=side(item.group)) for item in items]


def _by_fold(fold: int, rule: Splitting) -> Split:
    return "train" if fold in rule.train else "validation" if fold in rule.validation else "test"


def _validation(items: list[Item], share: float, multilabel: bool) -> list[Item]:
    rows = [i for i, item in enumerate(items) if item.split == "train"]
    if len(rows) < 2:
        return items
    labels = None if multilabel else [items[i].labels[0] for i in rows]
    _, second = draw(len(rows), share, labels)
    chosen = {rows[i] for i in second}
    return [replace(x, split="validation") if i in chosen else x for i, x in enumerate(items)]


def _stretches(items: list[Item], rule: Splitting) -> tuple[list[Item], list[str]]:
    """Cut recordings into stretches, each with the part of every event that lies in it."""
    assert rule.chunk_s is not None
    found: list[Item] = []
    bad: list[str] = []
    for number, item in enumerate(sorted(items, key=lambda x: x.path)):
        try:
            duration = probe(item.path).duration_s
        except AudioError as error:
            bad.append(str(error))
            continue
        count = max(1, math.ceil(duration / rule.chunk_s))
        for index in range(0, count, rule.every):
            start = index * rule.chunk_s
            end = min(duration, start + rule.chunk_s)
            side: Split
            if rule.rule == "chunks":
                side = _by_share(index / count)
            else:
                first, second = sum(rule.train), sum(rule.validation)
                side = (
                    "train"
                    if number < first
                    else "validation"
                    if number < first + second
                    else "test"
                )
            events = clip_events(item.events, start, end)
            found.append(
                replace(
                    item,
                    start_s=start,
                    end_s=end,
                    split=side,
                    events=events,
                    labels=tuple(sorted({e.label for e in events})),
                )
            )
    notes = [f"left out, because it cannot be read: {reason}" for reason in bad]
    return found, notes


def clip_events(events: Sequence[Event], start: float, end: float) -> tuple[Event, ...]:
    """Return the events' parts inside a stretch, in seconds from its start."""
    return tuple(
        replace(e, start_s=max(e.start_s, start) - start, end_s=min(e.end_s, end) - start)
        for e in events
        if e.start_s < end and e.end_s > start
    )


def _by_share(share: float) -> Split:
    if share < TRAIN_UP_TO:
        return "train"
    return "validation" if share < VALIDATION_UP_TO else "test"

"""Detection: linear probe on windows (mAP) and events made from its scores (event F1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from antiphon.errors import UserError
from antiphon.evaluation.intervals import bootstrap
from antiphon.evaluation.metrics.events import Events
from antiphon.evaluation.metrics.scores import macro_average
from antiphon.evaluation.protocols.event_decoding import (
    Collars,
    EventRule,
    Steps,
    choose_event_rule,
    decode_events,
)
from antiphon.evaluation.protocols.inputs import Pair, check_groups, check_sides, class_notes
from antiphon.evaluation.protocols.linear import L2_GRID, fit_linear_probe
from antiphon.evaluation.protocols.result import Measure, ProtocolResult, unique_notes
from antiphon.evaluation.protocols.scoring import RESAMPLES, group_note, score_side
from antiphon.evaluation.protocols.windows import Windows

Float64 = npt.NDArray[np.float64]
Array = npt.NDArray[np.floating]


def detection(
    train_x: npt.ArrayLike,
    train: Windows,
    test_x: npt.ArrayLike,
    test: Windows,
    *,
    validation: tuple[npt.ArrayLike, Windows] | None = None,
    validation_events: Events | None = None,
    test_events: Events | None = None,
    collars: Collars | None = None,
    test_groups: npt.ArrayLike | None = None,
    l2: float | None = None,
    grid: Sequence[float] = L2_GRID,
    seed: int = 0,
    n_resamples: int = RESAMPLES,
) -> ProtocolResult:
    """Fit a one-vs-rest linear probe to windows; score windows, and events made from them.

    Parameters
    ----------
    train_x, train, test_x, test
        ``(n, dim)`` embeddings and the windows they are of
        (:func:`antiphon.evaluation.protocols.windows.beans_windows`).
    validation
        Embeddings and windows that choose L2; without it, folds of the training recordings do.
    validation_events, test_events
        The annotated events behind the windows. With both, and a validation side, its scores
        choose how events are made, and event scores are reported too.
    collars
        What counts as a matched event.
    test_groups
        ``(n,)`` group of each test window, such as its site; its recording when None.
    l2, grid, seed
        As in :func:`antiphon.evaluation.protocols.probe.linear_probe`.

    Returns
    -------
    ProtocolResult
        Family ``detection``: ``map`` over the classes with a positive test window and ``map_all``
        over all, absent ones as 0 (the published rule); with events also ``event_f1`` and
        ``event_f1_micro``. Details: ``l2``, ``per_class``, ``scores``; ``rule``,
        ``event_f1_per_class``.

    Raises
    ------
    UserError
        If shapes or classes of the sides do not fit.
    """
    windows = {"training": train, "test": test}
    pairs: dict[str, Pair] = {"training": (train_x, train.targets), "test": (test_x, test.targets)}
    if validation is not None:
        windows["validation"] = validation[1]
        pairs["validation"] = (validation[0], validation[1].targets)
    for side, given in windows.items():
        if given.classes != train.classes:
            raise UserError(f"The {side} windows have other classes than the training windows.")
    sides = check_sides(pairs, multilabel=True, names=train.classes)
    fit = fit_linear_probe(
        sides["training"],
        validation=sides.get("validation"),
        groups=train.recording,
        l2=l2,
        grid=grid,
        seed=seed,
    )
    scores = fit.head.logits(sides["test"].x)
    by = check_groups(test.recording if test_groups is None else test_groups, len(test), "test")
    measures, details = score_side(scores, sides["test"], by, seed, n_resamples)
    details |= {"l2": fit.l2, "validation_curve": fit.curve, "scores": scores}
    notes = [*class_notes(sides["training"], sides["test"], train.classes), *fit.notes]
    if validation is not None and validation_events is not None and test_events is not None:
        found = event_detection(
            steps_of(test, scores),
            test_events,
            validation=(
                steps_of(validation[1], fit.head.logits(sides["validation"].x)),
                validation_events,
            ),
            collars=collars,
            seed=seed,
            n_resamples=n_resamples,
        )
        measures = (*measures, *found.measures)
        details |= found.details
        notes += found.notes
    else:
        notes.append(
            "No event scores: they need a validation side, its events and those of the test side."
        )
    return ProtocolResult("detection", measures, details, unique_notes(notes))


def steps_of(windows: Windows, scores: Array) -> Steps:
    """Return scores ``(n, C)`` of windows as steps in time."""
    return Steps(windows.recording, windows.start, windows.end, scores, windows.classes)


def event_detection(
    steps: Steps,
    true: Events,
    *,
    validation: tuple[Steps, Events] | None = None,
    rule: EventRule | None = None,
    collars: Collars | None = None,
    groups: dict[str, str] | None = None,
    seed: int = 0,
    n_resamples: int = RESAMPLES,
) -> ProtocolResult:
    """Make events from window or frame scores and compare them with the annotated ones.

    Parameters
    ----------
    steps, true
        Scores of the test recordings, and their events.
    validation
        Scores and events of other recordings, which choose the rule.
    rule
        A fixed rule in place of a choice.
    collars
        What counts as a match.
    groups
        Recording -> site or day, what is drawn for the intervals; recordings when None.

    Returns
    -------
    ProtocolResult
        Family ``events``: ``event_f1``, the mean over classes that are there or were found, and
        ``event_f1_micro``, of all classes together, with ``event_precision`` and ``event_recall``.
        Details: ``rule``, ``collars``, ``event_f1_per_class``, ``found``, ``true``.

    Raises
    ------
    UserError
        If neither a rule nor validation is given, a recording is on both sides, or an event lies
        in a recording without scores.
    """
    collars = collars or Collars()
    recordings = np.unique(steps.recording)
    unscored = np.setdiff1d(np.unique(true.recording), recordings)
    if len(unscored):
        raise UserError(f"There are events in {unscored[0]}, but no scores of it.")
    if validation is not None:
        both = np.intersect1d(recordings, np.unique(validation[0].recording))
        if len(both):
            raise UserError(f"{both[0]} is on the validation and the test side.")
        rule = rule or choose_event_rule(*validation, collars=collars)
    if rule is None:
        raise UserError("Give a rule for making events, or a validation side that chooses it.")
    found = decode_events(steps, rule)
    scored = collars.scores(true, found, steps.classes)
    counts = _by_recording(true, found, scored.true_index, recordings, steps.classes)
    by = None if groups is None else np.array([groups[str(r)] for r in recordings])
    drawn = np.arange(len(recordings)) if by is None else by
    c = len(steps.classes)

    def statistic(score: Array, target: Array, weight: Array) -> Float64:
        total = weight.astype(np.float64) @ score
        right, said, there = total[:, :c], total[:, c : 2 * c], total[:, 2 * c :]
        with np.errstate(divide="ignore", invalid="ignore"):
            f1 = np.where(said + there > 0, 2.0 * right / (said + there), np.nan)
            all_right = right.sum(axis=1)
            micro = 2.0 * all_right / (said.sum(axis=1) + there.sum(axis=1))
            precision, recall = all_right / said.sum(axis=1), all_right / there.sum(axis=1)
        return np.column_stack([macro_average(f1), micro, precision, recall])

    intervals = bootstrap(
        statistic,
        counts,
        np.zeros_like(counts),
        drawn,
        rng=np.random.default_rng(seed),
        n_resamples=n_resamples,
    )
    note = (
        f"collars {collars.onset:g} s at onsets, "
        + ("none at offsets" if collars.offset is None else f"{collars.offset:g} s at offsets")
        + f"; {'recordings drawn' if by is None else group_note(by)}"
    )
    names = ("event_f1", "event_f1_micro", "event_precision", "event_recall")
    measures = tuple(
        Measure.of(name, interval, len(true), note)
        for name, interval in zip(names, intervals, strict=True)
    )
    details: dict[str, Any] = {
        "rule": {
            "threshold": list(rule.threshold),
            "merge_gap": rule.merge_gap,
            "min_duration": rule.min_duration,
        },
        "collars": [collars.onset, collars.offset, collars.rate],
        "event_f1_per_class": scored.f1,
        "found": len(found),
        "true": len(true),
    }
    absent = [name for name in steps.classes if not (true.label == name).any()]
    notes = [f"Classes without a test event: {', '.join(absent)}."] if absent else []
    return ProtocolResult("events", measures, details, tuple(notes))


def _by_recording(
    true: Events,
    found: Events,
    matched: npt.NDArray[np.int64],
    recordings: npt.NDArray[np.str_],
    classes: tuple[str, ...],
) -> Float64:
    """Return matched, found and true events of each recording, ``(recordings, 3 C)``."""
    column = {name: i for i, name in enumerate(classes)}
    out = np.zeros((len(recordings), 3 * len(classes)))

    def count(events: Events, rows: npt.NDArray[np.int64], block: int) -> None:
        place = np.searchsorted(recordings, events.recording[rows])
        label = np.array([column[str(name)] for name in events.label[rows]], np.int64)
        np.add.at(out, (place, block * len(classes) + label), 1.0)

    count(true, matched, 0)
    count(found, np.arange(len(found)), 1)
    count(true, np.arange(len(true)), 2)
    return out

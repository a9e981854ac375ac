"""Detection: windows with labels by the rule of BEANS, a probe over them, and events in time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from antiphon.errors import UserError
from antiphon.evaluation.benchmarks.embedding.features import Features
from antiphon.evaluation.benchmarks.judging.families import (
    Judged,
    Settings,
    cross_validated,
    folds_of,
    lost_classes,
)
from antiphon.evaluation.benchmarks.judging.judged_rows import Rows
from antiphon.evaluation.benchmarks.sets.items import SPLITS, Item, Split
from antiphon.evaluation.benchmarks.sets.judged_sets import JudgedSet
from antiphon.evaluation.leakage.check import check_folds, check_split
from antiphon.evaluation.leakage.report import LeakageReport
from antiphon.evaluation.leakage.sides import SplitSide
from antiphon.evaluation.metrics.events import Events, events_of
from antiphon.evaluation.protocols.detection import detection, event_detection, steps_of
from antiphon.evaluation.protocols.event_decoding import (
    Collars,
    EventRule,
    choose_event_rule,
)
from antiphon.evaluation.protocols.result import ProtocolResult
from antiphon.evaluation.protocols.retrieval import retrieval
from antiphon.evaluation.protocols.windows import Windows, beans_windows


def judge_detection(data: JudgedSet, features: Features, settings: Settings) -> Judged:
    """Judge windows and events; see :func:`antiphon.evaluation.benchmarks.judging.families.judge`.

    Windows are named by the stretch that they lie in, so that no stretch is on two sides; groups
    for folds and intervals are recordings or sources.
    """
    assert data.rule.window_s is not None
    assert data.rule.shift_s is not None
    judged = Judged()
    items = data.labelled.items
    used = np.unique(features.item)
    if not len(used):
        raise UserError(f"{data.name}: no stretch has an embedding; the failures say why.")
    judged.notes += lost_classes(data, [items[i] for i in used])
    windows = _windows(data, features)
    of_window = [items[i] for i in features.item]
    rows = Rows(features.vectors, windows.targets.astype(np.int8), of_window, windows.classes)
    collars = Collars(onset=data.rule.shift_s, offset=data.rule.shift_s, rate=0.2)
    sides = {s: np.array([i.split == s for i in of_window]) for s in SPLITS}
    if sides["train"].any() and sides["test"].any():
        judged.leakage = _leakage(data, features)
        judged.attempt(
            "probe", _given(rows, windows, sides, _events(data, features), collars, settings)
        )
        searched = np.flatnonzero(sides["test"])
    else:
        searched = np.arange(len(rows))
        _folds(judged, data, rows, windows, features, collars, settings)
    _search(judged, rows.take(searched), settings)
    judged.notes.append(
        f"windows of {data.rule.window_s:g} s every {data.rule.shift_s:g} s; events are right "
        f"within {data.rule.shift_s:g} s at both ends, as windows place them no better"
    )
    return judged


def _name(number: int, item: Item) -> str:
    return f"{number:06d} {item.name}"


def _windows(data: JudgedSet, features: Features) -> Windows:
    """Return the windows of all rows, in their order, with labels."""
    window, shift = data.rule.window_s, data.rule.shift_s
    assert window is not None
    assert shift is not None
    items = data.labelled.items
    place = np.round(features.start_s / shift).astype(np.int64)
    durations: dict[str, float] = {}
    first: dict[int, int] = {}
    total = 0
    for number in np.unique(features.item):
        count = int(place[features.item == number].max()) + 1
        first[int(number)] = total
        total += count
        # Half a step more than the last window needs, so that rounding loses none.
        durations[_name(int(number), items[number])] = (count - 0.5) * shift + window
    events, classes = _events(data, features), data.labelled.classes
    every = beans_windows(durations, events, window, shift, classes=classes)
    chosen = np.array([first[int(i)] + p for i, p in zip(features.item, place, strict=True)])
    return _take(every, chosen)


def _take(windows: Windows, rows: npt.NDArray[np.integer]) -> Windows:
    return Windows(
        windows.recording[rows],
        windows.start[rows],
        windows.end[rows],
        windows.targets[rows],
        windows.classes,
    )


def _events(data: JudgedSet, features: Features) -> Events:
    """Return the events of all stretches that have embeddings."""
    items = data.labelled.items
    return events_of(
        {
            _name(int(n), items[n]): [
                (e.start_s, e.end_s, e.label) for e in items[n].events if e.end_s > e.start_s
            ]
            for n in np.unique(features.item)
        }
    )


def _among(events: Events, windows: Windows) -> Events:
    kept = np.isin(events.recording, np.unique(windows.recording))
    return Events(
        events.recording[kept], events.onset[kept], events.offset[kept], events.label[kept]
    )


def _given(
    rows: Rows,
    windows: Windows,
    sides: dict[Split, npt.NDArray[np.bool_]],
    events: Events,
    collars: Collars,
    settings: Settings,
) -> ProtocolResult:
    part = {s: (rows.x[m], _take(windows, np.flatnonzero(m))) for s, m in sides.items()}
    known = sides["validation"].any()
    return detection(
        *part["train"],
        *part["test"],
        validation=part["validation"] if known else None,
        validation_events=_among(events, part["validation"][1]) if known else None,
        test_events=_among(events, part["test"][1]),
        collars=collars,
        test_groups=rows.groups[sides["test"]],
        seed=settings.seed,
        n_resamples=settings.n_resamples,
    )


def _folds(
    judged: Judged,
    data: JudgedSet,
    rows: Rows,
    windows: Windows,
    features: Features,
    collars: Collars,
    settings: Settings,
) -> None:
    try:
        fold = folds_of(rows, rows.groups, settings)
    except UserError as error:
        judged.notes.append(f"no probe: {error}")
        return
    numbers = np.unique(features.item)
    of_item = np.array([fold[features.item == n][0] for n in numbers])
    items = [data.labelled.items[n] for n in numbers]
    judged.leakage = check_folds(_side(items), of_item)
    result = cross_validated(rows, fold, rows.groups, settings, "recordings")
    judged.attempt("probe", result)
    scores = np.asarray(result.details["scores"], np.float64)
    events = _events(data, features)
    # Each fold's thresholds come from the others; taken off the scores, one rule fits all.
    lifted = scores.copy()
    try:
        for number in np.unique(fold):
            others = np.flatnonzero(fold != number)
            other_windows = _take(windows, others)
            rule = choose_event_rule(
                steps_of(other_windows, scores[others]),
                _among(events, other_windows),
                collars=collars,
                merge_gaps=(0.0,),
                min_durations=(0.0,),
            )
            lifted[fold == number] -= np.array(rule.threshold)
        groups = {str(r): str(g) for r, g in zip(windows.recording, rows.groups, strict=True)}
        found = event_detection(
            steps_of(windows, lifted),
            events,
            rule=EventRule((0.0,) * len(windows.classes), 0.0, 0.0),
            collars=collars,
            groups=groups,
            seed=settings.seed,
            n_resamples=settings.n_resamples,
        )
    except UserError as error:
        judged.notes.append(f"no event scores: {error}")
        return
    judged.attempt("probe", replace(result, measures=(*result.measures, *found.measures)))
    judged.notes += list(found.notes)


def _leakage(data: JudgedSet, features: Features) -> LeakageReport:
    numbers = np.unique(features.item)
    by_side = {
        side: [data.labelled.items[n] for n in numbers if data.labelled.items[n].split == side]
        for side in SPLITS
    }
    validation = by_side["validation"]
    return check_split(
        _side(by_side["train"]), _side(by_side["test"]), _side(validation) if validation else None
    )


def _side(items: list[Item]) -> SplitSide:
    empty = Rows(np.zeros((len(items), 1), np.float32), np.zeros(len(items)), items, ())
    return replace(empty.side(), embeddings=None)


def _search(judged: Judged, rows: Rows, settings: Settings) -> None:
    try:
        found = retrieval(
            rows.x, rows.y, groups=rows.groups, seed=settings.seed, n_resamples=settings.n_resamples
        )
        judged.attempt("retrieval", found)
    except UserError as error:
        judged.notes.append(f"no retrieval: {error}")

"""A data set's embeddings through the protocols of its family, and the leakage of its split."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from antiphon.errors import UserError
from antiphon.evaluation.benchmarks.embedding.features import Features
from antiphon.evaluation.benchmarks.judging.judged_rows import Rows
from antiphon.evaluation.benchmarks.sets.items import Item
from antiphon.evaluation.benchmarks.sets.judged_sets import JudgedSet
from antiphon.evaluation.crossval import grouped_folds
from antiphon.evaluation.leakage.check import check_folds, check_split
from antiphon.evaluation.leakage.report import LeakageReport
from antiphon.evaluation.protocols.clustering import clustering
from antiphon.evaluation.protocols.individual import individual_id
from antiphon.evaluation.protocols.inputs import check_sides
from antiphon.evaluation.protocols.linear import fit_linear_probe
from antiphon.evaluation.protocols.probe import linear_probe
from antiphon.evaluation.protocols.repertoire import MOST, repertoire_frames
from antiphon.evaluation.protocols.result import ProtocolResult
from antiphon.evaluation.protocols.retrieval import retrieval
from antiphon.evaluation.protocols.scoring import score_side

Int64 = npt.NDArray[np.int64]

# Raised with every change to what is computed from the same embeddings.
ALGORITHM = 2
FOLDS = 5


@dataclass(frozen=True, slots=True)
class Settings:
    """How a data set is judged.

    Parameters
    ----------
    seed
        Of folds and bootstrap.
    n_resamples
        Of the bootstrap.
    folds
        Of a cross-validation over recordings, where the data bring no split.
    """

    seed: int = 0
    n_resamples: int = 1000
    folds: int = FOLDS


@dataclass(slots=True)
class Judged:
    """What the protocols found.

    Parameters
    ----------
    results
        One for each protocol that was possible.
    leakage
        None where nothing is trained.
    notes
        Protocols that were not possible, and other things to know.
    per_item
        Whether the probe was right, and the item's group, by item.
    """

    results: dict[str, ProtocolResult] = field(default_factory=dict)
    leakage: LeakageReport | None = None
    notes: list[str] = field(default_factory=list)
    per_item: dict[str, tuple[float, str]] = field(default_factory=dict)

    def attempt(self, name: str, result: ProtocolResult) -> None:
        """Keep a result with its notes."""
        self.results[name] = result
        self.notes += [f"{name}: {note}" for note in result.notes]


def judge(data: JudgedSet, features: Features, settings: Settings) -> Judged:
    """Run the protocols of a data set's family on its embeddings.

    Parameters
    ----------
    data
        Items, labels and sides.
    features
        Embeddings of the items; items that failed have none and take no part.

    Raises
    ------
    UserError
        If too little is left to judge anything.
    """
    if data.family == "detection":
        from antiphon.evaluation.benchmarks.judging.detection import judge_detection

        return judge_detection(data, features, settings)
    judged = Judged()
    items = [data.labelled.items[i] for i in features.item]
    if not items:
        raise UserError(f"{data.name}: no item has an embedding; the failures say why.")
    rows = Rows(features.vectors, data.code(items), items, data.labelled.classes)
    judged.notes += lost_classes(data, items)
    if data.family != "repertoire":
        _probe(judged, data, rows, settings)
    searched = rows.on("test") if len(rows.on("test")) else rows
    _search(judged, searched, settings)
    if data.family == "individual" and len(rows.on("train")) and len(rows.on("test")):
        _train_to_test(judged, rows, settings)
    if data.family == "repertoire":
        _frames(judged, rows, features, settings)
    return judged


def lost_classes(data: JudgedSet, items: Sequence[Item]) -> list[str]:
    """Say which classes have no item left because their files failed."""
    left = {label for item in items for label in item.labels}
    lost = [name for name in data.labelled.classes if name not in left]
    if not lost:
        return []
    shown = ", ".join(lost[:5]) + (" ..." if len(lost) > 5 else "")
    return [f"no embedding is left of {len(lost)} classes: {shown}"]


def _probe(judged: Judged, data: JudgedSet, rows: Rows, settings: Settings) -> None:
    train, valid, test = (rows.on(s) for s in ("train", "validation", "test"))
    individuals = data.family == "individual"
    apart = ("recording", "source", *(["day"] if individuals else []))
    # Calls of one day share weather and microphone: individuals are judged on other days.
    days = rows.days if individuals else None
    by_day = days is not None
    if individuals and not by_day:
        judged.notes.append("not all days are known, so the probe may be one of the same days")
    if len(train) and len(test):
        judged.leakage = check_split(
            train.side(), test.side(), valid.side() if len(valid) else None, apart=apart
        )
        result = _on_sides(judged, data, train, valid, test, settings)
        judged.attempt("probe", result)
        _keep_items(judged, test, result, by_day)
        return
    groups = rows.groups if days is None else days
    try:
        fold = folds_of(rows, groups, settings)
    except UserError as error:
        judged.notes.append(f"no probe: {error}")
        return
    judged.leakage = check_folds(rows.side(), fold, apart=apart)
    result = cross_validated(rows, fold, groups, settings, "recordings" if days is None else "days")
    judged.attempt("probe", result)
    _keep_items(judged, rows, result, by_day)


def _on_sides(
    judged: Judged, data: JudgedSet, train: Rows, valid: Rows, test: Rows, settings: Settings
) -> ProtocolResult:
    """Return the probe on the sides of the data, individuals on unseen days if these are known."""
    options: dict[str, Any] = {
        "names": train.classes,
        "seed": settings.seed,
        "n_resamples": settings.n_resamples,
    }
    learnt, chosen, asked = (side.days for side in (train, valid, test))
    if data.family == "individual" and not (learnt is None or chosen is None or asked is None):
        further = (valid.x, valid.y, chosen) if len(valid) else None
        try:
            return individual_id(
                *(train.x, train.y, learnt, test.x, test.y, asked), validation=further, **options
            )
        except UserError as error:
            judged.notes.append(f"the probe is not one of unseen days: {error}")
    return linear_probe(
        *(train.x, train.y, test.x, test.y),
        validation=(valid.x, valid.y) if len(valid) else None,
        groups=train.groups,
        test_groups=test.groups,
        **options,
    )


def folds_of(rows: Rows, groups: npt.NDArray[np.generic], settings: Settings) -> Int64:
    """Return the fold of each row: those of the data, else folds over groups ``(n,)``.

    Raises
    ------
    UserError
        If there is only one group, or one fold.
    """
    given = np.array([item.fold for item in rows.items], np.int64)
    if (given >= 0).all():
        if len(np.unique(given)) < 2:
            raise UserError("all items are in one fold")
        return given
    return grouped_folds(groups, rows.matrix, settings.folds, settings.seed)


def cross_validated(
    rows: Rows, fold: Int64, groups: npt.NDArray[np.generic], settings: Settings, unit: str
) -> ProtocolResult:
    """Judge every row by a probe that has not seen its fold.

    Each fold's strength of L2 is chosen on folds of the others. The scores of all folds are put
    together and judged once, so the interval is over all groups.
    """
    whole = check_sides({"given": (rows.x, rows.y)}, names=rows.classes)["given"]
    scores = np.zeros((len(rows), len(rows.classes)), np.float32)
    notes: list[str] = []
    strengths = {}
    for number in np.unique(fold):
        inside, outside = np.flatnonzero(fold == number), np.flatnonzero(fold != number)
        fit = fit_linear_probe(whole.rows(outside), groups=groups[outside], seed=settings.seed)
        scores[inside] = fit.head.logits(rows.x[inside])
        strengths[int(number)] = fit.l2
        notes += fit.notes
    measures, details = score_side(scores, whole, groups, settings.seed, settings.n_resamples)
    where = "given folds" if all(i.fold >= 0 for i in rows.items) else f"folds over {unit}"
    notes += [f"cross-validated over {len(strengths)} {where}", *_few_groups(rows, groups, unit)]
    details |= {"l2": strengths, "scores": scores, "fold": fold}
    return ProtocolResult("probe", measures, details, tuple(dict.fromkeys(notes)))


def _few_groups(rows: Rows, groups: npt.NDArray[np.generic], unit: str) -> list[str]:
    """Say which classes come from a single group, so are never both learnt and judged."""
    alone = [
        name
        for i, name in enumerate(rows.classes)
        if len(np.unique(groups[rows.matrix[:, i] > 0])) == 1
    ]
    if not alone:
        return []
    shown = ", ".join(alone[:5]) + (" ..." if len(alone) > 5 else "")
    single = "day" if unit == "days" else "recording or source"
    said = f"come from a single {single} and can never be right"
    return [f"{len(alone)} classes {said}: {shown}"]


def _keep_items(judged: Judged, rows: Rows, result: ProtocolResult, by_day: bool) -> None:
    predicted = result.details.get("predicted")
    if predicted is None:
        return
    right = np.asarray(predicted) == rows.y
    judged.per_item = {
        item.unique_name: (float(r), item.day if by_day else item.group)
        for item, r in zip(rows.items, right, strict=True)
    }


def _search(judged: Judged, rows: Rows, settings: Settings) -> None:
    options = {"groups": rows.groups, "seed": settings.seed}
    try:
        found = retrieval(rows.x, rows.y, n_resamples=settings.n_resamples, **options)  # type: ignore[arg-type]
        judged.attempt("retrieval", found)
        several = [n for n in Counter(rows.groups.tolist()).values() if n > 1]
        if several:
            judged.notes.append(
                "retrieval: items of one recording or source may find each other, so that part of "
                "the score is the recording and not the class"
            )
    except UserError as error:
        judged.notes.append(f"no retrieval: {error}")
    try:
        judged.attempt(
            "clustering", clustering(rows.x, rows.y, groups=rows.groups, names=rows.classes)
        )
    except UserError as error:
        judged.notes.append(f"no clustering: {error}")


def _train_to_test(judged: Judged, rows: Rows, settings: Settings) -> None:
    train, test = rows.on("train"), rows.on("test")
    try:
        found = retrieval(
            test.x,
            test.y,
            gallery=(train.x, train.y),
            groups=test.groups,
            seed=settings.seed,
            n_resamples=settings.n_resamples,
        )
        judged.attempt("retrieval_train", found)
    except UserError as error:
        judged.notes.append(f"no retrieval from test to training items: {error}")


def _frames(judged: Judged, rows: Rows, features: Features, settings: Settings) -> None:
    """Judge the repertoire by unpooled windows as well, where items have several."""
    count = np.bincount(features.frame_row, minlength=len(rows))
    if count.max() < 2:
        judged.notes.append(
            "no raw frames: every item is shorter than the encoder's window, which gives one vector"
        )
        return
    if len(rows) > MOST:
        judged.notes.append(f"no raw frames: {len(rows):,} items, at most {MOST:,} are compared")
        return
    order = np.argsort(features.frame_row, kind="stable")
    frames = np.zeros((len(rows), int(count.max()), rows.x.shape[1]), np.float32)
    mask = np.arange(frames.shape[1]) < count[:, None]
    frames[mask] = features.frames[order]
    judged.attempt(
        "raw_frames",
        repertoire_frames(
            frames,
            mask,
            rows.y,
            groups=rows.groups,
            names=rows.classes,
            n_resamples=settings.n_resamples,
        ),
    )

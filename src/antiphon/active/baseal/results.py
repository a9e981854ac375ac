"""The results file of a submission (YAML): its fields, reading and checking."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from antiphon.active.baseal.fields import CONFIG, COST, CURVE, HEADER, SUPPLEMENTARY, Form
from antiphon.errors import FileError, FormatError

# Values are rounded to six decimals; areas are sums of them.
_ROUNDING = 5e-5


@dataclass(frozen=True, slots=True)
class Point:
    """One cycle of a learning curve.

    Parameters
    ----------
    n_labelled
        Labels spent.
    mAP, mAP_sd
        Mean over the repeats and standard deviation (divided by n); likewise the others.
    aulc, aulc_sd
        Area under the curve so far, by trapezoids from (0, 0), divided by ``n_labelled``; the SD
        is NaN in the form of ``learner.export()``.
    annotation_cost
        Events in the clips labelled in this cycle, of the first repeat.
    sampling_s
        Seconds of selection.
    """

    n_labelled: int
    mAP: float  # noqa: N815 (the name of the metric)
    mAP_sd: float  # noqa: N815
    aulc: float
    aulc_sd: float
    annotation_cost: float
    sampling_s: float


@dataclass(frozen=True, slots=True)
class Submission:
    """A results file.

    Parameters
    ----------
    path
        The file.
    form
        ``"aggregated"`` (task page) or ``"export"`` (BaseAL's ``learner.export()``).
    timestamp, author, institute, strategy, dataset, model
        As written; empty texts where they are null.
    repeats
        Independent runs.
    curve
        One point for each cycle.
    annotation_cost, sampling_s
        Totals over the cycles, mean over the repeats.
    relative_cost
        Training cost over the baseline's, or None.
    notes
        Fields that were not understood.
    """

    path: Path
    form: Form
    timestamp: str
    author: str
    institute: str
    strategy: str
    dataset: str
    model: str
    repeats: int
    curve: tuple[Point, ...]
    annotation_cost: float
    sampling_s: float
    relative_cost: float | None
    notes: tuple[str, ...] = ()


def read_submission(path: Path, *, strict: bool = True) -> Submission:
    """Read a results file of either form and check it.

    Checked are the fields and their kinds, that labels grow from cycle to cycle, that mAP is in
    [0, 1], and that areas, numbers of cycles and costs follow from the curve.

    Parameters
    ----------
    strict
        Whether an unknown field is an error rather than a note.

    Raises
    ------
    FileError
        If the file cannot be read.
    FormatError
        Naming the field that is missing, unknown, of the wrong kind, or that contradicts others.
    """
    return _Reader(path, strict=strict).read()


class _Reader:
    def __init__(self, path: Path, *, strict: bool) -> None:
        self.path = path
        self.strict = strict
        self.notes: list[str] = []

    def read(self) -> Submission:
        try:
            found = yaml.safe_load(self.path.read_text(encoding="utf-8"))
        except OSError as error:
            raise FileError(self.path, f"it cannot be read: {error.strerror or error}") from error
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            said = " ".join(str(error).split())
            raise FormatError(self.path, f"it is not valid YAML: {said}") from error
        if not isinstance(found, Mapping):
            raise FormatError(self.path, "it holds no fields", "Write it with write_submission")
        self.fields(found, HEADER, "")
        config = self.mapping(found["config"], "config")
        form: Form = "aggregated" if "n_outer_repeats" in config else "export"
        self.fields(config, CONFIG[form], "config")
        more = self.mapping(found["supplementary"], "supplementary")
        self.fields(more, SUPPLEMENTARY[form], "supplementary")
        cost = self.mapping(more["computational_cost"], "computational_cost")
        self.fields(cost, COST, "computational_cost")
        curve = self.curve(found["learning_curve"], form)
        repeats = self.whole(config, CONFIG[form][2], "config")
        self.check_totals(more, cost, curve, form, repeats)
        ending = "_mean" if form == "aggregated" else ""
        relative = cost["relative_cost"]
        return Submission(
            path=self.path,
            form=form,
            timestamp=self.text(found, "submission_timestamp"),
            author=self.text(found, "author_lastname"),
            institute=self.text(found, "institute_abbreviation"),
            strategy=self.text(found, "sampling_strategy", needed=True),
            dataset=self.text(found, "dataset", needed=True),
            model=self.text(found, "model"),
            repeats=repeats,
            curve=curve,
            annotation_cost=self.number(more, f"total_annotation_cost{ending}", "supplementary"),
            sampling_s=self.number(more, f"total_sampling_time_s{ending}", "supplementary"),
            relative_cost=None if relative is None else self.number(cost, "relative_cost", "cost"),
            notes=tuple(self.notes),
        )

    def curve(self, rows: Any, form: Form) -> tuple[Point, ...]:
        if not isinstance(rows, Sequence) or isinstance(rows, str) or not rows:
            raise FormatError(self.path, "learning_curve: expected a list with one item a cycle")
        points: list[Point] = []
        mean, area, sd = (
            ("mAP_mean", "aulc_mAP_mean", "sampling_time_s_mean")
            if form == "aggregated"
            else ("mAP", "aulc_mAP", "sampling_time_s")
        )
        for index, row in enumerate(rows, start=1):
            where = f"learning_curve, cycle {index}"
            row = self.mapping(row, where)
            self.fields(row, CURVE[form], where)
            if self.whole(row, "cycle", where) != index:
                raise FormatError(self.path, f"{where}: cycle is {row['cycle']}, expected {index}")
            point = Point(
                n_labelled=self.whole(row, "n_labeled", where),
                mAP=self.share(row, mean, where),
                mAP_sd=self.share(row, "mAP_sd", where),
                aulc=self.share(row, area, where),
                aulc_sd=self.share(row, "aulc_mAP_sd", where) if form == "aggregated" else math.nan,
                annotation_cost=self.number(row, "annotation_cost", where),
                sampling_s=self.number(row, sd, where),
            )
            before = points[-1].n_labelled if points else 0
            if point.n_labelled <= before:
                raise FormatError(
                    self.path,
                    f"{where}: n_labeled is {point.n_labelled}, not more than the {before} before",
                )
            points.append(point)
        expected = running_area([p.n_labelled for p in points], [p.mAP for p in points])
        for index, (point, value) in enumerate(zip(points, expected, strict=True), start=1):
            if abs(point.aulc - value) > _ROUNDING:
                raise FormatError(
                    self.path,
                    f"learning_curve, cycle {index}: {area} is {point.aulc:.6f}, but the mAP "
                    f"values give {value:.6f}",
                )
        return tuple(points)

    def check_totals(
        self,
        more: Mapping[str, Any],
        cost: Mapping[str, Any],
        curve: Sequence[Point],
        form: Form,
        repeats: int,
    ) -> None:
        where = "computational_cost"
        checks: list[tuple[str, float, float]] = [
            ("supplementary, n_cycles", self.whole(more, "n_cycles", "supplementary"), len(curve)),
            (f"{where}, n_cycles", self.whole(cost, "n_cycles", where), len(curve)),
        ]
        if form == "aggregated":
            said = self.whole(more, "n_outer_repeats", "supplementary")
            checks.append(("supplementary, n_outer_repeats", said, repeats))
        if cost["epochs_per_cycle"] is not None and cost["cost_method"] is not None:
            spent = self.number(cost, "cost_method", where)
            parts = [self.whole(cost, name, where) for name in COST[:3]]
            checks.append((f"{where}, cost_method", spent, math.prod(parts)))
            if cost["relative_cost"] is not None and cost["baseline_cost"]:
                share = round(spent / self.number(cost, "baseline_cost", where), 4)
                said_share = self.number(cost, "relative_cost", where)
                checks.append((f"{where}, relative_cost", said_share, share))
        for name, value, expected in checks:
            if value != expected:
                raise FormatError(self.path, f"{name} is {value}, but the rest gives {expected}")

    def fields(self, found: Mapping[Any, Any], expected: Sequence[str], where: str) -> None:
        place = f"{where}: " if where else ""
        for name in expected:
            if name not in found:
                raise FormatError(self.path, f"{place}the field {name!r} is missing")
        for name in found:
            if name in expected:
                continue
            near = difflib.get_close_matches(str(name), expected, n=1)
            hint = f"Did you mean {near[0]!r}?" if near else "Take it out"
            if self.strict:
                raise FormatError(self.path, f"{place}the field {name!r} is not known", hint)
            self.notes.append(f"{self.path.name}: {place}the field {name!r} is not known.")

    def mapping(self, value: Any, where: str) -> Mapping[str, Any]:
        if not isinstance(value, Mapping):
            raise FormatError(self.path, f"{where}: expected fields, found {type(value).__name__}")
        return value

    def number(self, found: Mapping[str, Any], name: str, where: str) -> float:
        value = found[name]
        good = isinstance(value, int | float) and not isinstance(value, bool)
        if not good or not math.isfinite(value) or value < 0:
            raise FormatError(
                self.path, f"{where}, {name}: expected a number from 0 up, found {value!r}"
            )
        return float(value)

    def share(self, found: Mapping[str, Any], name: str, where: str) -> float:
        value = self.number(found, name, where)
        if value > 1:
            raise FormatError(self.path, f"{where}, {name}: {value} is above 1")
        return value

    def whole(self, found: Mapping[str, Any], name: str, where: str) -> int:
        value = self.number(found, name, where)
        if value != int(value) or value < 1:
            raise FormatError(
                self.path, f"{where}, {name}: expected a whole number from 1 up, found {value}"
            )
        return int(value)

    def text(self, found: Mapping[str, Any], name: str, *, needed: bool = False) -> str:
        value = found[name]
        if needed and (value is None or not str(value).strip()):
            raise FormatError(self.path, f"the field {name!r} is empty")
        return "" if value is None else str(value)


def running_area(n_labelled: Sequence[float], value: Sequence[float]) -> list[float]:
    """Return the area under the curve up to each point, from (0, 0), divided by its labels.

    This is BaseAL's AULC: the trapezoidal rule over labels spent.
    """
    x = np.array([0.0, *n_labelled])
    y = np.array([0.0, *value])
    area = np.cumsum((x[1:] - x[:-1]) * (y[1:] + y[:-1]) / 2.0)
    return (area / x[1:]).tolist()  # type: ignore[no-any-return]

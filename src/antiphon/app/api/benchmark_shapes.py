"""Shapes of the requests about benchmarks."""

from __future__ import annotations

from pydantic import BaseModel


class RunInfo(BaseModel):
    """A benchmark run; ``kind`` is strategies or encoders, ``mine`` whether the project has it."""

    id: str
    kind: str
    name: str
    mine: bool
    results: int


class Runs(BaseModel):
    """All runs, and the commands that make some."""

    runs: list[RunInfo]
    strategies_command: str
    encoders_command: str


class Value(BaseModel):
    """A figure with its 95 % interval; null where there is none."""

    value: float | None
    low: float | None
    high: float | None


class SystemInfo(BaseModel):
    """A strategy under settings; ``overall`` by score, null where it lacks a set."""

    key: str
    label: str
    strategy: str
    schedule: str
    overall: dict[str, Value | None]
    select_cycle_s: float | None
    events: float


class SetInfo(BaseModel):
    """A data set."""

    key: str
    label: str
    pool: int
    judging: int
    classes: int
    multilabel: bool


class CellInfo(BaseModel):
    """A system on a set: means over ``seeds`` with Student's interval, by score."""

    system: str
    set: str
    seeds: list[int]
    scores: dict[str, Value]


class Strategies(BaseModel):
    """What runs of strategies hold together; systems the best first."""

    scores: dict[str, str]
    systems: list[SystemInfo]
    sets: list[SetInfo]
    cells: list[CellInfo]
    reference: str
    results: int
    missing: int
    failures: list[str]
    notes: list[str]


class Drawing(BaseModel):
    """A chart as SVG."""

    svg: str


class Difference(BaseModel):
    """System ``a`` minus ``b`` over the sets and repeats that both have; p corrected by Holm."""

    a: str
    b: str
    value: float | None
    low: float | None
    high: float | None
    p_permutation: float | None
    p_wilcoxon: float | None
    sets: int
    pairs: int
    unit: str
    note: str


class ClassValue(BaseModel):
    """A class with one system: average precision over the repeats, and examples it found.

    ``precision`` is null where the runs did not keep it or no judging row has the class; ``found``
    is the mean number of examples among the chosen rows, null where the set cannot be read.
    """

    system: str
    precision: Value | None
    found: float | None


class ClassRow(BaseModel):
    """A class of a set; ``there`` counts its examples among the rows that can be chosen."""

    name: str
    there: int | None
    values: list[ClassValue]


class Classes(BaseModel):
    """The classes of a set; ``note`` says what is missing and why."""

    rows: list[ClassRow]
    note: str


class Step(BaseModel):
    """A cycle: which points were chosen, in order, and how good the head was afterwards."""

    cycle: int
    labelled: int
    events: int
    mAP: float  # noqa: N815
    points: list[int]
    classes: int


class Steps(BaseModel):
    """A run cycle by cycle; ``kept`` is false where the file does not tell what was chosen."""

    kept: bool
    note: str
    classes: int
    cycles: list[Step]


class EncoderMean(BaseModel):
    """An encoder's mean over the data sets that all have, with its interval and mean rank."""

    encoder: str
    value: float | None
    low: float | None
    high: float | None
    rank: float | None


class EncoderRow(BaseModel):
    """A measure of a family; ``sets`` are in the means, ``partial`` ones lack an encoder."""

    family: str
    measure: str
    means: list[EncoderMean]
    sets: list[str]
    partial: list[str]
    svg: str


class EncoderSet(BaseModel):
    """An encoder on one data set."""

    family: str
    name: str
    encoder: str
    items: int
    values: dict[str, Value]


class EncoderDifference(BaseModel):
    """The best encoder of a data set against another, on the same items."""

    name: str
    family: str
    best: str
    other: str
    value: float | None
    low: float | None
    high: float | None
    groups: int
    verdict: str


class Encoders(BaseModel):
    """What runs of encoders hold together; encoders the best mean rank first."""

    encoders: list[str]
    ranks: dict[str, float | None]
    rows: list[EncoderRow]
    sets: list[EncoderSet]
    differences: list[EncoderDifference]
    notes: list[str]

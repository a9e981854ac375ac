"""Requests about detections: the table, thresholds, a new run, export."""

from __future__ import annotations

import math
import re
import shutil
import tempfile
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from fastapi.responses import FileResponse
from pydantic import BaseModel, Field
from starlette.background import BackgroundTask

from antiphon.app.api.narrowing import Wanted
from antiphon.app.security.identity import Context, Manager, Someone
from antiphon.app.services.browsing import browsing_of
from antiphon.errors import UserError
from antiphon.pipeline.browse.detections import Order, page
from antiphon.pipeline.browse.exports import (
    FOLDERS,
    export_annotations,
    export_detections,
    zip_files,
)
from antiphon.pipeline.browse.precision import Precision
from antiphon.pipeline.browse.thresholds import with_thresholds

router = APIRouter(prefix="/api/detections", tags=["detections"])

Format = Literal["csv", "parquet", "raven", "audacity"]
What = Literal["detections", "annotations"]


class Detection(BaseModel):
    """A detected window, or a span of joined ones; ``score`` is the largest of its windows."""

    recording: int
    name: str
    site: str | None
    time: datetime | None
    channel: int
    start_s: float
    end_s: float
    label: str
    score: float


class DetectionList(BaseModel):
    """A page of detections; the counts are of all that the filter lets through."""

    run: str | None
    total: int
    recordings: int
    sites: int
    without_time: int
    rows: list[Detection]


class LabelThreshold(BaseModel):
    """A label of the detector, its threshold and how it came about.

    ``set_before`` was set by somebody before the last training, which chose the threshold anew.
    """

    label: str
    threshold: float
    note: str
    set_before: float | None = None


class State(BaseModel):
    """Where the project stands with detections.

    Attributes
    ----------
    current
        Whether the newest run is of the current detector.
    running, share, error
        A run in the background: whether it goes on, how far it is, why the last one failed.
    """

    detector: str | None
    labels: list[LabelThreshold]
    runs: list[str]
    run: str | None
    detections: int
    current: bool
    embedded: int
    manager: bool
    running: bool
    share: float | None
    error: str | None


class ThresholdCounts(BaseModel):
    """What thresholds of a label would detect; one entry of each list for each threshold.

    Attributes
    ----------
    expected
        Precision if the calibrated probabilities are taken at their word.
    """

    detector: str
    label: str
    threshold: float
    thresholds: list[float]
    windows: list[int]
    recordings: list[int]
    sites: list[int]
    expected: list[float | None]


class ThresholdPrecision(BaseModel):
    """What labelled windows say of the precision at the same thresholds.

    Attributes
    ----------
    labelled
        Labelled windows at or above each threshold.
    weighted
        Whether it is an estimate for the whole archive, from a sample with known chances.
    how
        How the windows came to be labelled, and what that means.
    problem
        Why nothing can be said; the lists are empty then.
    """

    label: str
    value: list[float | None] = []
    low: list[float | None] = []
    high: list[float | None] = []
    recall: list[float | None] = []
    labelled: list[int] = []
    windows: int = 0
    positives: int = 0
    groups: int = 0
    group_by: str = ""
    weighted: bool = False
    how: str = ""
    problem: str | None = None


class NewThresholds(BaseModel):
    """Thresholds by label, chosen for a detector."""

    detector: str
    values: dict[str, Annotated[float, Field(ge=0.0, le=1.0, allow_inf_nan=False)]]
    detect: bool = True


class Saved(BaseModel):
    """The name of the detector that holds the new thresholds."""

    detector: str


@router.get("")
def detections(
    context: Context,
    _person: Someone,
    wanted: Wanted,
    run: str | None = None,
    spans: bool = False,
    sort: Order = "time",
    descending: bool = False,
    offset: Annotated[int, Query(ge=0)] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> DetectionList:
    """Return a page of the detections of a run (the newest one).

    ``spans`` joins windows of a label that touch.
    """
    name, chosen = browsing_of(context).select(run, wanted, spans=spans)
    rows = page(chosen.rows, sort, descending=descending, offset=offset, limit=limit)
    columns = (
        rows.column(n).to_pylist()
        for n in (
            "recording_id",
            "path",
            "site",
            "time",
            "channel",
            "start_s",
            "end_s",
            "label",
            "probability",
        )
    )
    names = list(Detection.model_fields)
    return DetectionList(
        run=name,
        total=chosen.rows.num_rows,
        recordings=chosen.recordings,
        sites=chosen.sites,
        without_time=chosen.without_time,
        rows=[
            Detection(**dict(zip(names, row, strict=True))) for row in zip(*columns, strict=True)
        ],
    )


@router.get("/state")
def state(context: Context, person: Someone) -> State:
    """Return the detector, its thresholds and the runs."""
    browsing = browsing_of(context)
    # First: a run that ends meanwhile must not be told as over beside what it replaced.
    running = browsing.detecting.running
    detector = browsing.detector()
    run, found = browsing.detections()
    name = None if detector is None else str(detector.facts["name"])
    made_by = (found.schema.metadata or {}).get(b"detector", b"").decode()
    before = browsing.set_before()
    return State(
        detector=name,
        labels=[]
        if detector is None
        else [
            LabelThreshold(
                label=label, threshold=t.value, note=t.note, set_before=before.get(label)
            )
            for label, t in zip(detector.labels, detector.thresholds, strict=True)
        ],
        runs=browsing.runs(),
        run=run,
        detections=found.num_rows,
        current=name is not None and made_by == name,
        embedded=len(context.windows()) if context.has_embeddings() else 0,
        manager=person.is_manager,
        running=running,
        share=browsing.detecting.progress.share,
        error=browsing.detecting.error,
    )


@router.post("/run", status_code=202)
def run(context: Context, _person: Manager) -> State:
    """Run the current detector over all embedded windows, in the background."""
    browsing_of(context).detect()
    return state(context, _person)


@router.get("/thresholds")
def thresholds(context: Context, _person: Someone, label: str) -> ThresholdCounts:
    """Return what every threshold of a label would detect in the whole project."""
    browsing = browsing_of(context)
    found = browsing.counts().get(label)
    detector = browsing.detector()
    if found is None or detector is None:
        raise UserError(f"The detector has no label {label!r}.")
    return ThresholdCounts(
        detector=str(detector.facts["name"]),
        label=label,
        threshold=found.threshold,
        thresholds=[float(v) for v in found.thresholds],
        windows=found.windows.tolist(),
        recordings=found.recordings.tolist(),
        sites=found.sites.tolist(),
        expected=_plain(found.expected.tolist()),
    )


@router.get("/precision")
def precision(context: Context, _person: Someone, label: str) -> ThresholdPrecision:
    """Return what labelled windows say of a label's precision at each threshold.

    Each window is scored by a detector that never saw its recording; the first request after new
    labels takes as long as some trainings.
    """
    try:
        said = browsing_of(context).precision(label)
    except UserError as error:
        return ThresholdPrecision(label=label, problem=str(error))
    return ThresholdPrecision(
        label=label,
        value=_plain(said.value.tolist()),
        low=_plain(said.low.tolist()),
        high=_plain(said.high.tolist()),
        recall=_plain(said.recall.tolist()),
        labelled=said.labelled.tolist(),
        windows=said.windows,
        positives=said.positives,
        groups=said.groups,
        group_by=said.group_by,
        weighted=said.weighted,
        how=said.how,
    )


@router.post("/thresholds")
def save_thresholds(context: Context, person: Manager, new: NewThresholds) -> Saved:
    """Keep thresholds as those of the project: a new version of the detector, the old one stays.

    With ``detect`` it is run over all embedded windows afterwards, in the background.
    """
    browsing = browsing_of(context)
    counts = browsing.counts()
    judged = {}
    for label in new.values:
        said = _judged(context, label) if label in counts else None
        if said is not None:
            judged[label] = (counts[label].thresholds, said)
    made = with_thresholds(
        context.folder,
        context.table(),
        new.values,
        base=new.detector,
        by=person.name,
        judged=judged,
    )
    if new.detect:
        browsing.detect()
    return Saved(detector=str(made.facts["name"]))


@router.get("/export", response_class=FileResponse)
def export(
    context: Context,
    _person: Someone,
    wanted: Wanted,
    format: Format = "csv",
    what: What = "detections",
    run: str | None = None,
    spans: bool = True,
) -> FileResponse:
    """Download detections or annotations that the filter lets through.

    ``raven`` and ``audacity`` are one file for each recording, in a zip. The number of rows stands
    in the header ``X-Rows``.
    """
    name, _found = browsing_of(context).detections(run)
    if what == "detections" and name is None:
        raise UserError("There are no detections yet. Run: antiphon detect PROJECT")
    folder = context.folder
    base = Path(tempfile.mkdtemp(prefix="antiphon-"))
    try:
        target = base / ("tables" if format in FOLDERS else f"table.{format}")
        if what == "detections":
            files, rows = export_detections(folder, target, format, wanted, run=name, spans=spans)
        else:
            files, rows = export_annotations(folder, target, format, wanted)
        suffix: str = format
        if format in FOLDERS:
            suffix = f"{format}.zip"
            made = base / "tables.zip"
            zip_files(files, target, made)
        else:
            made = target
    except BaseException:
        shutil.rmtree(base, ignore_errors=True)
        raise
    return FileResponse(
        made,
        filename=_file_name(folder.root.name, what, suffix),
        headers={"X-Rows": str(rows), "Cache-Control": "no-store"},
        background=BackgroundTask(shutil.rmtree, base, ignore_errors=True),
    )


def _judged(context: Context, label: str) -> Precision | None:
    try:
        return browsing_of(context).precision(label)
    except UserError:
        # A threshold may be set before anything can be judged; its numbers are then unknown.
        return None


def _file_name(project: str, what: What, suffix: str) -> str:
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", project).strip("-.") or "project"
    return f"{plain[:60]}-{what}-{date.today().isoformat()}.{suffix}"


def _plain(values: list[float]) -> list[float | None]:
    """Return NaN as None, which JSON knows."""
    return [None if math.isnan(value) else value for value in values]

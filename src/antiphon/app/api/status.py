"""Where the project stands, and whether the app is up."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc
from fastapi import APIRouter
from pydantic import BaseModel

from antiphon._version import __version__
from antiphon.app.security.identity import Context, Someone
from antiphon.store.recordings import READABLE

router = APIRouter(prefix="/api", tags=["status"])


class Health(BaseModel):
    """That the app is up."""

    version: str


class DetectorStatus(BaseModel):
    """The newest detector, and how many labelled spans there were when it was trained."""

    name: str
    labels_spent: int


class ProjectStatus(BaseModel):
    """Where the project stands.

    ``recordings`` can be read, ``missing`` cannot; ``hours`` are of those that can.
    """

    name: str
    person: str
    role: str
    recordings: int
    missing: int
    hours: float
    windows: int
    encoder: str | None
    labels: list[str]
    labels_spent: int
    detector: DetectorStatus | None


@router.get("/health")
def health() -> Health:
    """Say that the app is up; needs no login."""
    return Health(version=__version__)


@router.get("/status")
def status(context: Context, person: Someone) -> ProjectStatus:
    """Return how much there is, and how much of it is labelled."""
    catalogue = context.folder.catalogue
    found = catalogue.recordings(all_states=True)
    found = found.filter(pc.not_equal(found.column("status"), "replaced"))
    readable = found.filter(pc.is_in(found.column("status"), pa.array(READABLE)))
    windows = context.windows() if context.has_embeddings() else None
    detectors = catalogue.detectors()
    return ProjectStatus(
        name=context.folder.root.name,
        person=person.name,
        role=person.role,
        recordings=readable.num_rows,
        missing=found.num_rows - readable.num_rows,
        hours=(pc.sum(readable.column("duration_s")).as_py() or 0.0) / 3600.0,
        windows=0 if windows is None else len(windows),
        encoder=None if windows is None else str(windows.view.table.spec["name"]),
        labels=catalogue.label_names(),
        labels_spent=catalogue.labels_spent(),
        detector=DetectorStatus(name=detectors[-1].name, labels_spent=detectors[-1].labels_spent)
        if detectors
        else None,
    )

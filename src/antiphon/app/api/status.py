"""Where the project stands, and whether the app is up."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel

from antiphon._version import __version__
from antiphon.app.security.identity import Context, Someone

router = APIRouter(prefix="/api", tags=["status"])


class Health(BaseModel):
    """That the app is up."""

    version: str


class ProjectStatus(BaseModel):
    """Where the project stands."""

    name: str
    person: str
    role: str
    recordings: int
    windows: int
    labels: list[str]
    labels_spent: int


@router.get("/health")
def health() -> Health:
    """Say that the app is up; needs no login."""
    return Health(version=__version__)


@router.get("/status")
def status(context: Context, person: Someone) -> ProjectStatus:
    """Return how much there is, and how much of it is labelled."""
    catalogue = context.folder.catalogue
    return ProjectStatus(
        name=context.folder.root.name,
        person=person.name,
        role=person.role,
        recordings=catalogue.recordings().num_rows,
        windows=len(context.windows()) if context.has_embeddings() else 0,
        labels=catalogue.label_names(),
        labels_spent=catalogue.labels_spent(),
    )

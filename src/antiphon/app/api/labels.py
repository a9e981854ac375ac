"""Requests about the project's labels."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict

from antiphon.app.api.describing import Name
from antiphon.app.security.identity import Context, Someone
from antiphon.pipeline.annotate.naming import Candidate, add_label, suggest_labels
from antiphon.store.annotations import present_counts
from antiphon.store.catalogue import LabelRow

router = APIRouter(prefix="/api/labels", tags=["labels"])


class LabelInfo(BaseModel):
    """A label; ``present`` counts the annotations that say it is there."""

    name: str
    scientific_name: str | None
    common_name: str | None
    rank: str | None
    synonyms: list[str]
    present: int


class NewLabel(BaseModel):
    """A label to add."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    scientific_name: Name | None = None
    common_name: Name | None = None
    rank: Name | None = None


class Suggested(BaseModel):
    """A name that a label could have; ``source`` is project, taxonomy or an encoder's name."""

    name: str
    scientific_name: str | None
    common_name: str | None
    rank: str | None
    source: str


@router.get("")
def every(context: Context, _person: Someone) -> list[LabelInfo]:
    """Return all labels, sorted by name."""
    catalogue = context.folder.catalogue
    with catalogue.database.read() as connection:
        counts = present_counts(connection)
    return [_info(row, counts.get(row.id, 0)) for row in catalogue.labels()]


@router.post("")
def add(context: Context, _person: Someone, new: NewLabel) -> LabelInfo:
    """Add a label; one that is there already comes back as it is."""
    row = add_label(
        context.folder,
        new.name.strip(),
        scientific_name=new.scientific_name,
        common_name=new.common_name,
        rank=new.rank,
    )
    with context.folder.catalogue.database.read() as connection:
        return _info(row, present_counts(connection).get(row.id, 0))


@router.get("/suggest")
def suggest(
    context: Context,
    _person: Someone,
    q: Annotated[str, Query(max_length=200)] = "",
    n: Annotated[int, Query(ge=1, le=100)] = 10,
) -> list[Suggested]:
    """Return names that hold the text: labels, taxa of the project's list, encoders' classes."""
    return [_suggested(one) for one in suggest_labels(context.folder, q, n)]


def _info(row: LabelRow, present: int) -> LabelInfo:
    return LabelInfo(
        name=row.name,
        scientific_name=row.scientific_name,
        common_name=row.common_name,
        rank=row.rank,
        synonyms=list(row.synonyms),
        present=present,
    )


def _suggested(one: Candidate) -> Suggested:
    return Suggested(
        name=one.name,
        scientific_name=one.scientific_name,
        common_name=one.common_name,
        rank=one.rank,
        source=one.source,
    )

"""Requests for the picture of a day, or of a long recording; part of ``/api/media``."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel

from antiphon._version import __version__
from antiphon.app.media.day import LongLook, Part, Statistic, day_parts
from antiphon.app.media.http import answer, tag_of, unchanged
from antiphon.app.media.overviews import Progress
from antiphon.app.media.picture import Colours, long_png
from antiphon.app.media.resolution import Scale
from antiphon.app.media.routing import PNG, Hertz, MediaRoute, Percent, Seconds
from antiphon.app.media.service import Media, media_of
from antiphon.app.media.sources import MediaError, Source
from antiphon.app.security.identity import Context, Someone

router = APIRouter(route_class=MediaRoute)

_DAY_S = 86_400.0


class PartState(BaseModel):
    """A recording of the picture: where it lies on the axis, and how far its overview is."""

    recording: int
    begin_s: float
    end_s: float
    state: str
    share: float
    problem: str | None


class LongState(BaseModel):
    """What the picture shows and how much of it is there."""

    duration_s: float
    parts: list[PartState]
    ready: int
    failed: int
    done: bool


@dataclass(frozen=True, slots=True)
class Axis:
    """Recordings on one axis of time, which begins at midnight or with the recording."""

    media: Media
    parts: list[Part]
    sources: list[Source | MediaError]
    duration_s: float


def _axis(
    context: Context,
    _person: Someone,
    date: Annotated[dt.date | None, Query(description="A day, by the recorder's clock")] = None,
    site: Annotated[str | None, Query(max_length=500)] = None,
    recording: Annotated[int | None, Query(ge=1, description="Instead of a day")] = None,
) -> Axis:
    media = media_of(context)
    if (date is None) == (recording is None):
        raise MediaError("Ask for a date (and a site), or for one recording.")
    if recording is not None:
        source = media.source(recording)
        held = source.info.duration_s
        return Axis(media, [Part(recording, 0.0, held)], [source], held)
    assert date is not None
    parts = day_parts(context.folder, site, date)
    if not parts:
        where = "without a site" if site is None else f"at the site {site!r}"
        raise MediaError(f"There is no recording {where} on {date}.", 404)
    return Axis(media, parts, media.find(parts), _DAY_S)


AnAxis = Annotated[Axis, Depends(_axis)]


@router.get("/day")
def day(axis: AnAxis) -> LongState:
    """Say what the picture of a day at a site, or of one recording, shows, and make it.

    Each recording is read once from end to end in the background and kept in the project; ask
    again to see how far that is. ``/day/picture`` takes the same query.
    """
    progress = axis.media.overviews(axis.sources)
    states = [_state(part, far) for part, far in zip(axis.parts, progress, strict=True)]
    ready, failed = (sum(s.state == name for s in states) for name in ("ready", "failed"))
    return LongState(
        duration_s=axis.duration_s,
        parts=states,
        ready=ready,
        failed=failed,
        done=ready + failed == len(states),
    )


@router.get("/day/picture", response_class=Response, responses=PNG)
def picture(
    request: Request,
    axis: AnAxis,
    begin_s: Seconds = 0.0,
    end_s: Seconds | None = None,
    width: Annotated[int, Query(ge=8, le=4096)] = 1440,
    height: Annotated[int, Query(ge=8, le=1024)] = 256,
    scale: Scale = "linear",
    low_hz: Hertz = 0.0,
    high_hz: Hertz | None = None,
    statistic: Statistic = "mean",
    colours: Colours = "viridis",
    contrast_low: Percent = 5.0,
    contrast_high: Percent = 98.0,
) -> Response:
    """Return a PNG in colours of what is there by now, transparent where there is no audio.

    It covers ``begin_s`` to ``end_s`` of the axis and, evenly on the scale, ``X-Low-Hz`` to
    ``X-High-Hz``. ``X-Ready`` is how many of the recordings are in it.
    """
    progress = axis.media.overviews(axis.sources)
    ready = [
        (part, source)
        for part, source, far in zip(axis.parts, axis.sources, progress, strict=True)
        if far.state == "ready" and isinstance(source, Source)
    ]
    last = min(end_s or axis.duration_s, axis.duration_s)
    look = LongLook(begin_s, last, width, height, scale, low_hz, high_hz, statistic)
    contrast = (contrast_low, max(contrast_high, contrast_low))
    facts_of = [(part, source.content_key) for part, source in ready]
    tag = tag_of(__version__, facts_of, look, colours, contrast)
    if (known := unchanged(request, tag)) is not None:
        return known
    made = axis.media.long_picture(ready, look, contrast)
    facts = {
        "X-Low-Hz": f"{made.low_hz:.9g}",
        "X-High-Hz": f"{made.high_hz:.9g}",
        "X-Low-Db": f"{made.low_db:.4g}",
        "X-High-Db": f"{made.high_db:.4g}",
        "X-Scale": scale,
        "X-Ready": str(len(ready)),
    }
    response = answer(request, long_png(made.values, colours), "image/png", tag, facts)
    # There may be more of it at the next look.
    response.headers["Cache-Control"] = "private, no-cache"
    return response


def _state(part: Part, far: Progress) -> PartState:
    return PartState(
        recording=part.recording,
        begin_s=part.begin_s,
        end_s=part.end_s,
        state=far.state,
        share=far.share,
        problem=far.problem,
    )

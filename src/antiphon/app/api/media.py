"""Requests for pictures and sounds of recordings, by id."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from antiphon._version import __version__
from antiphon.app.media import days
from antiphon.app.media.audio import Listen
from antiphon.app.media.http import answer, tag_of, unchanged
from antiphon.app.media.levels import Levels
from antiphon.app.media.picture import Colours, colour_png, grey_png
from antiphon.app.media.resolution import Look, Scale
from antiphon.app.media.routing import PNG, Hertz, MediaRoute, Percent, Seconds
from antiphon.app.media.service import Media, media_of
from antiphon.app.media.sources import MIX, Source
from antiphon.app.security.identity import Context, Someone

router = APIRouter(prefix="/api/media", tags=["media"], route_class=MediaRoute)


@dataclass(frozen=True, slots=True)
class Span:
    """A span of a recording that somebody may see and hear."""

    media: Media
    source: Source
    channel: int
    start_s: float
    end_s: float

    def tag(self, *facts: object) -> str:
        """Return the entity tag of something made of the span."""
        own = (self.source.id, self.source.content_key, self.channel, self.start_s, self.end_s)
        return tag_of(__version__, *own, *facts)


def _span(
    context: Context,
    _person: Someone,
    recording: Annotated[int, Query(ge=1)],
    start_s: Seconds,
    end_s: Seconds,
    channel: Annotated[int, Query(ge=MIX, le=255)] = MIX,
) -> Span:
    media = media_of(context)
    return Span(media, media.source(recording), channel, start_s, end_s)


def _look(
    scale: Scale = "linear",
    low_hz: Hertz = 0.0,
    high_hz: Hertz | None = None,
    pcen: bool = False,
    width: Annotated[int, Query(ge=8, le=4096)] = 800,
    height: Annotated[int, Query(ge=8, le=2048)] = 256,
    window_s: Annotated[float | None, Query(gt=0, le=60, allow_inf_nan=False)] = None,
) -> Look:
    return Look(width, height, scale, low_hz, high_hz, pcen, window_s)


ASpan = Annotated[Span, Depends(_span)]
ALook = Annotated[Look, Depends(_look)]
_WAV: dict[int | str, dict[str, Any]] = {
    200: {"content": {"audio/wav": {}}},
    206: {"content": {"audio/wav": {}}},
}


@router.get("/spectrogram", response_class=Response, responses=PNG)
def spectrogram(request: Request, span: ASpan, look: ALook) -> Response:
    """Return levels as a grey PNG; what they mean stands in the headers.

    Grey 0 is ``X-Low-Db`` and 255 ``X-High-Db``, even steps between (``X-Unit`` says ``dB`` below
    a full-scale sine, or ``PCEN``). The picture covers ``X-Start-S`` to ``X-End-S`` and, evenly on
    the axis ``X-Scale``, ``X-Low-Hz`` to ``X-High-Hz``. ``X-Window-S`` is the analysis window.
    """
    tag = span.tag("grey", look)
    if (known := unchanged(request, tag)) is not None:
        return known
    levels = span.media.levels(span.source, span.channel, span.start_s, span.end_s, look)
    return answer(request, grey_png(levels), "image/png", tag, _facts(levels))


@router.get("/thumbnail", response_class=Response, responses=PNG)
def thumbnail(
    request: Request,
    span: ASpan,
    look: ALook,
    colours: Colours = "viridis",
    contrast_low: Percent = 30.0,
    contrast_high: Percent = 99.7,
) -> Response:
    """Return a picture in colours, for ``<img>``."""
    contrast = (contrast_low, max(contrast_high, contrast_low))
    tag = span.tag("colour", look, colours, contrast)
    if (known := unchanged(request, tag)) is not None:
        return known
    levels = span.media.levels(span.source, span.channel, span.start_s, span.end_s, look)
    content = colour_png(levels, colours, contrast)
    return answer(request, content, "image/png", tag, _facts(levels))


@router.get("/audio", response_class=Response, responses=_WAV)
def audio(
    request: Request,
    span: ASpan,
    low_hz: Hertz = 0.0,
    high_hz: Hertz | None = None,
    slow: Annotated[float, Query(ge=0.01, le=100, allow_inf_nan=False)] = 1.0,
    normalise: bool = False,
) -> Response:
    """Return a WAV file of 16 bit; parts of it by ``Range``.

    ``X-Rate-Hz`` is the rate in its header, ``X-Slow`` how much slower it plays, ``X-Gain-Db``
    how much louder it was made, ``X-Heard-Hz`` the highest frequency left in it; ``X-Note`` says
    in words what was changed.
    """
    listen = Listen(low_hz, high_hz, slow, normalise)
    tag = span.tag("sound", listen)
    if (known := unchanged(request, tag)) is not None:
        return known
    sound = span.media.sound(span.source, span.channel, span.start_s, span.end_s, listen)
    facts = {
        "X-Start-S": f"{sound.start_s:.9g}",
        "X-End-S": f"{sound.end_s:.9g}",
        "X-Rate-Hz": str(sound.rate),
        "X-Slow": f"{sound.slow:g}",
        "X-Gain-Db": f"{sound.gain_db:.2f}",
        "X-Heard-Hz": f"{sound.heard_hz:g}",
        "X-Note": sound.note,
    }
    return answer(request, sound.content, "audio/wav", tag, facts, ranges=True)


router.include_router(days.router)


def _facts(levels: Levels) -> dict[str, str]:
    return {
        "X-Start-S": f"{levels.start_s:.9g}",
        "X-End-S": f"{levels.end_s:.9g}",
        "X-Low-Hz": f"{levels.low_hz:.9g}",
        "X-High-Hz": f"{levels.high_hz:.9g}",
        "X-Scale": levels.scale,
        "X-Low-Db": f"{levels.low:.6g}",
        "X-High-Db": f"{levels.high:.6g}",
        "X-Unit": levels.unit,
        "X-Window-S": f"{levels.window_s:.6g}",
    }

"""Requests for the map: positions and colours as bytes, windows by their number on it.

A binary answer begins with the length of a JSON text as a little-endian uint32. The text follows,
filled up with spaces to a multiple of four, and then the arrays that it lists under ``arrays``
(name, dtype, count), each padded to a multiple of four bytes.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

import numpy as np
import numpy.typing as npt
from fastapi import APIRouter, HTTPException, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from antiphon.app.context import AppContext
from antiphon.app.security.identity import Context, Someone
from antiphon.app.services.maps import Maps, OldMapError, maps_of
from antiphon.app.services.shown import row_infos, said_of
from antiphon.app.shapes import WindowInfo
from antiphon.pipeline.colouring import CLUSTERS, NONE, STEPS, Colouring
from antiphon.pipeline.mapping_umap import can_umap
from antiphon.pipeline.windows import WindowSet

router = APIRouter(prefix="/api/map", tags=["map"])

_MANY = 500
_BYTES: dict[int | str, dict[str, Any]] = {200: {"content": {"application/octet-stream": {}}}}

Method = Literal["pca", "umap"]
Version = Annotated[str, Query(max_length=300)]


class Umap(BaseModel):
    """How far the UMAP is.

    ``state`` is ``missing``, ``running``, ``done`` or ``failed`` (then ``problem`` says why);
    ``installed`` whether it can be computed here.
    """

    state: Literal["missing", "running", "done", "failed"]
    share: float
    problem: str
    installed: bool


class MapFacts(BaseModel):
    """The map as it is now; ``version`` names its windows in the other requests."""

    version: str
    windows: int
    recordings: int
    sites: int
    labels: list[str]
    detector: list[str]
    clusters: tuple[int, int]
    umap: Umap


class Points(BaseModel):
    """Some points of the map, by their number."""

    model_config = ConfigDict(extra="forbid")

    version: Annotated[str, Field(max_length=300)]
    rows: Annotated[list[Annotated[int, Field(ge=0)]], Field(max_length=_MANY)]


class Point(BaseModel):
    """A window on the map; ``said`` is what annotations say of it, by label."""

    row: int
    window: WindowInfo
    said: dict[str, Literal["present", "absent"]]


@router.get("")
def facts(context: Context, _person: Someone) -> MapFacts:
    """Return what there is to draw."""
    windows, maps = context.windows(), maps_of(context)
    version = maps.snapshot(windows)
    sites = {s for s in windows.recordings.column("site").to_pylist() if s is not None}
    return MapFacts(
        version=version,
        windows=len(windows),
        recordings=windows.recordings.num_rows,
        sites=len(sites),
        labels=context.folder.catalogue.label_names(),
        detector=maps.detector_labels(windows),
        clusters=CLUSTERS,
        umap=_umap(maps, version),
    )


@router.get("/points", response_class=Response, responses=_BYTES)
def points(
    context: Context, _person: Someone, version: Version, method: Method = "pca"
) -> Response:
    """Return the position of every window: ``x`` and ``y`` in turn, float32, as ``xy``.

    Positions are centred and scaled to lie between -1 and 1, both axes alike.
    """
    _at_hand(context, version)
    layout = maps_of(context).layout(version, method)
    xy = np.ascontiguousarray(layout.position[:, :2], np.float32)
    if len(xy):
        low, high = xy.min(axis=0), xy.max(axis=0)
        xy = (xy - (low + high) / 2) * (2 / max(float((high - low).max()), 1e-12))
    told = {
        "method": method,
        "version": version,
        "fitted": layout.fitted,
        "share": [round(share, 6) for share in layout.share[:2]],
    }
    return packed(told, {"xy": np.ascontiguousarray(xy, "<f4")})


@router.get("/colours", response_class=Response, responses=_BYTES)
def colours(
    context: Context,
    _person: Someone,
    version: Version,
    by: Annotated[str, Query(max_length=20)],
    value: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    """Return a code for every window (uint8, as ``codes``) and the legend.

    ``by`` is labels, label, score, site, hour, date, cluster, round or queue; ``value`` the label,
    the number of clusters or the id of the queue. Code 255 means that nothing is known; a scale
    or cycle has the codes 0 to ``steps``.
    """
    _at_hand(context, version)
    found = maps_of(context).colours(version, by, value)
    return packed(_legend(found), {"codes": found.codes})


@router.post("/windows")
def some_windows(context: Context, person: Someone, wanted: Points) -> list[Point]:
    """Return what is known of some points, at most 500."""
    windows = _at_hand(context, wanted.version)
    rows = np.array(wanted.rows, np.int64)
    if len(rows) and int(rows.max()) >= len(windows):
        raise HTTPException(400, f"The map has the points 0 to {len(windows) - 1}.")
    infos = row_infos(windows, rows)
    told = said_of(context.folder, windows, rows, person.name)
    return [
        Point.model_validate({"row": row, "window": info, "said": said})
        for row, info, said in zip(wanted.rows, infos, told, strict=True)
    ]


@router.get("/umap")
def umap_state(context: Context, _person: Someone, version: Version) -> Umap:
    """Return how far the UMAP is."""
    _at_hand(context, version)
    return _umap(maps_of(context), version)


@router.post("/umap")
def start_umap(context: Context, _person: Someone, version: Version) -> Umap:
    """Compute a UMAP of the windows in the background; one at a time."""
    _at_hand(context, version)
    maps_of(context).start_umap(version)
    return _umap(maps_of(context), version)


@router.delete("/umap")
def stop_umap(context: Context, _person: Someone) -> dict[str, bool]:
    """Give up the UMAP that is being computed."""
    maps_of(context).stop_umap()
    return {"stopped": True}


def _at_hand(context: AppContext, version: str) -> WindowSet:
    """Return the windows of a version; 409 when there are others by now."""
    maps = maps_of(context)
    try:
        return maps.windows(version)
    except OldMapError as error:
        # After a restart the same windows have the same name.
        windows = context.windows()
        if maps.snapshot(windows) == version:
            return windows
        raise HTTPException(409, str(error)) from None


def _umap(maps: Maps, version: str) -> Umap:
    job = maps.umap_state(version)
    return Umap.model_validate(
        {
            "state": job.state,
            "share": job.share,
            "problem": job.problem,
            "installed": can_umap(),
        }
    )


def _legend(found: Colouring) -> dict[str, Any]:
    return {
        "title": found.title,
        "kind": found.kind,
        "entries": [{"name": name, "count": count} for name, count in found.entries],
        "ends": list(found.ends),
        "unknown": {"name": found.unknown, "count": int((found.codes == NONE).sum())},
        "steps": STEPS,
        "note": found.note,
    }


def packed(facts: dict[str, Any], arrays: dict[str, npt.NDArray[Any]]) -> Response:
    """Return facts and arrays as one binary answer; see this module."""
    listed = [
        {"name": name, "dtype": array.dtype.str.lstrip("<|"), "count": int(array.size)}
        for name, array in arrays.items()
    ]
    text = json.dumps({**facts, "arrays": listed}).encode()
    parts = [text, *(array.tobytes() for array in arrays.values())]
    padded = [part + b" " * (-len(part) % 4) for part in parts]
    size = len(padded[0]).to_bytes(4, "little")
    return Response(
        size + b"".join(padded),
        media_type="application/octet-stream",
        headers={"Cache-Control": "no-store"},
    )

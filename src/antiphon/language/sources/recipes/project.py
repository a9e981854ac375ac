"""An Antiphon project: its recordings with what people said is in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from antiphon.language.schema import Event
from antiphon.language.sources.base import Recipe, build_item
from antiphon.language.sources.findings import Finding, Item
from antiphon.language.sources.mapping import Mapped

NAME = "project"

_SOME = 500


def _items(path: Path) -> Iterator[Item]:
    from antiphon.store.project import ProjectFolder

    project = ProjectFolder.open(path)
    try:
        labels = {row.name: row for row in project.catalogue.labels()}
        recordings = project.catalogue.recordings().to_pylist()
        for begin in range(0, len(recordings), _SOME):
            some = recordings[begin : begin + _SOME]
            said = _by_recording(project.catalogue, [one["id"] for one in some])
            for one in some:
                yield _recording(project, one, said.get(one["id"], []), labels)
    finally:
        project.close()


def _by_recording(catalogue: Any, ids: Sequence[int]) -> dict[int, list[dict[str, Any]]]:
    found: dict[int, list[dict[str, Any]]] = {}
    for row in catalogue.annotations(recording_ids=ids).to_pylist():
        found.setdefault(row["recording_id"], []).append(row)
    return found


def _recording(
    project: Any, one: Mapping[str, Any], said: Sequence[Mapping[str, Any]], labels: Any
) -> Item:
    place = f"recording {one['path']}"
    if one["status"] == "unreadable":
        problem = str(one["problem"] or one["path"])
        return Item(None, (Finding("unreadable_audio", problem),), place)
    present = [row for row in said if row["presence"] == "present" and row["label"] is not None]
    length = one["duration_s"]
    events = sorted(
        (_event(row, labels[row["label"]], length) for row in present),
        key=lambda event: (event.start_s, event.end_s),
    )
    species = (e.scientific_name or e.label for e in events if e.kind == "species")
    when = one["start_time"]
    return build_item(
        NAME,
        Mapped({}, []),
        place,
        source_id=f"{project.root.name}/{one['path']}",
        audio_path=project.recording_path(one["root"], one["path"]).as_posix(),
        sample_rate=one["sample_rate"],
        duration_s=length,
        events=tuple(events),
        background_species=tuple(dict.fromkeys(name for name in species if name)),
        exhaustive=True if _reviewed(said) else None,
        latitude=one["latitude"],
        longitude=one["longitude"],
        site=one["site"],
        date=when.strftime("%Y-%m-%d") if when else None,
        time=when.strftime("%H:%M") if when else None,
        licence=one["licence"],
        extra={"content_key": one["content_key"]},
    )


def _event(row: Mapping[str, Any], label: Any, length: float | None) -> Event:
    whole = row["start_s"] is None
    return Event(
        start_s=0.0 if whole else row["start_s"],
        end_s=(length or 0.0) if whole else row["end_s"],
        low_hz=row["low_hz"],
        high_hz=row["high_hz"],
        label=row["label"],
        kind=label.kind or "species",
        scientific_name=label.scientific_name,
    )


def _reviewed(said: Sequence[Mapping[str, Any]]) -> bool:
    """Whether somebody said that nothing but what is marked is in the whole recording."""
    return any(
        row["presence"] == "absent"
        and row["label"] is None
        and row["scope"] is None
        and row["start_s"] is None
        for row in said
    )


RECIPE = Recipe(
    name=NAME,
    title="An Antiphon project, its recordings and annotations",
    page="https://antiphon.readthedocs.io",
    layout="The project's folder, which holds antiphon.toml",
    items=_items,
)

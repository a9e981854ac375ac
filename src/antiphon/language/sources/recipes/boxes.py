"""Soundscapes with boxes around what is heard: Sapsucker Woods and its kin, BirdSet's tables."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from antiphon.language.schema import Event
from antiphon.language.sources import values
from antiphon.language.sources.base import Recipe, build_item, items_of
from antiphon.language.sources.findings import BadValueError, Finding, Item
from antiphon.language.sources.mapping import Field, Mapped, Mapper, Record
from antiphon.language.sources.recipes.files import beside, matching
from antiphon.language.sources.records import Faulty, read_parquet, read_table

_UNKNOWN = frozenset({"????", "???", "unknown"})


def group_boxes(
    boxes: Iterable[tuple[int, Record]],
    file: Path,
    name_of: Callable[[Record], str | None],
    events_of: Callable[[Record], tuple[Event, ...]],
) -> Iterator[tuple[str, Record, tuple[Event, ...]] | Item]:
    """Gather boxes by the recording they are in.

    Parameters
    ----------
    boxes
        Number and content of each row.
    file
        Where they come from.
    name_of, events_of
        Give a row's recording, and what it says of it; nothing for a row that only names it.

    Yields
    ------
    tuple or Item
        Rejections of rows that cannot be read first; then each recording's name, its first row
        and its events in the order of time.
    """
    first: dict[str, Record] = {}
    events: dict[str, list[Event]] = {}
    for number, record in boxes:
        place = f"{file.name}, row {number}"
        if isinstance(record, Faulty):
            yield Item(None, (Finding("malformed_record", record.problem),), place)
            continue
        name = name_of(record)
        if name is None:
            yield Item(None, (Finding("no_id", "no recording is named"),), place)
            continue
        try:
            said = events_of(record)
        except BadValueError as error:
            yield Item(None, (Finding("malformed_record", str(error)),), place)
            continue
        first.setdefault(name, record)
        events.setdefault(name, []).extend(said)
    for name, record in first.items():
        ordered = sorted(events[name], key=lambda e: (e.start_s, e.end_s, e.label or ""))
        yield name, record, tuple(ordered)


def needed_seconds(record: Record, *keys: str) -> float:
    """Return a time that a box cannot do without.

    Raises
    ------
    BadValueError
        If it is missing or no time.
    """
    for key in keys:
        found = values.seconds(record.get(key))
        if found is not None:
            return found
    raise BadValueError(f"{' and '.join(keys)} are empty")


def species_of(events: Iterable[Event]) -> tuple[str, ...]:
    """Return the species heard, by scientific name where there is one, without repetition."""
    names = (event.scientific_name or event.label for event in events if event.kind == "species")
    return tuple(dict.fromkeys(name for name in names if name))


def time_of_name(name: str) -> dict[str, Any]:
    """Return date and time that a file name such as ``SSW_001_20170225_010000Z`` states."""
    match = re.search(r"(\d{4})(\d{2})(\d{2})[T_](\d{2})(\d{2})(\d{2})?", name)
    if match is None:
        return {}
    try:
        day = values.date("-".join(match.groups()[:3]))
        clock = values.time_of_day(f"{match[4]}:{match[5]}")
    except BadValueError:
        return {}
    return {"date": day, "time": clock}


def _box(record: Record, species: Mapping[str, Record]) -> tuple[Event, ...]:
    code = values.text(record.get("Species eBird Code"))
    if code is None:
        return ()
    known = species.get(code, {})
    event = Event(
        start_s=needed_seconds(record, "Start Time (s)", "Begin Time (s)"),
        end_s=needed_seconds(record, "End Time (s)"),
        low_hz=values.number(record.get("Low Freq (Hz)")),
        high_hz=values.number(record.get("High Freq (Hz)")),
        label=code,
        kind="other" if code in _UNKNOWN else "species",
        scientific_name=values.text(known.get("Scientific Name")),
    )
    return (event,)


def _soundscapes(path: Path) -> Iterator[Item]:
    for file in matching(path, "annotations.csv", "*annotations*.csv"):
        table = beside(file, "species.csv")
        rows = read_table(table) if table else ()
        species = {str(row.get("Species eBird Code")): row for _, row in rows}
        boxes = read_table(file, needed=("Filename", "End Time (s)", "Species eBird Code"))
        found = group_boxes(
            boxes,
            file,
            lambda record: values.file_name(record.get("Filename")),
            partial(_box, species=species),
        )
        for one in found:
            yield one if isinstance(one, Item) else _soundscape(*one, file)


def _soundscape(name: str, _first: Record, events: tuple[Event, ...], file: Path) -> Item:
    doubtful = any(event.label in _UNKNOWN for event in events)
    return build_item(
        "soundscape_boxes",
        Mapped({}, []),
        f"{file.name}, recording {name}",
        names=(f"soundscape_data/{name}", name, Path(name).stem),
        source_id=f"{file.parent.name}/{Path(name).stem}",
        background_species=species_of(events),
        events=events,
        site=name.partition("_")[0] or None,
        # What annotators could not name may be any species.
        exhaustive=None if doubtful else True,
        **time_of_name(name),
    )


_BIRDSET = Mapper(
    {
        "latitude": Field("lat", parse=values.latitude),
        "longitude": Field("long", parse=values.longitude),
        "duration_s": Field("length", parse=values.seconds),
        "time": Field("local_time", parse=values.time_of_day),
        "recordist": "recordist",
        "licence": "license",
        "quality": "quality",
        "order": "order",
        "genus": "genus",
    },
    {"microphone": "microphone", "group": "species_group", "publisher": "source"},
)


def _birdset_box(record: Record) -> tuple[Event, ...]:
    code = values.text(record.get("ebird_code"))
    if code is None:
        return ()
    event = Event(
        start_s=needed_seconds(record, "start_time"),
        end_s=needed_seconds(record, "end_time"),
        low_hz=values.number(record.get("low_freq")),
        high_hz=values.number(record.get("high_freq")),
        label=code,
        kind="species",
    )
    call = values.text(record.get("call_type"))
    if call is None:
        return (event,)
    return event, replace(event, label=call, kind="call_type")


def _birdset(path: Path) -> Iterator[Item]:
    for file in matching(path, "*.parquet", "**/*.parquet", "*.csv"):
        # Focal recordings, millions of them, pass one by one; only soundscapes are gathered.
        weak = (one for one in _birdset_rows(file) if not _is_boxed(one[1]))
        yield from items_of(weak, file, lambda record, place: [_focal(record, place)])
        strong = (one for one in _birdset_rows(file) if _is_boxed(one[1]))
        found = group_boxes(
            strong, file, lambda record: values.text(record.get("filepath")), _birdset_box
        )
        for one in found:
            yield one if isinstance(one, Item) else _birdset_recording(*one, file)


def _birdset_rows(file: Path) -> Iterator[tuple[int, Record]]:
    if file.suffix == ".parquet":
        return read_parquet(file, without=("audio",))
    return read_table(file, needed=("filepath", "ebird_code"))


def _is_boxed(record: Record) -> bool:
    return values.text(record.get("start_time")) is not None or isinstance(record, Faulty)


def _focal(record: Record, place: str) -> Item:
    name = values.text(record.get("filepath"))
    others = record.get("ebird_code_secondary")
    return build_item(
        "birdset",
        _BIRDSET(record),
        place,
        names=(name, values.file_name(name)),
        source_id=Path(name).stem if name else None,
        taxon_given=values.text(record.get("ebird_code")),
        call_types=values.split(",")(record.get("call_type")),
        sex=values.sex(record.get("sex")),
        background_species=values.split(",")(others),
        **(time_of_name(name) if name else {}),
    )


def _birdset_recording(name: str, first: Record, events: tuple[Event, ...], file: Path) -> Item:
    return build_item(
        "birdset",
        _BIRDSET(first),
        f"{file.name}, recording {name}",
        names=(name, values.file_name(name)),
        source_id=Path(name).stem,
        background_species=species_of(events),
        events=events,
        exhaustive=True,
        **time_of_name(name),
    )


SOUNDSCAPES = Recipe(
    name="soundscape_boxes",
    title="Annotated soundscapes (Sapsucker Woods, Sierra Nevada, Hawaii, ... on Zenodo)",
    page="https://doi.org/10.5281/zenodo.7079380",
    layout="The unpacked folder: annotations.csv, species.csv and the recordings",
    items=_soundscapes,
    licence="CC-BY-4.0",
)

BIRDSET = Recipe(
    name="birdset",
    title="BirdSet, metadata tables of its parts",
    page="https://huggingface.co/datasets/DBD-research-group/BirdSet",
    layout="A *_metadata_*.parquet file, or the folder that holds it and the recordings",
    items=_birdset,
)

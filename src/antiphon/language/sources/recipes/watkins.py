"""The Watkins Marine Mammal Sound Database: its fields as JSON, one object for each cut.

The fields are those of WHOI Technical Report 92-31; the JSON is that of the converted database,
which spells its two-letter codes out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from antiphon.language.sources import values
from antiphon.language.sources.base import Recipe, build_item, items_of
from antiphon.language.sources.findings import Item
from antiphon.language.sources.licences import WATKINS
from antiphon.language.sources.mapping import Field, Mapper, Record
from antiphon.language.sources.recipes.files import matching
from antiphon.language.sources.records import read_objects

NAME = "watkins"

_PAGE = "https://whoicf2.whoi.edu/science/B/whalesounds/metaData.cfm?RN="
_SOUND = "https://archive.org/download/wmmsdb/{}.flac"


def _first(key: str) -> Any:
    """Return a reader of one value of the first object of a list."""

    def read(value: Any) -> str | None:
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, Mapping) and (found := values.text(one.get(key))):
                return found.lower()
        return None

    return read


def _all(value: Any) -> tuple[str, ...]:
    return values.split("|")(value if isinstance(value, list | str) else [value])


def _coordinate(axis: str) -> Any:
    parse = values.latitude if axis == "lat" else values.longitude

    def read(value: Any) -> float | None:
        found = [one.get(axis) for one in value] if isinstance(value, list) else []
        # Several places of one cut are no place.
        return parse(found[0]) if len(found) == 1 else None

    return read


_MAPPER = Mapper(
    {
        "source_id": "record_number",
        "sample_rate": Field("sound.sample_rate", parse=lambda v: values.positive(_number(v))),
        "duration_s": Field("signal.cut_size", parse=lambda v: values.seconds(_number(v))),
        "call_types": Field("signal.class", parse=_all),
        "life_stage": Field("animal.profile", parse=_first("age")),
        "sex": Field("animal.profile", parse=lambda v: values.sex(_first("sex")(v))),
        "individual": Field("animal.vocal", parse=_first("animal_id")),
        "behaviour": Field("animal.behavior", parse=lambda v: "; ".join(_all(v)) or None),
        "latitude": Field("location.coordinates", parse=_coordinate("lat")),
        "longitude": Field("location.coordinates", parse=_coordinate("lon")),
        "locality": Field("location.name", parse=lambda v: "; ".join(_all(v)) or None),
        "date": Field("observation_date", parse=values.date),
        "recordist": "author",
        "quality": "signal.quality",
        "text": "note",
    },
    {"channels": "sound.channel", "playback_gear": "playback.gear"},
    nested=True,
)


def _number(value: Any) -> Any:
    """Return the first word of a value such as ``60000 Hz``."""
    return value.split()[0] if isinstance(value, str) and value.split() else value


def _build(record: Record, place: str) -> Iterator[Item]:
    species = list(
        dict.fromkeys(
            name
            for one in (record.get("animal") or {}).get("genus") or ()
            if isinstance(one, Mapping) and (name := values.text(one.get("name")))
        )
    )
    named = [name for name in species if name.lower() not in ("unknown", "noise", "ambient")]
    number = values.text(record.get("record_number"))
    yield build_item(
        NAME,
        _MAPPER(record),
        place,
        names=(number,),
        url=_PAGE + number if number else None,
        audio_url=_SOUND.format(number) if number else None,
        taxon_given=species[0] if species else None,
        scientific_name=values.without_authors(named[0]) if named else None,
        background_species=tuple(named[1:]),
    )


def _items(path: Path) -> Iterator[Item]:
    for file in matching(path, "wmmsdb*.json*", "*.json", "*.json.xz", "*.jsonl"):
        yield from items_of(read_objects(file), file, _build, "object")


RECIPE = Recipe(
    name=NAME,
    title="Watkins Marine Mammal Sound Database, converted to JSON",
    page="https://marine-mammal.soundwave.cl/data.html",
    layout="wmmsdb*.json or .json.xz with one object for each cut; sounds called <RN>.flac or .wav",
    items=_items,
    licence=WATKINS,
    terms="Free for personal and academic use, with credit to the Watkins Marine Mammal Sound "
    "Database, Woods Hole Oceanographic Institution.",
)

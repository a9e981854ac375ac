"""Exports of the Macaulay Library's catalogue."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from antiphon.language.schema import CommonName
from antiphon.language.sources import values
from antiphon.language.sources.base import Recipe, build_item, items_of
from antiphon.language.sources.findings import Finding, Item
from antiphon.language.sources.licences import MACAULAY
from antiphon.language.sources.mapping import Field, Mapper, Record
from antiphon.language.sources.recipes.files import matching
from antiphon.language.sources.records import read_table

NAME = "macaulay"

_STAGES = ("adult", "immature", "juvenile")
_SEXES = ("female", "male")
_CALLS = ("song", "dawn song", "call", "flight call", "duet", "non-vocal")


def _day(value: Any) -> str | None:
    """Return an ISO date of ``2019-05-04`` or, month first, of ``5/4/2019``."""
    match = re.fullmatch(r"(\d{1,2})/(\d{1,2})/(\d{4})", str(value).strip())
    if match:
        value = f"{match[3]}-{int(match[1]):02d}-{int(match[2]):02d}"
    return values.date(value)


def _clock(value: Any) -> str | None:
    """Return a time of ``0812``, ``812`` or ``08:12``."""
    found = str(value).strip()
    if re.fullmatch(r"\d{3,4}", found):
        found = f"{found[:-2]}:{found[-2:]}"
    return values.time_of_day(found)


def _common(value: Any) -> tuple[CommonName, ...]:
    return (CommonName(str(value).partition(" (")[0].strip(), "en"),)


_MAPPER = Mapper(
    {
        "source_id": "ML Catalog Number",
        "common_names": Field("Common Name", parse=_common),
        "taxon_given": "Scientific Name",
        "scientific_name": Field("Scientific Name", parse=values.without_authors),
        "background_species": Field("Background Species", parse=values.split(",")),
        "recordist": "Recordist",
        "date": Field("Date", parse=_day),
        "time": Field("Time", parse=_clock),
        "country": "Country",
        "locality": "Locality",
        "latitude": Field("Latitude", parse=values.latitude),
        "longitude": Field("Longitude", parse=values.longitude),
        "behaviour": "Behaviors",
        "quality": "Average Community Rating",
        "text": Field("Media notes", "Observation Details"),
    },
    (
        *("Age/Sex", "Playback", "Captive", "Recorder", "Microphone", "eBird Checklist ID"),
        *("eBird Species Code", "Taxon Category", "Asset Tags", "State", "County"),
        *("Number of Ratings", "Recordist 2"),
    ),
)


def _words(text: Any, known: tuple[str, ...]) -> list[str]:
    said = values.lower(text) or ""
    return [word for word in known if re.search(rf"\b{re.escape(word)}\b", said)]


def _build(record: Record, place: str) -> Iterator[Item]:
    if (values.lower(record.get("Format")) or "audio") != "audio":
        yield Item(None, (Finding("no_sound", f"format {record['Format']}"),), place)
        return
    number = values.text(record.get("ML Catalog Number"))
    stages = _words(record.get("Age/Sex"), _STAGES)
    sexes = _words(record.get("Age/Sex"), _SEXES)
    calls = _words(f"{record.get('Behaviors')}; {record.get('Asset Tags')}", _CALLS)
    if "dawn song" in calls:
        calls.remove("song")
    if "flight call" in calls:
        calls.remove("call")
    yield build_item(
        NAME,
        _MAPPER(record),
        place,
        names=(f"ML{number}", number) if number else (),
        url=f"https://macaulaylibrary.org/asset/{number}" if number else None,
        # Several animals of several ages or sexes are no one's age or sex.
        life_stage=stages[0] if len(stages) == 1 else None,
        sex=sexes[0] if len(sexes) == 1 else None,
        call_types=tuple(calls),
    )


def _items(path: Path) -> Iterator[Item]:
    for file in matching(path, "ML*.csv", "*.csv"):
        rows = read_table(file, needed=("ML Catalog Number", "Scientific Name"))
        yield from items_of(rows, file, _build)


RECIPE = Recipe(
    name=NAME,
    title="Macaulay Library, export of its catalogue (CSV)",
    page="https://www.macaulaylibrary.org/",
    layout="The exported CSV file, or a folder of them, with sounds called ML<number> or <number>",
    items=_items,
    licence=MACAULAY,
    terms="Media of the Macaulay Library are used by agreement with it, for the agreed purpose.",
)

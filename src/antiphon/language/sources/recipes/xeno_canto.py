"""Xeno-canto: answers of its interface (version 3, also 2), and its archive at GBIF."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from antiphon.language.schema import CommonName
from antiphon.language.sources import values
from antiphon.language.sources.base import Recipe, build_item, items_of
from antiphon.language.sources.findings import Item
from antiphon.language.sources.mapping import Field, Mapper, Record
from antiphon.language.sources.recipes.darwin_core import LAYOUT, archive_items
from antiphon.language.sources.recipes.files import json_pages

NAME = "xeno_canto"

_NO_ANIMAL = frozenset({"mystery", "sonus"})
_KINGDOM = {"kingdom": "Animalia"}
# Groups of the collection and what they are to a taxonomist; "grasshoppers" are Orthoptera.
_GROUPS: dict[str, dict[str, Any]] = {
    "birds": {**_KINGDOM, "phylum": "Chordata", "class_": "Aves"},
    "grasshoppers": {
        **_KINGDOM,
        "phylum": "Arthropoda",
        "class_": "Insecta",
        "order": "Orthoptera",
    },
    "bats": {**_KINGDOM, "phylum": "Chordata", "class_": "Mammalia", "order": "Chiroptera"},
    "frogs": {**_KINGDOM, "phylum": "Chordata", "class_": "Amphibia", "order": "Anura"},
    "land mammals": {**_KINGDOM, "phylum": "Chordata", "class_": "Mammalia"},
}


def _url(value: Any) -> str | None:
    found = values.text(value)
    return f"https:{found}" if found and found.startswith("//") else found


_MAPPER = Mapper(
    {
        "source_id": "id",
        "url": Field("url", parse=_url),
        "audio_url": Field("file", parse=_url),
        "sample_rate": Field("smp", parse=values.positive),
        "duration_s": Field("length", parse=values.seconds),
        "common_names": Field("en", parse=lambda v: (CommonName(v, "en"),)),
        "call_types": Field("type", parse=values.split(",")),
        "life_stage": Field("stage", parse=values.lower),
        "sex": Field("sex", parse=values.sex),
        "background_species": Field("also", parse=values.split(",")),
        "latitude": Field("lat", parse=values.latitude),
        # Version 2 said "lng".
        "longitude": Field("lon", "lng", parse=values.longitude),
        "country": "cnt",
        "locality": "loc",
        "date": Field("date", parse=values.date),
        "time": Field("time", parse=values.time_of_day),
        "recordist": "rec",
        "licence": "lic",
        "quality": Field("q", parse=lambda v: None if v == "no score" else values.text(v)),
        "text": "rmk",
    },
    {
        "group": "grp",
        "elevation_m": "alt",
        "method": "method",
        "animal_seen": "animal-seen",
        "playback_used": "playback-used",
        "temperature": "temp",
        "specimen": "regnr",
        "automatic": "auto",
        "device": "dvc",
        "microphone": "mic",
        "file_name": "file-name",
        "uploaded": "uploaded",
    },
)


def _build(record: Record, place: str) -> Iterator[Item]:
    genus, epithet = values.text(record.get("gen")), values.text(record.get("sp"))
    given = " ".join(p for p in (genus, epithet, values.text(record.get("ssp"))) if p) or None
    known = bool(genus) and str(genus).lower() not in _NO_ANIMAL
    mapped = _MAPPER(record)
    if not known:
        mapped.values.pop("common_names", None)
    name = given if known else None
    if name is not None and epithet in ("sp.", "spec."):
        name = genus
    group = values.lower(record.get("grp") or record.get("group")) or ""
    number = values.text(record.get("id"))
    yield build_item(
        NAME,
        mapped,
        place,
        names=(values.text(record.get("file-name")), number and f"XC{number}", number),
        taxon_given=given,
        scientific_name=name,
        genus=genus if known else None,
        **(_GROUPS.get(group, {}) if known else {}),
    )


def _items(path: Path) -> Iterator[Item]:
    for file, records in json_pages(path, "recordings"):
        yield from items_of(enumerate(records, start=1), file, _build, "recording")


def _number(occurrence: Record, _sound: Record) -> str | None:
    number = values.text(occurrence.get("catalogNumber")) or values.text(occurrence.get("id"))
    return number.removeprefix("XC") if number else None


API = Recipe(
    name=NAME,
    title="Xeno-canto, answers of its interface (v3 JSON)",
    page="https://xeno-canto.org/explore/api",
    layout="A JSON answer of the interface, or a folder of them (one for each page)",
    items=_items,
)

ARCHIVE = Recipe(
    name="xeno_canto_gbif",
    title="Xeno-canto, its Darwin Core archive at GBIF",
    page="https://doi.org/10.15468/qv0ksn",
    layout=LAYOUT,
    # The archive states the kind of sound where others state what the animal does.
    items=archive_items(
        NAME,
        _number,
        {"call_types": Field("behavior", parse=values.split(",")), "behaviour": "animalBehavior"},
    ),
)

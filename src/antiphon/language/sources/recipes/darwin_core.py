"""Occurrences with sounds of a Darwin Core archive, as GBIF hands them out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from antiphon.language.schema import CommonName
from antiphon.language.sources import values
from antiphon.language.sources.base import build_item
from antiphon.language.sources.dwca import read_archive
from antiphon.language.sources.findings import Finding, Item
from antiphon.language.sources.mapping import Field, Mapper, Record
from antiphon.language.sources.records import Faulty

LAYOUT = "A Darwin Core archive: the zip file, or its folder with meta.xml"

MAPPING: Mapping[str, str | Field] = {
    "url": Field("references", "media.references", "occurrenceID", parse=lambda v: _address(v)),
    "audio_url": Field("media.identifier", "media.accessURI"),
    "taxon_given": Field("verbatimScientificName", "scientificName"),
    "scientific_name": Field("species", "scientificName", parse=values.without_authors),
    "kingdom": "kingdom",
    "phylum": "phylum",
    "class_": "class",
    "order": "order",
    "family": "family",
    "genus": "genus",
    "rank": Field("taxonRank", parse=values.lower),
    "common_names": Field("vernacularName", parse=lambda v: (CommonName(v.strip()),)),
    "life_stage": Field("lifeStage", parse=values.lower),
    "sex": Field("sex", parse=values.sex),
    "individual": "organismID",
    "behaviour": "behavior",
    "count": Field("individualCount", parse=values.positive),
    "background_species": Field("associatedTaxa", parse=lambda v: _associated(v)),
    "latitude": Field("decimalLatitude", parse=values.latitude),
    "longitude": Field("decimalLongitude", parse=values.longitude),
    "country": Field("country", "countryCode"),
    "locality": Field("locality", "verbatimLocality"),
    "date": Field("eventDate", parse=values.date),
    "time": Field("eventTime", "eventDate", parse=values.time_of_day),
    "recordist": Field("recordedBy", "media.creator", "media.rightsHolder"),
    "licence": Field("media.license", "media.UsageTerms", "license"),
    "text": Field("occurrenceRemarks", "media.description", "fieldNotes", "media.title"),
}
"""Columns by term; those of the media table are called ``media.<term>``."""

EXTRA = {
    name: name
    for name in (
        *("gbifID", "taxonKey", "taxonomicStatus", "basisOfRecord", "datasetKey", "habitat"),
        *("coordinateUncertaintyInMeters", "elevation", "stateProvince", "samplingProtocol"),
    )
}


def archive_items(
    source: str,
    identify: Callable[[Record, Record], str | None],
    changes: Mapping[str, str | Field] | None = None,
) -> Callable[[Path], Iterator[Item]]:
    """Return a reader of an archive, one item for each sound.

    An occurrence without a sound is rejected; its pictures, if it has a sound, are no records.

    Parameters
    ----------
    source
        Name of the recipe.
    identify
        Gives the identifier of a sound from its occurrence and its media record.
    changes
        Columns that this publisher fills in another way.
    """
    mapper = Mapper({**MAPPING, **(changes or {})}, EXTRA)

    def items(path: Path) -> Iterator[Item]:
        for found in read_archive(path):
            place = f"{path.name}, occurrence row {found.number}"
            if isinstance(found.record, Faulty):
                yield Item(None, (Finding("malformed_record", found.record.problem),), place)
            elif not found.sounds:
                name = found.record.get("occurrenceID") or found.record.get("id")
                yield Item(None, (Finding("no_sound", str(name)),), place)
            for sound in found.sounds:
                record = {**found.record, **{f"media.{k}": v for k, v in sound.items()}}
                source_id = identify(found.record, sound)
                name = values.file_name(sound.get("identifier") or sound.get("accessURI"))
                yield build_item(
                    source,
                    mapper(record),
                    place,
                    names=(name, source_id),
                    source_id=source_id,
                    scientific_name=_subspecies(record),
                )

    return items


def by_catalogue_number(occurrence: Record, sound: Record) -> str | None:
    """Identify a sound by its occurrence's catalogue number, or its identifier."""
    for name in ("catalogNumber", "occurrenceID", "gbifID", "id"):
        if found := values.text(occurrence.get(name)):
            return found
    return None


def _subspecies(record: Mapping[str, Any]) -> str | None:
    parts = [values.text(record.get("species")), values.text(record.get("infraspecificEpithet"))]
    return " ".join(part for part in parts if part) if all(parts) else None


def _address(value: Any) -> str | None:
    found = values.text(value)
    return found if found and found.startswith("http") else None


def _associated(value: Any) -> tuple[str, ...]:
    """Return the taxa of ``has background sounds: Turdus merula|Parus major``."""
    said = str(value).rpartition(":")[2]
    return values.split("|")(said.replace(";", "|"))

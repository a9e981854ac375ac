"""Any folder of recordings with a table: columns by the names people use, or as a file says."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pydantic

from antiphon.encoders.checking import Strict, check_file, nearest, read_yaml
from antiphon.errors import FormatError
from antiphon.language.schema import COLUMNS, DOMAINS, CommonName
from antiphon.language.sources import values
from antiphon.language.sources.base import Recipe, build_item, items_of
from antiphon.language.sources.findings import BadValueError, Item
from antiphon.language.sources.mapping import Field, Mapper, Record
from antiphon.language.sources.recipes.files import beside, matching
from antiphon.language.sources.records import open_text, read_table

NAME = "folder"
SETTINGS = "corpus.yaml"

_NO_TEXT = frozenset({"id", "source", "audio_bytes", "events", "extra"})
_ALIASES: dict[str, str] = {
    **{name: name for name in COLUMNS if name not in _NO_TEXT},
    **dict.fromkeys(("id", "sound_id", "recording_id", "catalogue_number"), "source_id"),
    **dict.fromkeys(("file", "file_name", "filename", "path", "filepath", "audio"), "names"),
    **dict.fromkeys(("audio_path", "audio_file", "sound_file", "fname", "wav"), "names"),
    **dict.fromkeys(("scientific", "latin_name", "taxon", "species_scientific"), "scientific_name"),
    # A table of one's own means the name of the animal by it; everyday names are common_name.
    "species": "scientific_name",
    **dict.fromkeys(("common_name", "vernacular_name", "english_name"), "common_names"),
    **dict.fromkeys(("class", "taxon_class"), "class_"),
    **dict.fromkeys(("call_type", "vocalization", "vocalisation", "sound_type"), "call_types"),
    **dict.fromkeys(("behavior",), "behaviour"),
    **dict.fromkeys(("stage", "age", "lifestage"), "life_stage"),
    **dict.fromkeys(("individual_id", "animal_id", "bird_id"), "individual"),
    **dict.fromkeys(("n_animals", "number_of_animals", "individuals"), "count"),
    **dict.fromkeys(("background", "other_species"), "background_species"),
    **dict.fromkeys(("lat", "decimallatitude"), "latitude"),
    **dict.fromkeys(("lon", "long", "lng", "decimallongitude"), "longitude"),
    **dict.fromkeys(("location", "place"), "locality"),
    **dict.fromkeys(("station", "recorder", "plot"), "site"),
    **dict.fromkeys(("recorded_by", "author", "credit"), "recordist"),
    **dict.fromkeys(("license", "rights"), "licence"),
    **dict.fromkeys(("license_url",), "licence_url"),
    **dict.fromkeys(("rating",), "quality"),
    **dict.fromkeys(("remarks", "notes", "note", "comment", "description"), "text"),
    **dict.fromkeys(("caption",), "captions"),
    **dict.fromkeys(("tag", "labels"), "tags"),
    **dict.fromkeys(("start", "begin_time_s", "start_time", "offset_s"), "start_s"),
    **dict.fromkeys(("end", "end_time_s", "end_time"), "end_s"),
    **dict.fromkeys(("duration", "length", "length_s"), "duration_s"),
    **dict.fromkeys(("samplerate", "sr", "rate_hz"), "sample_rate"),
    **dict.fromkeys(("recording_date",), "date"),
    **dict.fromkeys(("recording_time", "time_of_day"), "time"),
}
"""Columns by the lower-case names they are known by, spaces and hyphens as underscores."""

_TARGETS = sorted(set(_ALIASES.values()))


class FolderSettings(Strict):
    """What ``corpus.yaml`` beside the table may say.

    Parameters
    ----------
    source
        Name of the source; the folder's by default.
    table
        Name of the table, where there are several.
    delimiter
        Between cells; by the header line when left out.
    separator
        Between several values in one cell.
    fields
        Column of the table by column of the corpus, where its name does not tell.
    constants
        Values that hold for all rows, such as ``licence: CC-BY-4.0``.
    """

    source: str | None = None
    table: str | None = None
    delimiter: str | None = None
    separator: str = ";"
    fields: dict[str, str] = pydantic.Field(default_factory=dict)
    constants: dict[str, Any] = pydantic.Field(default_factory=dict)


def _items(path: Path) -> Iterator[Item]:
    found = beside(path, SETTINGS)
    settings = FolderSettings()
    if found is not None:
        settings = check_file(FolderSettings, read_yaml(found), found)
    file = _table(path, settings)
    delimiter = settings.delimiter or _delimiter(file)
    header = _header(file, delimiter)
    mapper, chosen = _mapper(header, settings, found or file)
    constants = _constants(settings, found or file)
    source = settings.source or file.parent.resolve().name

    def build(record: Record, place: str) -> Iterator[Item]:
        mapped = mapper(record)
        audio = next(iter(mapped.values.get("names", ())), None)
        span = mapped.values.get("start_s")
        own = mapped.values.pop("source_id", None)
        given = values.text(record.get(chosen.get("scientific_name", "")))
        if given is not None:
            mapped.values.setdefault("taxon_given", given)
        made = audio if span is None else f"{audio}@{span:g}"
        for name, value in constants.items():
            mapped.values.setdefault(name, value)
        yield build_item(source, mapped, place, source_id=own or (made if audio else None))

    if not {"names", "audio_url"} & set(chosen):
        raise FormatError(
            file,
            f"no column names the recordings; its columns are {', '.join(header)}",
            f"Call it 'file', or say in {SETTINGS}: fields: {{names: <your column>}}",
        )
    yield from items_of(read_table(file, delimiter=delimiter), file, build)


def _table(path: Path, settings: FolderSettings) -> Path:
    if path.is_file():
        return path
    if settings.table:
        return matching(path, settings.table)[0]
    found = matching(path, "*.csv", "*.tsv", "*.txt")
    if len(found) > 1:
        raise FormatError(
            path,
            f"holds {len(found)} tables: {', '.join(p.name for p in found)}",
            f"Give the table itself, or say in {SETTINGS}: table: <name>",
        )
    return found[0]


def _delimiter(file: Path) -> str:
    with open_text(file) as lines:
        first = lines.readline()
    return max(("\t", ";", ","), key=first.count)


def _header(file: Path, delimiter: str) -> list[str]:
    import csv

    with open_text(file) as lines:
        return [name.strip() for name in next(csv.reader(lines, delimiter=delimiter), [])]


def _mapper(
    header: list[str], settings: FolderSettings, where: Path
) -> tuple[Mapper, dict[str, str]]:
    chosen: dict[str, str] = {}
    for column, name in settings.fields.items():
        target = _ALIASES.get(column, column)
        if target not in _TARGETS:
            hint = nearest(column, _TARGETS)
            raise FormatError(where, f"fields: {column!r} is no column of a corpus.{hint}")
        if name not in header:
            raise FormatError(
                where, f"fields: the table has no column {name!r}.{nearest(name, header)}"
            )
        chosen[target] = name
    for name in header:
        target = _ALIASES.get(re.sub(r"[ -]+", "_", name.strip().lower()), "")
        if target and target not in chosen and name not in chosen.values():
            chosen[target] = name
    mapping = {
        column: Field(name, parse=_parser(column, settings.separator))
        for column, name in chosen.items()
    }
    rest = [name for name in header if name not in chosen.values()]
    return Mapper(mapping, rest), chosen


def _parser(column: str, separator: str) -> Callable[[Any], Any]:
    several = values.split(separator)
    parsers: dict[str, Callable[[Any], Any]] = {
        "names": lambda v: (str(v).strip(),),
        "common_names": lambda v: tuple(CommonName(name) for name in several(v)),
        "count": values.positive,
        "sample_rate": values.positive,
        "exhaustive": values.yes,
        "domain": _domain,
        "latitude": values.latitude,
        "longitude": values.longitude,
        "date": values.date,
        "time": values.time_of_day,
        "scientific_name": values.without_authors,
        **dict.fromkeys(("start_s", "end_s", "duration_s"), values.seconds),
        **dict.fromkeys(("call_types", "background_species", "captions", "tags"), several),
        **dict.fromkeys(("life_stage", "rank"), values.lower),
        "sex": values.sex,
    }
    return parsers.get(column, values.text)


def _domain(value: Any) -> str | None:
    found = values.lower(value)
    if found is not None and found not in DOMAINS:
        raise BadValueError(f"{found!r} is none of {', '.join(DOMAINS)}")
    return found


def _constants(settings: FolderSettings, where: Path) -> Mapping[str, Any]:
    found = {}
    for column, value in settings.constants.items():
        target = _ALIASES.get(column, column)
        if target not in _TARGETS:
            hint = nearest(column, _TARGETS)
            raise FormatError(where, f"constants: {column!r} is no column of a corpus.{hint}")
        try:
            found[target] = _parser(target, settings.separator)(value)
        except BadValueError as error:
            raise FormatError(where, f"constants: {column}: {error}") from error
    return found


RECIPE = Recipe(
    name=NAME,
    title="Any folder of recordings with a table (CSV, TSV), and corpus.yaml where needed",
    page="https://antiphon.readthedocs.io",
    layout="A folder with one table and its recordings, or the table",
    items=_items,
)

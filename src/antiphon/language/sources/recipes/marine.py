"""Barkley Canyon: phonations of marine mammals annotated by Ocean Networks Canada."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from antiphon.language.schema import Event
from antiphon.language.sources import values
from antiphon.language.sources.base import Recipe, build_item
from antiphon.language.sources.findings import Item
from antiphon.language.sources.mapping import Mapped, Record
from antiphon.language.sources.recipes.boxes import (
    group_boxes,
    needed_seconds,
    species_of,
    time_of_name,
)
from antiphon.language.sources.recipes.files import matching
from antiphon.language.sources.records import read_table

NAME = "barkley_canyon"

_SPECIES = {
    "Bm": "Balaenoptera musculus",
    "Bp": "Balaenoptera physalus",
    "Mn": "Megaptera novaeangliae",
    "Pm": "Physeter macrocephalus",
    "Oo": "Orcinus orca",
    "Lo": "Lagenorhynchus obliquidens",
    "Gg": "Grampus griseus",
}
"""Codes of the annotators: initials of genus and species."""

_NEEDED = ("Soundfile", "Species", "Left time (sec)", "Right time (sec)")


def _events(record: Record) -> tuple[Event, ...]:
    code = values.text(record.get("Species"))
    if code is None:
        return ()
    # "Mn|Oo" is one or the other.
    name = _SPECIES.get(code)
    ecotype = values.text(record.get("Ecotype"))
    event = Event(
        start_s=needed_seconds(record, "Left time (sec)"),
        end_s=needed_seconds(record, "Right time (sec)"),
        low_hz=values.number(record.get("Bottom freq (Hz)")),
        high_hz=values.number(record.get("Top freq (Hz)")),
        label=f"{code} {ecotype}" if ecotype else code,
        kind="species" if name else "other",
        scientific_name=name,
    )
    return (event,)


def _items(path: Path) -> Iterator[Item]:
    for file in matching(path, "*nnotations*.csv", "*.csv"):
        found = group_boxes(
            read_table(file, needed=_NEEDED),
            file,
            lambda record: values.file_name(record.get("Soundfile")),
            _events,
        )
        for one in found:
            yield one if isinstance(one, Item) else _recording(*one, file)


def _recording(name: str, _first: Record, events: tuple[Event, ...], file: Path) -> Item:
    return build_item(
        NAME,
        Mapped({}, []),
        f"{file.name}, recording {name}",
        names=(name, Path(name).stem),
        source_id=Path(name).stem,
        background_species=species_of(events),
        events=events,
        site="Barkley Canyon",
        country="Canada",
        recordist="Ocean Networks Canada",
        exhaustive=None if any(event.kind == "other" for event in events) else True,
        **time_of_name(name),
    )


RECIPE = Recipe(
    name=NAME,
    title="Barkley Canyon, annotated hydrophone recordings (Kanes 2021)",
    page="https://doi.org/10.1121/10.0007587",
    layout="The table of annotations (Soundfile, Species, Left time (sec), ...), or its folder",
    items=_items,
)

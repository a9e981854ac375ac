"""MarmAudio: calls of common marmosets, one file each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from antiphon.language.schema import CommonName
from antiphon.language.sources import values
from antiphon.language.sources.base import Recipe, build_item, items_of
from antiphon.language.sources.findings import Item
from antiphon.language.sources.mapping import Field, Mapped, Mapper, Record
from antiphon.language.sources.recipes.files import matching
from antiphon.language.sources.records import read_table

NAME = "marmaudio"

_MAPPER = Mapper({"duration_s": Field("duration", parse=values.seconds)})
_NO_CALL = frozenset({"noise"})
# A call that nobody has told the type of.
_UNTYPED = frozenset({"vocalization"})


def _build(record: Record, place: str) -> Iterator[Item]:
    folder, name = values.text(record.get("parent_name")), values.text(record.get("file_name"))
    label = values.text(record.get("label")) or ""
    mapped = _MAPPER(record)
    if label.lower() in _NO_CALL:
        what = Mapped({**mapped.values, "tags": (label.lower(),)}, mapped.findings)
        more = {"exhaustive": True}
    else:
        call = () if label.lower() in _UNTYPED else (label.replace("_", " ").lower(),)
        species = {
            "taxon_given": "Callithrix jacchus",
            "scientific_name": "Callithrix jacchus",
            "kingdom": "Animalia",
            "phylum": "Chordata",
            "class_": "Mammalia",
            "order": "Primates",
            "family": "Callitrichidae",
            "common_names": (CommonName("Common Marmoset", "en"),),
            "call_types": call if label else (),
        }
        what = Mapped({**mapped.values, **species}, mapped.findings)
        more = {}
    month = "-".join((folder or "").split("_")[:2])
    try:
        day = values.date(month)
    except ValueError:
        day = None
    yield build_item(
        NAME,
        what,
        place,
        names=(f"Vocalizations/{folder}/{name}", f"{folder}/{name}", name),
        source_id=f"{folder}/{Path(name).stem}" if folder and name else None,
        sample_rate=96_000,
        date=day,
        country="France",
        recordist="Lamothe et al.",
        **more,  # type: ignore[arg-type]
    )


def _items(path: Path) -> Iterator[Item]:
    for file in matching(path, "Annotations.tsv", "*nnotations*.tsv"):
        rows = read_table(file, delimiter="\t", needed=("parent_name", "file_name", "label"))
        yield from items_of(rows, file, _build)


RECIPE = Recipe(
    name=NAME,
    title="MarmAudio, vocalizations of common marmosets (Lamothe et al. 2025)",
    page="https://doi.org/10.5281/zenodo.15017207",
    layout="Annotations.tsv, beside the folder Vocalizations, or the folder of both",
    items=_items,
    licence="CC-BY-4.0",
)

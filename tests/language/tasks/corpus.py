"""A small corpus with the traps of a real one: synonyms, shared names, ranks, unknown names."""

from __future__ import annotations

from typing import Any

from antiphon.language.schema import CommonName, CorpusRow, Event

SPECIES = {
    # scientific: (common, genus, family, order, class)
    "Turdus merula": ("Common Blackbird", "Turdus", "Turdidae", "Passeriformes", "Aves"),
    "Turdus philomelos": ("Song Thrush", "Turdus", "Turdidae", "Passeriformes", "Aves"),
    "Turdus iliacus": ("Redwing", "Turdus", "Turdidae", "Passeriformes", "Aves"),
    "Turdus migratorius": ("Robin", "Turdus", "Turdidae", "Passeriformes", "Aves"),
    "Erithacus rubecula": ("Robin", "Erithacus", "Muscicapidae", "Passeriformes", "Aves"),
    "Chloris chloris": ("European Greenfinch", "Chloris", "Fringillidae", "Passeriformes", "Aves"),
    "Carduelis carduelis": ("Goldfinch", "Carduelis", "Fringillidae", "Passeriformes", "Aves"),
    "Parus major": ("Great Tit", "Parus", "Paridae", "Passeriformes", "Aves"),
    "Bufo bufo": ("Common Toad", "Bufo", "Bufonidae", "Anura", "Amphibia"),
    "Rana temporaria": ("Common Frog", "Rana", "Ranidae", "Anura", "Amphibia"),
    "Myotis myotis": ("Mouse-eared Bat", "Myotis", "Vespertilionidae", "Chiroptera", "Mammalia"),
}
SYNONYMS = {"Carduelis chloris": "Chloris chloris"}


def species_of(name: str) -> set[str]:
    """Return every species that a name may stand for, worked out from the table above only."""
    name = SYNONYMS.get(name, name)
    if name in SPECIES:
        return {name}
    taxonomic = {f"{c} {o} {f} {s}": s for s, (_, _, f, o, c) in SPECIES.items()}
    if name in taxonomic:
        return {taxonomic[name]}
    found = {s for s, (common, *_) in SPECIES.items() if common.lower() == name.lower()}
    words = name.split()
    if not found and len(words) == 3 and " ".join(words[:2]) in SPECIES:
        return {" ".join(words[:2])}
    if not found and len(words) == 2 and words[1] in ("sp.", "spp."):
        found = {s for s, (_, genus, *_) in SPECIES.items() if genus == words[0]}
    return found or {s for s, (_, *ranks) in SPECIES.items() if name in ranks}


def heard(row: CorpusRow) -> set[str]:
    """Return every species that is heard in a row, or may be."""
    names = [row.scientific_name or "", *row.background_species]
    names += [e.scientific_name or "" for e in row.events]
    return {s for name in names for s in species_of(name)}


def make_row(number: int, species: str, **more: Any) -> CorpusRow:
    """Return a row of a species of the table."""
    common, genus, family, order, class_ = SPECIES[species]
    values: dict[str, Any] = {
        "taxon_given": species,
        "kingdom": "Animalia",
        "phylum": "Chordata",
        "class_": class_,
        "order": order,
        "family": family,
        "genus": genus,
        "species": species,
        "scientific_name": species,
        "rank": "species",
        "common_names": (CommonName(common, "en"), CommonName(f"{common} auf Deutsch", "de")),
    }
    return CorpusRow(id=f"test:{number}", source="test", **{**values, **more})


def full_row(number: int, species: str, **more: Any) -> CorpusRow:
    """Return a row of which all is known that can be without audio."""
    values: dict[str, Any] = {
        "exhaustive": True,
        "background_species": ("Parus major",),
        "call_types": ("song",),
        "sex": "male",
        "life_stage": "adult",
        "individual": f"animal {number % 3}",
        "count": 1,
        "behaviour": "singing from a roof",
        "country": "Netherlands",
        "locality": "Leiden",
        "date": "2021-05-17",
        "time": "05:40",
        "duration_s": 10.0,
        "events": (
            Event(0.5, 1.25, label=SPECIES[species][0], scientific_name=species, kind="species"),
            Event(1.0, 2.5, label=SPECIES[species][0], scientific_name=species, kind="species"),
        ),
    }
    return make_row(number, species, **{**values, **more})


def varied() -> list[CorpusRow]:
    """Return two rows or more for every species, and rows of general sound, music and speech."""
    kinds = [("song",), ("alarm call",), ("call", "song"), ("drumming",)]
    rows = [
        full_row(n, species, call_types=kinds[n % 4])
        for n, species in enumerate([*SPECIES, *SPECIES, *SPECIES])
    ]
    rows += [
        CorpusRow(
            id="g:1", source="g", domain="general", captions=("a dog barks", "Barking."),
            tags=("Dog", "Bark, woof"),
        ),
        CorpusRow(id="m:1", source="m", domain="music", tags=("Piano", "Slow music")),
        CorpusRow(id="s:1", source="s", domain="speech", text="Good morning to all of you."),
    ]  # fmt: skip
    return rows

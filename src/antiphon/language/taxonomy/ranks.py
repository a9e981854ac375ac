"""Ranks and statuses of names, and the small numbers that stand for them in the compiled file."""

from __future__ import annotations

LINNEAN: tuple[str, ...] = (
    "kingdom",
    "phylum",
    "class",
    "order",
    "family",
    "genus",
    "species",
    "subspecies",
)
"""The ranks that a classification is given in, the highest first."""

RANKS: tuple[str, ...] = (
    "domain",
    "superkingdom",
    "kingdom",
    "subkingdom",
    "infrakingdom",
    "superphylum",
    "phylum",
    "subphylum",
    "infraphylum",
    "parvphylum",
    "gigaclass",
    "megaclass",
    "superclass",
    "class",
    "subclass",
    "infraclass",
    "parvclass",
    "superorder",
    "order",
    "suborder",
    "infraorder",
    "parvorder",
    "superfamily",
    "family",
    "subfamily",
    "supertribe",
    "tribe",
    "subtribe",
    "genus",
    "subgenus",
    "section",
    "subsection",
    "series",
    "species aggregate",
    "species",
    "hybrid",
    "group",
    "subspecies",
    "intergrade",
    "domestic",
    "variety",
    "subvariety",
    "form",
    "subform",
    "infraspecific name",
    "unranked",
    "other",
)
"""All ranks that are told apart; the compiled file holds a rank's place in this list."""

STATUSES: tuple[str, ...] = (
    "accepted",
    "doubtful",
    "synonym",
    "homotypic synonym",
    "heterotypic synonym",
    "ambiguous synonym",
    "pro parte synonym",
    "misapplied",
    "implied",
)
"""What a checklist says of a name; the compiled file holds the place in this list.

``implied`` are higher taxa that the reader of a checklist knows and the checklist does not name,
such as the class Aves of a checklist of birds."""

RANK_CODE = {name: code for code, name in enumerate(RANKS)}
STATUS_CODE = {name: code for code, name in enumerate(STATUSES)}
OTHER_RANK = RANK_CODE["other"]

SYNONYMS = frozenset(
    STATUS_CODE[name] for name in STATUSES if name.endswith("synonym") or name == "misapplied"
)
"""Codes of the statuses whose name is not the accepted one."""

_RANK_WORDS = {
    "infraspecific_name": "infraspecific name",
    "species_aggregate": "species aggregate",
    "phylum_division": "phylum",
    "division": "phylum",
    "var.": "variety",
    "issf": "group",
    "group (monotypic)": "subspecies",
    "group (polytypic)": "group",
    "varietas": "variety",
    "forma": "form",
    "superdomain": "domain",
    "realm": "domain",
}
_STATUS_WORDS = {
    "provisionally accepted": "accepted",
    "valid": "accepted",
    "": "accepted",
    "proparte synonym": "pro parte synonym",
    "misapplied name": "misapplied",
    "objective synonym": "homotypic synonym",
    "subjective synonym": "heterotypic synonym",
    "doubtful synonym": "synonym",
}


def rank_code(word: str | None) -> int:
    """Return the code of a rank as any checklist writes it; unknown words are ``other``."""
    text = (word or "").strip().lower()
    text = _RANK_WORDS.get(text, text.replace("_", " "))
    return RANK_CODE.get(text or "unranked", OTHER_RANK)


def status_code(word: str | None) -> int | None:
    """Return the code of a status as any checklist writes it; None for a word that is unknown."""
    text = (word or "").strip().lower().replace("_", " ")
    return STATUS_CODE.get(_STATUS_WORDS.get(text, text))

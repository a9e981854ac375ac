"""Which species, genus, family, order or class: the focal taxon, or all that are heard."""

from __future__ import annotations

from antiphon.language.tasks import checkers
from antiphon.language.tasks.answers.base import (
    NO_OPTIONS,
    UNKNOWN_NAME,
    Answer,
    Ask,
    Refused,
    choose,
    focal_label,
    names_of,
    naming,
    wrong_species,
)
from antiphon.language.tasks.taxa import LEVELS, Taxon
from antiphon.language.tasks.world import event_taxa

_NO_NAME = Refused("a species heard has no name of this kind")


def species(ask: Ask) -> Answer | Refused:
    """Name the focal species, freely or out of options."""
    row, taxon, how = ask.row, ask.taxon, naming(ask)
    label = focal_label(row, taxon, how)
    if label is None:
        return _NO_NAME
    if ask.task.choices is None:
        checker = taxon.checkers.get(label)
        if checker is None:
            names = names_of(taxon, label)
            checker = checkers.make("taxon", names=names, lineage=taxon.lineage)
            taxon.checkers[label] = checker
        return Answer(label, checker)
    n = ask.draws.between(ask.task.choices.least, ask.task.choices.most)
    wrong = wrong_species(ask, ask.truth(), taxon.lineage, how, n)
    return choose(ask, label, names_of(taxon, label), wrong)


def rank(ask: Ask) -> Answer | Refused:
    """Name the genus, family, order or class of the focal animal, freely or out of options."""
    level = LEVELS.index(ask.task.rank or "")
    lineage = ask.taxon.lineage[: level + 1]
    label = lineage[level] if len(lineage) > level else None
    if label is None:
        return _NO_NAME
    choices = ask.task.choices
    if choices is None:
        return Answer(label, checkers.make("taxon", names=[label], lineage=lineage))
    pool = ask.pools[ask.task.rank or ""]
    n = ask.draws.between(choices.least, choices.most)
    truth = ask.truth()
    wrong = pool.wrong(truth, lineage, choices.kind, n, "scientific", ask.draws)
    return choose(ask, label, [label], wrong)


def heard_species(ask: Ask, how: str) -> list[tuple[str, Taxon]] | Refused:
    """Return the name of every species heard in a row, the focal one first, with its taxon."""
    row = ask.row
    focal = [ask.taxon] if row.species else []
    found = list(focal)
    for name in (*row.background_species, *event_taxa(row)):
        taxon = ask.world.heard(name)
        if taxon is None or len(taxon.lineage) < len(LEVELS):
            return UNKNOWN_NAME
        found.append(taxon)
    labels: dict[str, Taxon] = {}
    for number, taxon in enumerate(found):
        label = focal_label(row, taxon, how) if number < len(focal) else taxon.label(how)
        if label is None:
            return _NO_NAME
        if not any(taxon.keys & other.keys for other in labels.values()):
            labels[label] = taxon
    return list(labels.items())


def all_species(ask: Ask) -> Answer | Refused:
    """Name every species that is heard."""
    found = heard_species(ask, naming(ask))
    if isinstance(found, Refused):
        return found
    if not found:
        return NO_OPTIONS
    truth = [names_of(taxon, label) for label, taxon in found]
    text = ", ".join(label for label, _ in found)
    return Answer(text, checkers.make("set", truth=truth))

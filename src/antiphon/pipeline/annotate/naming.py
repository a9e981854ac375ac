"""Names for new labels: those the project has, classes of its encoders, its list of taxa."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from antiphon.errors import FormatError, UserError
from antiphon.labels.labelset import Label
from antiphon.store.catalogue import LabelRow
from antiphon.store.project import ProjectFolder

TAXONOMY = "taxonomy.csv"
"""A table in the project folder with the taxa that may occur, one a row."""

_COLUMNS = {
    "name": ("name", "label", "primary_label", "class"),
    "scientific_name": ("scientific_name", "scientific name", "species", "sci_name"),
    "common_name": ("common_name", "common name", "english_name", "vernacular_name"),
    "rank": ("rank", "taxon_rank"),
}
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Candidate:
    """A name that a label could have.

    Parameters
    ----------
    source
        Where it is from: ``project`` (it is a label already), ``taxonomy`` or an encoder's name.
    """

    name: str
    scientific_name: str | None
    common_name: str | None
    rank: str | None
    source: str

    @property
    def names(self) -> tuple[str, ...]:
        """All names it may be found by."""
        return tuple(n for n in (self.name, self.scientific_name, self.common_name) if n)


def suggest_labels(folder: ProjectFolder, text: str, n: int = 10) -> list[Candidate]:
    """Return labels and taxa whose names hold a text, the best first.

    Labels of the project come before others; then names that begin with the text, then names with
    a word that does, then the rest. Synonyms of the project's labels are looked through as well.

    Parameters
    ----------
    text
        What was typed so far; with nothing typed, the project's labels come.

    Raises
    ------
    FormatError
        If the project's ``taxonomy.csv`` cannot be read.
    """
    wanted = _fold(text)
    found: list[tuple[int, int, str, Candidate]] = []
    seen: set[str] = set()
    for place, (candidate, others) in enumerate(_candidates(folder)):
        key = _fold(candidate.name)
        if key in seen or (not wanted and candidate.source != "project"):
            continue
        fit = min((_fit(wanted, _fold(name)) for name in (*candidate.names, *others)), default=9)
        if fit < 9:
            seen.add(key)
            own = 0 if candidate.source == "project" else 1
            found.append((own, fit, key if own == 0 else f"{place:09d}", candidate))
    return [entry[3] for entry in sorted(found, key=lambda entry: entry[:3])[:n]]


def add_label(
    folder: ProjectFolder,
    name: str,
    *,
    scientific_name: str | None = None,
    common_name: str | None = None,
    rank: str | None = None,
) -> LabelRow:
    """Add a label and return it; one that is there is returned with what was not known filled in.

    Raises
    ------
    UserError
        If it is no name for a label, or another label has it in another case.
    """
    facts = {
        key: value.strip()
        for key, value in (
            ("scientific_name", scientific_name),
            ("common_name", common_name),
            ("rank", rank),
        )
        if value is not None and value.strip()
    }
    if len(name) > _LONGEST or not name.isprintable():
        raise UserError(
            f"A label cannot be called {name[:40]!r}: it is longer than {_LONGEST} characters, or "
            "holds some that cannot be printed."
        )
    Label(name)
    rows = {row.name: row for row in folder.catalogue.labels()}
    for other in rows:
        if other != name and _fold(other) == _fold(name):
            raise UserError(f"There is a label {other!r} already; use that.")
    known = rows.get(name)
    if known is not None:
        facts = {key: value for key, value in facts.items() if getattr(known, key) is None}
    if known is None or facts:
        folder.catalogue.set_label(name, **facts)
    return next(row for row in folder.catalogue.labels() if row.name == name)


def _candidates(folder: ProjectFolder) -> Iterable[tuple[Candidate, tuple[str, ...]]]:
    """Yield all candidates, each with further names to find it by."""
    for row in folder.catalogue.labels():
        yield (
            Candidate(row.name, row.scientific_name, row.common_name, row.rank, "project"),
            row.synonyms,
        )
    path = folder.root / TAXONOMY
    if path.is_file():
        for candidate in _read_taxonomy(path, path.stat().st_mtime_ns):
            yield candidate, ()
    for table in folder.catalogue.tables():
        for candidate in _classes(table.encoder, tuple(table.spec.get("labels", ()))):
            yield candidate, ()


@lru_cache(maxsize=4)
def _read_taxonomy(path: Path, _changed_ns: int) -> tuple[Candidate, ...]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            reader = csv.DictReader(stream)
            titles = {_fold(title): title for title in reader.fieldnames or ()}
            chosen = {
                field: next((titles[t] for t in names if t in titles), None)
                for field, names in _COLUMNS.items()
            }
            if not any(chosen[f] for f in ("name", "scientific_name", "common_name")):
                raise FormatError(
                    path,
                    "has no column of names",
                    "Use name, scientific_name and common_name",
                )
            rows = [
                {
                    field: (row.get(title) or "").strip() or None if title else None
                    for field, title in chosen.items()
                }
                for row in reader
            ]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise FormatError(path, f"the list of taxa cannot be read: {error}") from error
    return tuple(
        Candidate(name, row["scientific_name"], row["common_name"], row["rank"], "taxonomy")
        for row in rows
        if (name := row["name"] or row["common_name"] or row["scientific_name"])
    )


@lru_cache(maxsize=8)
def _classes(encoder: str, labels: tuple[str, ...]) -> tuple[Candidate, ...]:
    """Return an encoder's classes; BirdNET writes them ``Scientific name_Common name``."""
    found = []
    for label in labels:
        scientific, joined, common = label.partition("_")
        if joined and " " in scientific.strip() and common and "_" not in common:
            found.append(Candidate(common, scientific, common, None, encoder))
        else:
            found.append(Candidate(label, None, None, None, encoder))
    return tuple(found)


def _fit(wanted: str, name: str) -> int:
    """Return how well a name fits what was typed, 0 best, 9 not at all."""
    if not wanted or name.startswith(wanted):
        return 0
    if re.search(rf"\b{re.escape(wanted)}", name):
        return 1
    return 2 if wanted in name else 9


def _fold(text: str) -> str:
    return " ".join(text.split()).casefold()

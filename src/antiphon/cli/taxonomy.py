"""Verbs around names of taxa: taxonomy compile, resolve."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from antiphon.cli.options import AsJson
from antiphon.errors import UserError

if TYPE_CHECKING:
    from antiphon.language.taxonomy.resolution import Resolution

taxonomy = typer.Typer(
    no_args_is_help=True, help="Accepted names of taxa, from GBIF's and eBird's checklists."
)


class By(StrEnum):
    """What the names to resolve are."""

    scientific = "scientific"
    common = "common"
    id = "id"


def register(app: typer.Typer) -> None:
    """Add this file's verbs."""
    app.add_typer(taxonomy, name="taxonomy")


@taxonomy.command("compile")
def compile_(
    checklists: Annotated[
        list[Path],
        typer.Argument(
            metavar="CHECKLIST...",
            help="GBIF's backbone.zip, Taxon.tsv or simple.txt.gz, an eBird or Clements CSV; the "
            "preferred one first. NAME=PATH gives it a name.",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path, typer.Option("--out", metavar="FILE", help="The file to write.", show_default=False)
    ],
    version: Annotated[
        list[str] | None,
        typer.Option(
            "--version", metavar="NAME=VERSION", help="Where the files do not tell it; repeatable."
        ),
    ] = None,
    common: Annotated[
        list[str] | None,
        typer.Option(
            "--common",
            metavar="[LANGUAGE=]FILE",
            help="Common names: GBIF's VernacularName.tsv, or LANGUAGE=CSV of eBird in another "
            "language; repeatable.",
        ),
    ] = None,
    rejected: Annotated[
        Path | None,
        typer.Option("--rejected", metavar="CSV", help="List the lines that were left out."),
    ] = None,
    json: AsJson = False,
) -> None:
    """Compile checklists to one file that names are looked up in.

    A taxon that several checklists have is that of the first. The file is some 70 bytes per name.
    """
    from dataclasses import asdict

    from antiphon.cli.show import as_json, by_count, say, table, warn
    from antiphon.language.taxonomy.checklists.detect import open_checklists
    from antiphon.language.taxonomy.compile import compile_taxonomy

    vernacular, translations = _common(common or [])
    readers = open_checklists(
        checklists,
        versions=dict(_pair(text, "--version") for text in version or []),
        common=vernacular,
        translations=translations,
    )
    report = compile_taxonomy(readers, out, rejected=rejected, say=warn)
    if json:
        as_json([asdict(found) for found in report])
        return
    header = ("checklist", "version", "accepted", "synonyms", "higher", "common names", "rejected")
    rows = []
    for found in report:
        left_out = sum(int(str(part["count"])) for part in found.rejected.values())
        counts = (found.accepted, found.synonyms, found.higher, found.common_names, left_out)
        rows.append((found.name, found.version or "-", *counts))
    table(header, rows)
    for found in report:
        for reason, count in by_count({r: int(str(p["count"])) for r, p in found.rejected.items()}):
            examples = found.rejected[reason]["examples"]
            say(f"{found.name}: {count:,} left out, {reason}: {_listed(examples)}")
        if found.orphans:
            say(f"{found.name}: {found.orphans:,} taxa have nothing above them.")
        if not found.version:
            say(f"{found.name}: its version is not known; give it with --version {found.name}=...")
    say(f"{out}: {out.stat().st_size / 1e6:,.1f} MB.")


@taxonomy.command()
def resolve(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A compiled taxonomy.", show_default=False)
    ],
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME...]", help="Names, in quotes.", show_default=False),
    ] = None,
    listed: Annotated[
        Path | None,
        typer.Option(
            "--list", metavar="FILE", help="Names: one a line, or a CSV, TSV or Parquet table."
        ),
    ] = None,
    column: Annotated[
        str | None, typer.Option("--column", metavar="COLUMN", help="Of --list: where names are.")
    ] = None,
    kingdom: Annotated[
        str | None,
        typer.Option("--kingdom", metavar="KINGDOM", help="That all names are of: Animalia."),
    ] = None,
    by: Annotated[By, typer.Option("--by", help="What the names are.")] = By.scientific,
    language: Annotated[
        str, typer.Option("--language", metavar="LANGUAGE", help="Of common names.")
    ] = "en",
    suggest: Annotated[
        bool,
        typer.Option("--suggest/--no-suggest", help="Look for near names for unknown ones."),
    ] = True,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Write a table: .csv or .parquet."),
    ] = None,
    json: AsJson = False,
) -> None:
    """Say what names stand for: accepted name, ranks, synonym, homonym, near names.

    Nothing is corrected silently: a name with near names only stays unresolved.
    """
    from antiphon.cli.show import as_json, say
    from antiphon.language.taxonomy.lists import read_names, resolve_file
    from antiphon.language.taxonomy.lookup import Taxonomy

    if bool(names) == (listed is not None):
        raise UserError("Give either names or --list FILE.")
    if column is not None and listed is None:
        raise UserError("--column goes with --list.")
    options: dict[str, Any] = {
        "kingdom": kingdom,
        "by": by.value,
        "language": language,
        "suggest": suggest and by is By.scientific,
    }
    with Taxonomy.open(file) as opened:
        if out is not None:
            if listed is None:
                raise UserError("--out goes with --list.")
            counts = resolve_file(opened, listed, out, column=column, **options)
            if json:
                as_json(counts)
                return
            say(", ".join(f"{count:,} {status}" for status, count in counts.items()) + ".")
            say(f"Written to {out}.")
            return
        parts = [names] if listed is None else read_names(listed, column)
        found = [opened.resolve(part, **options) for part in parts or []]
    if json:
        as_json([row for part in found for row in part.table().drop_columns(["row"]).to_pylist()])
    else:
        _print(found)


def _print(found: list[Resolution]) -> None:
    from antiphon.cli.show import table

    rows = []
    for part in found:
        for row in part.table().to_pylist():
            others = row["alternatives"] or row["suggestions"] or []
            remarks = [*others, *([row["note"]] if row["note"] else [])]
            cells = ("given", "status", "name", "rank", "family", "checklist", "taxon_id")
            rows.append((*(row[cell] for cell in cells), row["common_name"], "; ".join(remarks)))
    header = ("given", "status", "name", "rank", "family", "checklist", "id", "common", "remarks")
    table(header, rows)


def _common(given: list[str]) -> tuple[Path | None, dict[str, Path]]:
    vernacular: Path | None = None
    translations: dict[str, Path] = {}
    for text in given:
        language, equals, path = text.partition("=")
        if equals and "/" not in language and not Path(text).exists():
            translations[language] = Path(path)
        elif vernacular is not None:
            raise UserError("--common takes one VernacularName.tsv; others need LANGUAGE=FILE.")
        else:
            vernacular = Path(text)
    return vernacular, translations


def _pair(text: str, option: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name or not value:
        raise UserError(f"{option} {text!r} is not NAME=VALUE, as in gbif=2023-08-28")
    return name, value


def _listed(examples: object) -> str:
    return ", ".join(str(example) for example in examples) if isinstance(examples, list) else ""

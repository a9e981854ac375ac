"""What became of the checklists that were compiled, as the compiled file keeps it."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from antiphon._version import __version__
from antiphon.language.taxonomy.checklists.records import About
from antiphon.language.taxonomy.container import FORMAT, FORMAT_VERSION


@dataclass(frozen=True, slots=True)
class Compiled:
    """What became of one checklist.

    Parameters
    ----------
    name, version
        Of the checklist.
    lines
        That its reader gave.
    accepted, synonyms
        Names in the file, by kind (doubtful ones are among the accepted).
    higher
        Higher taxa that were made because lines only name them.
    common_names
        Common names of its taxa.
    orphans
        Accepted taxa below a kingdom without anything above them.
    rejected
        Lines left out by reason, with examples.
    """

    name: str
    version: str
    lines: int
    accepted: int
    synonyms: int
    higher: int
    common_names: int
    orphans: int
    rejected: dict[str, dict[str, object]]


def describe(
    report: Sequence[Compiled], abouts: Sequence[About], kingdoms: Sequence[str]
) -> dict[str, object]:
    """Return the description of a compiled file, as JSON holds it."""
    checklists = []
    for found, about in zip(report, abouts, strict=True):
        files = [{"name": name, "bytes": size, "sha256": sha} for name, size, sha in about.files]
        checklists.append({**asdict(found), "files": files})
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "antiphon": __version__,
        "compiled": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "kingdoms": list(kingdoms),
        "checklists": checklists,
    }

"""Taxa of the classes of a submission."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from antiphon.errors import FormatError, UserError
from antiphon.evaluation.blending.files.rows import first_few
from antiphon.evaluation.blending.files.tables import read_table

_LABELS = ("primary_label", "label", "class")
_TAXA = ("class_name", "taxon", "group")


def read_taxonomy(path: Path | str) -> dict[str, str]:
    """Read the taxon of each class.

    Parameters
    ----------
    path
        A table with ``primary_label`` (or ``label``, ``class``) and ``class_name`` (or ``taxon``,
        ``group``), as the taxonomy of a challenge has them.

    Raises
    ------
    FormatError
        If it cannot be read, lacks a column, or gives a class two taxa.
    """
    path = Path(path)
    table = read_table(path, all_text=True)
    chosen = [
        next((c for c in names if table.column_names.count(c) == 1), None)
        for names in (_LABELS, _TAXA)
    ]
    if None in chosen:
        raise FormatError(
            path,
            f"there is no column for class and taxon, only {first_few(table.column_names)}",
            "A taxonomy has primary_label and class_name",
        )
    labels, taxa = (table.column(str(name)).to_pylist() for name in chosen)
    found: dict[str, str] = {}
    for label, taxon in zip(labels, taxa, strict=True):
        if found.setdefault(label or "", taxon or "") != (taxon or ""):
            raise FormatError(path, f"class {label} has two taxa: {found[label]} and {taxon}")
    return found


def taxon_of(classes: Sequence[str], taxa: Mapping[str, str]) -> tuple[str, ...]:
    """Return the taxon of each class.

    Raises
    ------
    UserError
        If a class has none.
    """
    missing = [name for name in classes if not taxa.get(name)]
    if missing:
        raise UserError(
            f"{len(missing)} classes have no taxon in the taxonomy: {first_few(missing)}."
        )
    return tuple(taxa[name] for name in classes)

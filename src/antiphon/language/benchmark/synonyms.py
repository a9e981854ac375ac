"""Other names of labels, from a file."""

from __future__ import annotations

import json
from pathlib import Path

from antiphon.errors import FileError, FormatError
from antiphon.language.benchmark.rows import SUFFIXES, read_rows, text_of


def read_synonyms(path: Path) -> dict[str, str]:
    """Read other names of labels: common names, scientific names, old names.

    Parameters
    ----------
    path
        A table with the columns ``name`` and ``label``, or JSON of ``{name: label}`` or
        ``{label: [names]}``.

    Raises
    ------
    FileError
        If there is no such file.
    FormatError
        If it is neither, or a name is given for two labels.
    """
    pairs = _pairs(path)
    found: dict[str, str] = {}
    for name, label in pairs:
        if found.setdefault(name, label) != label:
            raise FormatError(
                path,
                f"{name!r} is given for {found[name]!r} and for {label!r}",
                "A name can stand for one label only",
            )
    if not found:
        raise FormatError(path, "holds no names", "Give the columns name and label")
    return found


def _pairs(path: Path) -> list[tuple[str, str]]:
    if path.suffix.lower() in SUFFIXES:
        pairs = []
        for where, row in read_rows(path, {"name", "label"}):
            name, label = text_of(row.get("name")), text_of(row.get("label"))
            if name is None or label is None:
                raise FormatError(path, f"{where} lacks a name or its label", "Fill both columns")
            pairs.append((name, label))
        return pairs
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise FileError(path, "there is no such file", "Check the path") from None
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise FormatError(path, f"is not JSON ({error})", "Give {name: label}") from None
    if not isinstance(data, dict):
        raise FormatError(path, "is no JSON object", "Give {name: label} or {label: [names]}")
    pairs = []
    for key, value in data.items():
        if isinstance(value, str):
            pairs.append((key, value))
        elif isinstance(value, list) and all(isinstance(one, str) for one in value):
            pairs += [(one, key) for one in value]
        else:
            raise FormatError(
                path, f"{key!r} has neither a label nor a list of names", "Give {name: label}"
            )
    return pairs

"""Which files of a folder a recipe reads."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from antiphon.errors import FormatError
from antiphon.language.sources.records import read_json


def matching(path: Path, *patterns: str) -> list[Path]:
    """Return a file itself, or the files below a folder that match the first pattern that any does.

    Raises
    ------
    FormatError
        If a folder has none.
    """
    if path.is_file():
        return [path]
    for pattern in patterns:
        found = sorted(p for p in path.glob(pattern) if p.is_file())
        if found:
            return found
    raise FormatError(
        path, f"holds no {' or '.join(patterns)}", "Give the folder as its publisher packs it"
    )


def beside(path: Path, name: str) -> Path | None:
    """Return a file of a folder, or one that lies beside a file; None if it is not there."""
    found = (path if path.is_dir() else path.parent) / name
    return found if found.is_file() else None


def json_pages(path: Path, key: str) -> Iterator[tuple[Path, list[dict[str, Any]]]]:
    """Read pages of an interface, each an object with a list under ``key``; one file at a time.

    Raises
    ------
    FormatError
        If a file is no such answer; an error message of the interface is quoted.
    """
    for file in matching(path, "*.json", "*.json.gz", "**/*.json"):
        records = read_json(file, key)
        if not isinstance(records, list):
            raise FormatError(file, f"its {key!r} is not a list")
        yield file, records

"""Sides of a split from lists, tables and folders."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from antiphon.audio.names import parse_name
from antiphon.audio.recording import find_recordings
from antiphon.errors import FileError
from antiphon.evaluation.leakage.fingerprints import Fingerprint, fingerprint_files
from antiphon.evaluation.leakage.sides import SplitSide

COLUMNS: dict[str, tuple[str, ...]] = {
    "ids": ("id", "item", "row_id", "window", "window_id"),
    "recordings": ("recording", "recording_id", "filename", "file", "path", "audio", "begin file"),
    "sources": ("source", "source_id", "original", "parent", "individual"),
    "sites": ("site", "location", "station", "recorder"),
    "days": ("day", "date"),
}
"""Names of columns, in lower case, by what they mean; the first that a table has is taken."""


def read_side(path: Path | str, audio: Path | str | None = None) -> SplitSide:
    """Read one side of a split.

    Parameters
    ----------
    path
        A folder of recordings; a text file with one recording a line; or a CSV or TSV table with
        named columns, see :data:`COLUMNS`. Site and day are taken from file names that tell them
        where no column does.
    audio
        Folder that the recordings lie in; that of the list when None.

    Returns
    -------
    SplitSide
        With ``files`` where a recording exists, None for the others.

    Raises
    ------
    FileError
        If it cannot be read, is empty, or has no column of recordings or items.
    """
    return side_of(*read_rows(path), path=path, audio=audio)


def read_rows(path: Path | str) -> tuple[list[dict[str, str]], list[str]]:
    """Return the rows of a list, table or folder by column name in lower case, and the columns.

    Raises
    ------
    FileError
        If it cannot be read or is empty.
    """
    path = Path(path)
    if path.is_dir():
        rows = [{"recording": str(file)} for file in find_recordings(path)]
        columns = ["recording"]
    else:
        rows, columns = _read_table(path)
    if not rows:
        raise FileError(path, "lists no recordings", "Give a folder, a list or a table of them")
    return rows, columns


def side_of(
    rows: Sequence[dict[str, str]],
    columns: Sequence[str],
    *,
    path: Path | str,
    audio: Path | str | None = None,
) -> SplitSide:
    """Return the side that these rows of ``path`` make; see :func:`read_side`."""
    path = Path(path)
    found = {
        field: next((name for name in names if name in columns), None)
        for field, names in COLUMNS.items()
    }
    if found["recordings"] is None and found["ids"] is None:
        raise FileError(
            path,
            f"has no column of recordings or items; its columns are {', '.join(columns)}",
            f"Name one of them {' or '.join(COLUMNS['recordings'][:3])}",
        )
    known: dict[str, list[str | None] | None] = {
        field: None if name is None else [row[name] or None for row in rows]
        for field, name in found.items()
    }
    recordings = known["recordings"]
    files: list[Path | str | None] | None = None
    if recordings is not None:
        if known["ids"] is None and len(set(recordings)) == len(recordings):
            known["ids"] = recordings
        facts = [parse_name(Path(name)) if name else None for name in recordings]
        if known["sites"] is None:
            known["sites"] = _or_none([one.recorder if one else None for one in facts])
        if known["days"] is None:
            times = [one.start_time if one else None for one in facts]
            known["days"] = _or_none([t.date().isoformat() if t else None for t in times])
        root = Path(audio) if audio is not None else path.parent
        if audio is not None and not root.is_dir():
            raise FileError(root, "there is no such folder", "Check --audio")
        places = [root / name if name else None for name in recordings]
        there: list[Path | str | None] = [p if p and _is_file(p) else None for p in places]
        if any(place is not None for place in there):
            files = there
        elif audio is not None:
            raise FileError(
                root,
                f"holds none of the recordings that {path} lists, such as {recordings[0]}",
                "Check --audio, or leave it out to compare names only",
            )
    return SplitSide(files=files, **known)  # type: ignore[arg-type]


def with_fingerprints(side: SplitSide, *, workers: int = 1) -> tuple[SplitSide, list[str]]:
    """Return the side with the fingerprints of its files, and what could not be read.

    Each file is read once, however many items it has; a side without files stays as it is.
    """
    if side.files is None:
        return side, []
    paths = list(dict.fromkeys(str(file) for file in side.files if file is not None))
    prints, errors = fingerprint_files(paths, workers=workers)
    by_path: dict[str, Fingerprint | None] = dict(zip(paths, prints, strict=True))
    each = [None if file is None else by_path[str(file)] for file in side.files]
    return replace(side, fingerprints=each), [str(error) for error in errors]


def _read_table(path: Path) -> tuple[list[dict[str, str]], list[str]]:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except FileNotFoundError:
        raise FileError(path, "there is no such file or folder", "Check the path") from None
    except UnicodeDecodeError:
        raise FileError(path, "is not text in UTF-8", "Give a list or a table as text") from None
    except OSError as error:
        raise FileError(path, f"cannot be read ({error.strerror or error})") from None
    if path.suffix.lower() not in (".csv", ".tsv"):
        return [{"recording": line.strip()} for line in lines if line.strip()], ["recording"]
    delimiter = "\t" if path.suffix.lower() == ".tsv" else ","
    try:
        table = list(csv.reader(lines, delimiter=delimiter))
    except csv.Error as error:
        raise FileError(path, f"is no table ({error})", "Check its commas and quotes") from None
    if not table:
        return [], []
    columns = [name.strip().lower() for name in table[0]]
    doubled = sorted({name for name in columns if name and columns.count(name) > 1})
    if doubled:
        raise FileError(path, f"has two columns {doubled[0]!r}", "Rename one of them")
    rows = []
    for number, cells in enumerate(table[1:], start=2):
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(columns):
            raise FileError(
                path,
                f"row {number} has {len(cells)} cells where the header has {len(columns)}",
                "Check its commas and quotes",
            )
        rows.append({name: cell.strip() for name, cell in zip(columns, cells, strict=True)})
    return rows, columns


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        # A name that no file can have, such as one that is too long.
        return False


def _or_none(values: list[str | None]) -> list[str | None] | None:
    return values if any(value is not None for value in values) else None

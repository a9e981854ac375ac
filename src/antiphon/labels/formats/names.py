"""Names of label tables: which recording a table is about, and what to call the table of one."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

_TABLE_ENDINGS = re.compile(
    r"(\.table\.\d+)?\.selections\.txt$"
    r"|\.birdnet\.selection\.table\.txt$"
    r"|\.selection\.table\.txt$"
    r"|\.birdnet\.results\.(csv|txt)$"
    r"|\.antiphon\.txt$"
    r"|\.(txt|csv|tsv)$",
    re.IGNORECASE,
)


def recording_of(path: Path) -> str:
    """Return the recording that a table is named for.

    Raven's ``X.Table.1.selections.txt``, BirdNET's ``X.BirdNET.selection.table.txt``, and plain
    ``X.txt`` are all about ``X``.
    """
    return _TABLE_ENDINGS.sub("", path.name) or path.stem


def last_part(recording: str) -> str:
    """Return the file name of a recording that may be written as a path of any system."""
    return re.split(r"[/\\]", recording)[-1] or recording


def stem(recording: str) -> str:
    """Return the file name of a recording without its suffix."""
    return re.sub(r"(?<=.)\.[A-Za-z0-9]{1,5}$", "", last_part(recording))


def file_stems(recordings: Iterable[str]) -> dict[str, str]:
    """Choose a file name, without suffix, for the table of each recording.

    It is the recording's stem; where several share one (also when only the case differs, which
    some file systems do not see), their file names, else their whole paths with "_" between the
    parts.
    """
    names = list(dict.fromkeys(recordings))

    def whole(name: str) -> str:
        return re.sub(r"[/\\:]+", "_", name).strip("_").lstrip(".") or "_"

    chosen: dict[str, str] = {}
    waiting = names
    for part_of in (stem, last_part, str):
        # Short names of recordings that wait still count: none of them may take one of these.
        count = Counter(whole(part_of(name)).casefold() for name in waiting)
        taken = {text.casefold() for text in chosen.values()}
        for name in waiting:
            text = whole(part_of(name))
            if count[text.casefold()] == 1 and text.casefold() not in taken:
                chosen[name] = text
        waiting = [name for name in waiting if name not in chosen]
    taken = {text.casefold() for text in chosen.values()}
    for name in waiting:
        number = 2
        while f"{whole(name)}_{number}".casefold() in taken:
            number += 1
        chosen[name] = f"{whole(name)}_{number}"
        taken.add(chosen[name].casefold())
    return chosen

"""Sentences for people who need not know where files lie on the server."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path, PurePosixPath, PureWindowsPath

_PART = r"[^\s/\\'\"`:;,()<>|]+"
# Not after a letter, a dot, a colon or a slash: "and/or", "./x" and the address of a web page stay.
_PATH = re.compile(rf"(?<![\w.:/\\])(?:[A-Za-z]:|~)?[\\/](?:{_PART}[\\/]+)*({_PART})[\\/]?")
# Between quotes a name may hold spaces.
_QUOTED = re.compile(r"""(['"`])((?:[A-Za-z]:|~)?[\\/][^'"`\n]*)\1""")


def without_paths(text: str, known: Iterable[Path | str] = ()) -> str:
    """Return a sentence in which absolute paths are the names of their files alone.

    Parameters
    ----------
    known
        Files and folders that may be in it; their names may hold spaces.
    """
    for path in sorted({str(one) for one in known}, key=len, reverse=True):
        text = text.replace(path, _name(path))
    text = _QUOTED.sub(lambda found: f"{found[1]}{_name(found[2])}{found[1]}", text)
    return _PATH.sub(lambda found: found[1], text)


def _name(path: str) -> str:
    kind = PureWindowsPath if "\\" in path else PurePosixPath
    return kind(path).name or path

"""Find the audio file of a record among the files that are on disk."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

from antiphon.audio.recording import find_recordings


class AudioFiles:
    """Recordings under a folder, found by relative path, by file name or by stem.

    The folder is listed once, when the first name is asked for.

    Parameters
    ----------
    root
        The folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def find(self, names: Iterable[str]) -> tuple[str | None, str]:
        """Return the file that one of the names means, the first that is there.

        A relative path that is there wins over files that only share its name.

        Returns
        -------
        str or None, str
            The file's path, or what is wrong: none is there, or a name stands for several.
        """
        if not self._by_name:
            tried = ", ".join(names)
            return None, f"{tried} not found under {self.root}" if tried else ""
        tried_names = []
        for name in names:
            plain = name.replace("\\", "/")
            last = plain.rpartition("/")[2]
            found = self._by_name.get(last) or self._by_name.get(last.rpartition(".")[0] or last)
            tried_names.append(name)
            if found is None:
                continue
            if len(found) == 1:
                return found[0], ""
            exact = f"{self.root.as_posix()}/{plain}"
            if exact in found:
                return exact, ""
            return None, f"{last} is there {len(found)} times under {self.root}"
        tried = ", ".join(tried_names)
        return None, f"{tried} not found under {self.root}" if tried else ""

    @cached_property
    def _by_name(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for path in find_recordings(self.root) if self.root.is_dir() else ():
            where = path.as_posix()
            name = path.name
            found.setdefault(name, []).append(where)
            stem = name.rpartition(".")[0]
            if stem != name:
                found.setdefault(stem, []).append(where)
        return found

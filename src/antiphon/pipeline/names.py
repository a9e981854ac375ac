"""What a recording is called in tables and queues, and which recording such a name means."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable
from pathlib import PurePosixPath

import pyarrow as pa

from antiphon.errors import UserError
from antiphon.store.project import ProjectFolder


def recording_names(recordings: pa.Table) -> list[str]:
    """Return a name for each row of the catalogue's recordings that no other recording has.

    It is the path relative to the audio folder, led by the folder's name where several folders
    hold that path: recorders of one kind give their files the same names on every card.
    """
    roots = recordings.column("root").to_pylist()
    paths = recordings.column("path").to_pylist()
    homes: dict[str, set[str]] = {}
    for root, path in zip(roots, paths, strict=True):
        homes.setdefault(path, set()).add(root)
    return [
        f"{root}/{path}" if len(homes[path]) > 1 else path
        for root, path in zip(roots, paths, strict=True)
    ]


def flat_name(name: str) -> str:
    """Return a name as one part of a path, as the files of label tables are called."""
    return re.sub(r"[/\\:]+", "_", name).strip("_")


def track_names(recordings: pa.Table) -> dict[str, str]:
    """Return, by name, what the label track of a recording is called.

    A track says which recording it is about by its file name alone, so that is the flat name
    where another recording's file has the same stem.
    """
    names = recording_names(recordings)
    count = Counter(PurePosixPath(name).stem.lower() for name in names)
    return {
        name: flat_name(name) if count[PurePosixPath(name).stem.lower()] > 1 else name
        for name in names
    }


class RecordingNames:
    """Finds a recording by what a label table calls it.

    A name matches by its longest common tail of path parts: the full relative path first, then
    ``SITE/file.wav``, then ``file.wav``, then the stem. Where several audio folders hold the same
    relative path, the folder's name or place decides. ``SITE_file`` is understood as well, since
    tables of one recording are often called that. Letter case is ignored only when the exact
    case finds nothing.
    """

    def __init__(self, folder: ProjectFolder) -> None:
        rows = folder.catalogue.recordings()
        self._names: dict[str, list[int]] = {}
        self._low: dict[str, list[int]] = {}
        self._flat: dict[str, list[int]] = {}
        self._exact: dict[str, int] = {}
        self.duration: dict[int, float] = {}
        self.name: dict[int, str] = {}
        columns = (rows.column(c).to_pylist() for c in ("id", "root", "path", "duration_s"))
        for i, root, path, duration, name in zip(*columns, recording_names(rows), strict=True):
            self.duration[i] = duration or 0.0
            self.name[i] = name
            self._exact[name] = i
            keys = _tails(name)
            if name != path:
                keys += _tails(folder.recording_path(root, path).as_posix())
            for key in dict.fromkeys(keys):
                self._names.setdefault(key, []).append(i)
            for key in dict.fromkeys(key.lower() for key in keys):
                self._low.setdefault(key, []).append(i)
            if "/" in name:
                for key in _tails(flat_name(name).lower()):
                    self._flat.setdefault(key, []).append(i)

    def find(self, name: str) -> int | None:
        """Return the recording's id, or None if the project has none of that name.

        Raises
        ------
        UserError
            If two recordings answer to the name.
        """
        return self._find(name)[0]

    def find_all(self, names: Iterable[str], placed: Collection[str] = ()) -> dict[str, int | None]:
        """Return the id of each name's recording, or None if the project has none of that name.

        Parameters
        ----------
        names
            Of recordings.
        placed
            Those of them whose folder is that of their table. Where folders of tables are those of
            recordings, a name of another folder means a recording that is not there, and not
            one of the same file name elsewhere. Where they never are, as with a folder for each
            annotator, they say nothing.

        Raises
        ------
        UserError
            If two recordings answer to a name.
        """
        found = {name: self._find(name) for name in names}
        deepest: dict[int, int] = {}
        for name, (i, folders) in found.items():
            if name in placed and i is not None:
                deepest[i] = max(folders, deepest.get(i, 0))
        by_folder = any(deepest.values())

        def meant(name: str, i: int | None, folders: int) -> int | None:
            if i is None or name not in placed:
                return i
            elsewhere = by_folder and not folders and "/" in self.name[i]
            return None if elsewhere or folders < deepest[i] else i

        return {name: meant(name, *one) for name, one in found.items()}

    def _find(self, name: str) -> tuple[int | None, int]:
        """Return a recording's id and how many folders of the name fit its own."""
        if name in self._exact:
            return self._exact[name], name.count("/")
        wanted = _tails(name.replace("\\", "/"))
        low = [key.lower() for key in wanted]
        for names, keys in ((self._names, wanted), (self._low, low), (self._flat, low)):
            for key in keys:
                found = names.get(key, [])
                if len(found) == 1:
                    # A flat name holds all of the recording's folders.
                    whole = self.name[found[0]] if names is self._flat else key
                    return found[0], whole.count("/")
                if len(found) > 1:
                    some = ", ".join(self.name[i] for i in found[:3])
                    raise UserError(
                        f"The label table says {name!r}, and several recordings are called that "
                        f"({some}). Name them by a longer path in the table, or put the tables "
                        "into folders named as those of the recordings."
                    )
        return None, 0


def _tails(path: str) -> list[str]:
    """Return a path's tails, longest first, then the same without suffix."""
    parts = [part for part in PurePosixPath(path).parts if part not in ("/", ".", "..")]
    with_suffix = ["/".join(parts[i:]) for i in range(len(parts))]
    without = [str(PurePosixPath(tail).with_suffix("")) for tail in with_suffix if tail]
    return list(dict.fromkeys(with_suffix + without))

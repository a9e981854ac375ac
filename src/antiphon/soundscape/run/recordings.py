"""The recordings of a run: what is in the folder, and what can be read of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG

from antiphon.audio.recording import find_recordings, probe
from antiphon.errors import AntiphonError, FileError, UserError
from antiphon.evaluation.blending.files.rows import counted, file_stem, first_few
from antiphon.store.filenames import legible


@dataclass(frozen=True, slots=True)
class Recording:
    """One recording as the run found it.

    Parameters
    ----------
    path
        The file.
    stem
        Its name without folder and suffix, as in the names of rows.
    duration_s
        Seconds that can be read; 0 where nothing can.
    problem
        What is wrong with it, empty for a whole file.
    size, changed_ns
        Bytes and time of the last change, to know it again.
    """

    path: Path
    stem: str
    duration_s: float
    problem: str = ""
    size: int = 0
    changed_ns: int = 0

    @property
    def key(self) -> str:
        """What makes it the same recording when a run is resumed."""
        return f"{self.stem}|{self.size}|{self.changed_ns}"


def look_at(path: Path) -> Recording:
    """Return what is known of a file; one that cannot be read has no duration and a problem."""
    stem = legible(file_stem(path.name))
    if legible(str(path)) != str(path):
        # Neither decoders nor the submission can hold it.
        shown = Path(legible(str(path)))
        return Recording(shown, stem, 0.0, f"{shown}: its name is not UTF-8; rename it.")
    try:
        state = path.stat()
        size, changed = state.st_size, state.st_mtime_ns
    except OSError as error:
        return Recording(path, stem, 0.0, f"{path}: cannot be opened ({error.strerror}).")
    if not S_ISREG(state.st_mode):
        # To read a pipe may take for ever.
        return Recording(path, stem, 0.0, f"{path}: is no file.")
    try:
        info = probe(path)
    except AntiphonError as error:
        return Recording(path, stem, 0.0, str(error), size, changed)
    problem = "" if info.problem is None else f"{path}: {info.problem}."
    return Recording(path, stem, info.duration_s, problem, size, changed)


def recordings_in(directory: Path) -> dict[str, Recording]:
    """Return the recordings under a folder by stem, in the order of their paths.

    Raises
    ------
    FileError
        There is no such folder.
    UserError
        Two files have one stem, so that their rows would have one name.
    """
    if not directory.is_dir():
        raise FileError(directory, "there is no such folder", "Name the folder of recordings")
    found: dict[str, Recording] = {}
    clashes: list[str] = []
    for path in find_recordings(directory):
        stem = legible(file_stem(path.name))
        if stem in found:
            clashes.append(f"{found[stem].path} and {path}")
            continue
        found[stem] = look_at(path)
    if clashes:
        raise UserError(
            f"{counted(len(clashes), 'recordings')} with the name of another one, so that rows "
            f"would be doubled: {first_few(clashes)}. Rename them or leave one out."
        )
    return found


def problems_of(recordings: Mapping[str, Recording]) -> dict[str, str]:
    """Return the problem of each recording that has one, by stem."""
    return {stem: one.problem for stem, one in recordings.items() if one.problem}

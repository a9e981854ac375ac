"""Who may score what: a teacher never labels a recording or a site that it was trained on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from antiphon.audio.recording import content_key, find_recordings
from antiphon.errors import AudioError, FileError, FormatError, UserError
from antiphon.evaluation.blending.files.rows import counted, file_stem, first_few
from antiphon.evaluation.blending.files.sites import site_and_hour
from antiphon.labels.formats.table import csv_text, read_delimited, write_text
from antiphon.training.data.table import ClipTable
from antiphon.training.pseudo.config import PlacesConfig

_COLUMNS = ("recording", "site", "content")


@dataclass(frozen=True)
class Soundscape:
    """A recording to score.

    Parameters
    ----------
    path
        The file.
    name
        Its path relative to the folder, with forward slashes.
    site
        Where it was made, None where nobody says.
    """

    path: Path
    name: str
    site: str | None

    @property
    def stem(self) -> str:
        """Its file name without suffix."""
        return file_stem(self.name)

    @cached_property
    def content(self) -> str:
        """Identity of its content, the same under another name; empty if it cannot be read."""
        try:
            return content_key(self.path)
        except AudioError:
            return ""


@dataclass(frozen=True, slots=True)
class TrainedOn:
    """What a network was trained on.

    Parameters
    ----------
    files
        File stems.
    sites
        Of the recordings that have one.
    contents
        Identities of content, as far as known.
    """

    files: frozenset[str] = frozenset()
    sites: frozenset[str] = frozenset()
    contents: frozenset[str] = frozenset()

    def saw(self, recording: Soundscape) -> str:
        """Return what it saw of a recording, as part of a sentence; empty for nothing."""
        if recording.stem in self.files:
            return "the file"
        if self.contents and recording.content in self.contents:
            return "the same content under another name"
        if recording.site is not None and recording.site in self.sites:
            return f"its site {recording.site}"
        return ""


@dataclass(frozen=True, slots=True)
class Assignment:
    """Who scores each recording.

    Parameters
    ----------
    teachers
        For each recording the numbers of its teachers; none for one that is left out.
    refused
        Name of a teacher -> recordings that it saw, with what it saw.
    left_out
        Names of recordings without a teacher.
    """

    teachers: tuple[tuple[int, ...], ...]
    refused: dict[str, list[str]] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()


def list_soundscapes(folder: Path, places: PlacesConfig) -> list[Soundscape]:
    """List the recordings of a folder with their sites.

    Raises
    ------
    FileError
        The folder is missing or empty.
    UserError
        Two recordings have one stem, so that nobody could tell which of them was trained on.
    """
    found = find_recordings(folder)
    if not found:
        raise FileError(folder, "holds no recording", "Check the path")
    site = _site_finder(places)
    listed = [
        Soundscape(path, path.relative_to(folder).as_posix(), site(file_stem(path.name)))
        for path in found
    ]
    stems: dict[str, str] = {}
    for one in listed:
        if one.stem in stems:
            raise UserError(
                f"{folder}: {stems[one.stem]} and {one.name} have one name, by which recordings "
                "are told apart. Rename one of them."
            )
        stems[one.stem] = one.name
    return listed


def _site_finder(places: PlacesConfig) -> Callable[[str], str | None]:
    if places.sites is None:
        return lambda stem: site_and_hour(stem, places.site_pattern)[0]
    table = read_delimited(places.sites, frozenset(_COLUMNS).__contains__)
    columns = [table.find(name) for name in ("recording", "site")]
    if None in columns:
        raise table.error(f"a table of sites has recording and site; {table.listing()}")
    names, sites = (table.text(column) for column in columns)
    known = {file_stem(name): site or None for name, site in zip(names, sites, strict=True)}
    return known.get


def assign(
    recordings: Sequence[Soundscape],
    names: Sequence[str],
    trained_on: Sequence[TrainedOn],
    *,
    everyone: bool = False,
    leave_out: bool = False,
) -> Assignment:
    """Choose the teachers of each recording: all that saw neither it nor its site.

    Parameters
    ----------
    recordings
        What is to be scored.
    names, trained_on
        Of the teachers.
    everyone
        Whether all teachers are to score all recordings.
    leave_out
        Whether recordings without a teacher are left out.

    Raises
    ------
    UserError
        ``everyone``, and a teacher saw a recording; or a recording is left without a teacher. The
        message names both.
    """
    chosen: list[tuple[int, ...]] = []
    refused: dict[str, list[str]] = {}
    alone: list[tuple[str, str]] = []
    for recording in recordings:
        seen = [one.saw(recording) for one in trained_on]
        for name, what in zip(names, seen, strict=True):
            if what:
                refused.setdefault(name, []).append(f"{recording.name} ({what})")
        mine = tuple(i for i, what in enumerate(seen) if not what)
        chosen.append(mine)
        if not mine:
            told = ", ".join(f"{n} saw {what}" for n, what in zip(names, seen, strict=True))
            alone.append((recording.name, told))
    if everyone and refused:
        name, some = next(iter(refused.items()))
        raise UserError(
            f"Teacher {name!r} was trained on {counted(len(some), 'recordings')} that it is to "
            f"label: {first_few(some)}. Set scoring.teachers: out_of_fold, or take it out."
        )
    if alone and not leave_out:
        recording_name, told = alone[0]
        raise UserError(
            f"No teacher may label {counted(len(alone), 'recordings')}, such as "
            f"{recording_name}: {told}. Add a teacher that was trained without them, or set "
            "scoring.without_teacher: leave_out."
        )
    return Assignment(tuple(chosen), refused, tuple(name for name, _ in alone))


def trained_on_clips(table: ClipTable, places: PlacesConfig) -> list[tuple[str, str, str]]:
    """Return name, site and content of every recording that clips of a training side are from.

    Recordings in shards have no content of their own here; synthesised ones are left out.
    """
    site = _site_finder(places)
    rows = []
    for recording in np.unique(table.recording).tolist():
        if table.sources[int(table.recordings.source[recording])].kind == "repertoire":
            continue
        name = table.name(recording)
        content = ""
        if int(table.recordings.shard[recording]) < 0:
            content = Soundscape(Path(name), name, None).content
        stem = file_stem(name)
        rows.append((stem, site(stem) or "", content))
    return sorted(set(rows))


def write_trained_on(path: Path, rows: Iterable[tuple[str, str, str]]) -> Path:
    """Write what a network was trained on: recording, site and content.

    Raises
    ------
    FileError
        It cannot be written.
    """
    return write_text(path, csv_text(_COLUMNS, rows))


def read_trained_on(path: Path | None, places: PlacesConfig | None = None) -> TrainedOn:
    """Read what a network was trained on; None stands for none of what it is to label.

    Parameters
    ----------
    path
        The table.
    places
        How sites of recordings to label are found: those of the table's are found so as well, as
        it may have been written by other rules.

    Raises
    ------
    FormatError
        The file is missing, or names no recording.
    """
    if path is None:
        return TrainedOn()
    if not path.is_file():
        raise FormatError(
            path,
            "there is no such file, which says what a teacher was trained on",
            "Write one with the columns recording and site, or trained_on: null if it heard none "
            "of these recordings and sites",
        )
    table = read_delimited(path, frozenset(_COLUMNS).__contains__)
    column = table.find("recording")
    if column is None:
        raise table.error(f"no column 'recording'; {table.listing()}")
    # A folder that holds no site column says nothing of sites: better to have it said.
    if table.find("site") is None:
        raise table.error(
            f"no column 'site'; {table.listing()}", "Leave its cells empty where there is no site"
        )
    stems = frozenset(file_stem(cell) for cell in table.text(column) if cell.strip())
    if not stems:
        raise table.error("names no recording", "Give trained_on: null if there is none")
    sites, contents = (table.optional_text(table.find(name)) for name in ("site", "content"))
    told = _given(sites)
    if places is not None:
        find = _site_finder(places)
        told |= {site for site in map(find, stems) if site}
    return TrainedOn(stems, told, _given(contents))


def _given(cells: Iterable[str | None]) -> frozenset[str]:
    return frozenset(cell.strip() for cell in cells if cell and cell.strip())

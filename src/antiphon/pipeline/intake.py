"""From audio folders to catalogue rows: find, probe, name, place; only what is new is read."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from antiphon.audio.names import parse_name
from antiphon.audio.recording import content_key, find_recordings, probe
from antiphon.engine.progress import Reporter, Silent
from antiphon.errors import AudioError, FileError
from antiphon.pipeline.metadata import MetadataTable, read_metadata
from antiphon.store.config import FILE_NAME
from antiphon.store.project import ProjectFolder
from antiphon.store.recordings import RecordingEntry, SyncReport

_DATE_FOLDER = re.compile(r"^(19|20)\d{2}[-_.]?\d{2}([-_.]?\d{2})?$")
_DULL_FOLDERS = {"audio", "data", "wav", "wavs", "flac", "recordings", "sounds", "raw", "dcim"}


@dataclass(frozen=True, slots=True)
class IntakeReport:
    """What a scan of the audio folders found.

    Parameters
    ----------
    sync
        Recordings that are new, changed, as before, and missing.
    missing
        Paths of recordings that are in the catalogue and no longer on disk.
    unreadable, partial
        ``(path, reason)`` of files that cannot be read at all, or only up to a point.
    without_metadata, unused_metadata
        How many recordings no metadata row names (0 without a metadata table), and the rows
        that name no recording.
    absent
        Audio folders that are not there now; their recordings are left as they are.
    """

    sync: SyncReport
    missing: list[str]
    unreadable: list[tuple[str, str]]
    partial: list[tuple[str, str]]
    without_metadata: int
    unused_metadata: list[str]
    absent: list[str] = field(default_factory=list)


def scan(
    folder: ProjectFolder,
    *,
    roots: Sequence[str] | None = None,
    reporter: Reporter | None = None,
    workers: int = 4,
) -> IntakeReport:
    """Bring the catalogue up to date with the project's audio folders.

    A file whose size and modification time are those in the catalogue is not opened again.

    Parameters
    ----------
    roots
        Names of the audio folders to look at; all when None.

    Raises
    ------
    FileError
        If none of the audio folders is there.
    FormatError
        If a metadata table cannot be used.
    """
    reporter = reporter or Silent()
    tables = [read_metadata(folder.root / path) for path in folder.config.metadata]
    known = folder.catalogue.known_files()
    entries: list[RecordingEntry] = []
    without = 0
    scanned: list[str] = []
    absent: list[str] = []
    for root in folder.config.audio:
        if roots is not None and root.name not in roots:
            continue
        base = folder.audio_root(root.name)
        if not base.is_dir():
            absent.append(str(base))
            continue
        scanned.append(root.name)
        paths = find_recordings(base)
        reporter.start(f"Reading headers in {base}", len(paths), "files")

        def enter(
            path: Path, name: str = root.name, base: Path = base
        ) -> tuple[RecordingEntry, bool]:
            return _entry(name, base, path, known, tables)

        with ThreadPoolExecutor(workers) as pool:
            for entry, found in pool.map(enter, paths):
                entries.append(entry)
                without += bool(tables) and not found
                reporter.advance(1)
        reporter.finish()
    if absent and not scanned:
        raise FileError(
            absent[0],
            "this audio folder is not there",
            f"Connect its disk, or change its path in {folder.root / FILE_NAME}",
        )
    sync = folder.catalogue.sync_recordings(entries, roots=scanned)
    rows = folder.catalogue.recordings(all_states=True)
    path = dict(zip(rows.column("id").to_pylist(), rows.column("path").to_pylist(), strict=True))
    return IntakeReport(
        sync=sync,
        missing=[path[i] for i in sync.missing],
        unreadable=_with_status(entries, "unreadable"),
        partial=_with_status(entries, "partial"),
        without_metadata=without,
        unused_metadata=[name for table in tables for name in table.unused],
        absent=absent,
    )


def _with_status(entries: list[RecordingEntry], status: str) -> list[tuple[str, str]]:
    return [(e.path, e.problem or "") for e in entries if e.status == status]


def _entry(
    root: str,
    base: Path,
    path: Path,
    known: dict[tuple[str, str], RecordingEntry],
    tables: list[MetadataTable],
) -> tuple[RecordingEntry, bool]:
    """Describe one file, from the catalogue where it has not changed."""
    relative = PurePosixPath(path.relative_to(base).as_posix())
    try:
        stat = path.stat()
    except OSError as error:
        # A dangling link, or a file that was taken away since the folder was listed.
        lost = RecordingEntry(root, str(relative), "", 0, 0, status="unreadable")
        return _place(replace(lost, problem=error.strerror or str(error)), relative, tables)
    before = known.get((root, str(relative)))
    if before is not None and (before.size, before.mtime_ns) == (stat.st_size, stat.st_mtime_ns):
        entry = before
    else:
        entry = _read(root, relative, path, stat.st_size, stat.st_mtime_ns)
    return _place(_name(entry, relative, path), relative, tables)


def _name(entry: RecordingEntry, relative: PurePosixPath, path: Path) -> RecordingEntry:
    """Set what is not in the file's contents to what its name and folders say.

    What a metadata table said before and says no more is forgotten with that.
    """
    name = parse_name(path)
    return replace(
        entry,
        start_time=name.start_time,
        utc_offset_s=name.utc_offset_s,
        site=folder_site(relative) or name.recorder,
        latitude=None,
        longitude=None,
        licence=None,
        extra={},
    )


def _read(root: str, relative: PurePosixPath, path: Path, size: int, mtime: int) -> RecordingEntry:
    blank = RecordingEntry(
        root=root,
        path=str(relative),
        content_key=f"{size}-{mtime}",
        size=size,
        mtime_ns=mtime,
    )
    try:
        info = probe(path)
        blank = replace(blank, content_key=content_key(path))
    except (AudioError, OSError) as error:
        reason = error.problem if isinstance(error, AudioError) else str(error)
        return replace(blank, status="unreadable", problem=reason)
    except UnicodeEncodeError:
        return replace(blank, status="unreadable", problem="its name is not UTF-8; rename it")
    return replace(
        blank,
        container=info.container,
        sample_rate=info.sample_rate,
        channels=info.channels,
        frames=info.frames,
        status="partial" if info.problem else "ok",
        problem=info.problem,
    )


def folder_site(relative: PurePosixPath) -> str | None:
    """Return the first folder of a relative path that can be the name of a site.

    Folders that are dates or everyday names such as ``Data`` are passed over.
    """
    for part in relative.parts[:-1]:
        if not _DATE_FOLDER.match(part) and part.lower() not in _DULL_FOLDERS:
            return part
    return None


def _place(
    entry: RecordingEntry, relative: PurePosixPath, tables: list[MetadataTable]
) -> tuple[RecordingEntry, bool]:
    """Lay the metadata tables over an entry, later ones over earlier ones."""
    found = False
    pick: Callable[[object, object], object] = lambda new, old: old if new is None else new  # noqa: E731
    for table in tables:
        row = table.find(relative, entry.root)
        if row is None:
            continue
        found = True
        facts = {
            name: pick(getattr(row, name), getattr(entry, name))
            for name in ("site", "start_time", "latitude", "longitude", "licence")
        }
        entry = replace(entry, **facts, extra={**entry.extra, **row.extra})  # type: ignore[arg-type]
    return entry, found

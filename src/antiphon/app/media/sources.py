"""The file behind a recording's id: the catalogue alone decides which one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path, PurePosixPath

from sqlalchemy import select

from antiphon.audio.reader import ChannelMode
from antiphon.audio.recording import AudioInfo, content_key, probe
from antiphon.errors import AudioError, FileError, UserError
from antiphon.store.project import ProjectFolder
from antiphon.store.recordings import REPLACED
from antiphon.store.schema import Recording

MIX = -1
"""The channel that is the mean of all."""


class MediaError(UserError):
    """Something that cannot be shown or played.

    Parameters
    ----------
    message
        What is wrong and what to do, a sentence.
    status
        HTTP status that fits: 404 for what is not there, 422 for what cannot be used.
    """

    def __init__(self, message: str, status: int = 422) -> None:
        self.status = status
        super().__init__(message)

    def __reduce__(self) -> tuple[type[MediaError], tuple[str, int]]:
        """Keep the status when the error crosses a process boundary."""
        return (type(self), (str(self), self.status))


@dataclass(frozen=True, slots=True)
class Source:
    """A recording that can be read.

    Parameters
    ----------
    id
        In the catalogue.
    name
        What people know it by: its path within the audio folder.
    content_key
        Identity of its contents.
    info
        Facts of the file; ``info.path`` never leaves the server.
    start_time
        By the recorder's clock, None where unknown.
    """

    id: int
    name: str
    content_key: str
    info: AudioInfo
    start_time: datetime | None

    def mode(self, channel: int) -> ChannelMode:
        """Return how the reader calls a channel.

        Raises
        ------
        MediaError
            If the recording has no such channel.
        """
        if channel >= self.info.channels:
            raise MediaError(
                f"{self.name} has {self.info.channels} channel(s), counted from 0, so there is "
                f"no channel {channel}."
            )
        return "mix" if channel == MIX else channel

    def clip(self, start_s: float, end_s: float) -> tuple[float, float]:
        """Return the part of a span that lies within the recording.

        Raises
        ------
        MediaError
            If no part does.
        """
        held = self.info.duration_s
        if not start_s < end_s:
            raise MediaError(f"The span {start_s:g} to {end_s:g} s must end after its start.")
        if start_s >= held:
            raise MediaError(
                f"The span {start_s:g} to {end_s:g} s lies outside {self.name}, which holds "
                f"{held:.3f} s.",
                404,
            )
        return max(0.0, start_s), min(end_s, held)

    def fault(self, error: FileError) -> MediaError:
        """Return an error of the reader as people may see it: without the server's paths."""
        advice = f" {error.advice}." if error.advice else ""
        return MediaError(f"{self.name}: {error.problem}.{advice}")


def find_source(folder: ProjectFolder, recording: int) -> Source:
    """Return the recording with an id.

    Raises
    ------
    MediaError
        404 if there is no such recording or its file is gone, 422 if it cannot be read or is
        not the file that was scanned.
    """
    query = select(
        Recording.root,
        Recording.path,
        Recording.content_key,
        Recording.size,
        Recording.mtime_ns,
        Recording.start_time,
        Recording.status,
    ).where(Recording.id == recording)
    # Ids are 64 bits in every database.
    row = None
    if 0 < recording < 2**63:
        with folder.catalogue.database.read() as connection:
            row = connection.execute(query).one_or_none()
    if row is None:
        raise MediaError(f"There is no recording {recording} in this project.", 404)
    name = PurePosixPath(row.path).name
    if row.status == REPLACED:
        raise MediaError(
            f"Recording {recording} ({name}) was replaced by a file with other contents; it "
            "can no longer be shown.",
            404,
        )
    path = folder.recording_path(row.root, row.path)
    try:
        state = path.stat()
    except OSError as error:
        reason = "is not there" if isinstance(error, FileNotFoundError) else "cannot be opened"
        raise MediaError(
            f"The file of recording {recording} ({name}) {reason}. Is its disk connected?", 404
        ) from error
    if (state.st_size, state.st_mtime_ns) != (row.size, row.mtime_ns) and row.content_key != _key(
        path, state.st_size, state.st_mtime_ns
    ):
        raise MediaError(
            f"The file of recording {recording} ({name}) has changed since it was scanned. Scan "
            "the project again, so that labels belong to what is heard."
        )
    try:
        info = probe(path)
    except AudioError as error:
        raise MediaError(f"{name}: {error.problem}. {error.advice}.") from error
    return Source(recording, row.path, row.content_key, info, row.start_time)


@lru_cache(maxsize=1024)
def _key(path: Path, size: int, changed_ns: int) -> str:
    """Return a file's content key, read once for each state of the file."""
    try:
        return content_key(path)
    except AudioError:
        return ""

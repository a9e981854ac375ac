"""Decoders behind one small protocol: libsndfile for most formats, PyAV for M4A."""

from __future__ import annotations

import io
import os
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

import numpy as np
import numpy.typing as npt
import soundfile

from antiphon.audio import mp3, ogg, riff
from antiphon.errors import AudioError

Float32 = npt.NDArray[np.float32]

UNKNOWN_FRAMES = 2**62
"""Frame counts above this mean that the header does not say how long the recording is."""

_SKIP_BLOCK = 1 << 16

_BUILDING_ON = frozenset({"VORBIS", "OPUS", "MPEG_LAYER_III", "MPEG_LAYER_II", "MPEG_LAYER_I"})
# Samples; the bit reservoir of MP3 reaches back ten frames, and Opus converges in 80 ms.
_PREROLL = 1 << 14


class Decoder(Protocol):
    """An open recording.

    Attributes
    ----------
    container, subtype
        Such as ``WAV`` and ``PCM_16``.
    sample_rate
        Hz.
    channels
        Number of channels.
    frames
        Samples per channel by the header, which may promise more than the file holds.
    """

    container: str
    subtype: str
    sample_rate: int
    channels: int
    frames: int

    def read(self, n: int) -> Float32:
        """Return the next ``(up to n, channels)`` samples; fewer only at the end."""
        ...

    def seek(self, frame: int) -> None:
        """Go to a sample. Only allowed before the first read; open anew to seek again."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class DecodeError(Exception):
    """A decoder gave up; the reader turns it into an :class:`AudioError` with the time."""


def open_decoder(path: Path) -> Decoder:
    """Open a recording by its content; the suffix does not matter.

    Raises
    ------
    AudioError
        The file is missing, empty, or no decoder knows it.
    MissingExtraError
        An M4A file, and PyAV is not installed.
    """
    try:
        with path.open("rb") as file:
            head = file.read(12)
    except FileNotFoundError:
        raise AudioError(path, "there is no such file", "Check the path") from None
    except IsADirectoryError:
        raise AudioError(path, "is a folder, not a recording", "Name a file in it") from None
    except OSError as error:
        raise AudioError(
            path, f"cannot be opened ({error.strerror or error})", "Check its permissions and disk"
        ) from None
    if not head:
        raise AudioError(path, "is empty (0 bytes)", "Copy it again from the recorder's card")
    if head[4:8] == b"ftyp":
        from antiphon.audio.m4a import AVDecoder

        return AVDecoder(path)
    return SoundFileDecoder(path)


class _SoundFile(soundfile.SoundFile):  # type: ignore[misc]
    """A file that soundfile takes for a pipe, so that it does not seek after every read.

    That seek restarts the decoder: MP3 of variable bit rate comes out wrong after it.
    """

    def seekable(self) -> bool:
        return False


class SoundFileDecoder:
    """libsndfile through python-soundfile, with what it gets wrong put right.

    A WAV file whose data size was never written, and an MP3 file that does not state its length,
    are read to their ends. Lossy formats are decoded from some way before the sample that is
    sought, because their blocks build on the ones before; and Ogg Vorbis is never sought in its
    last page, where libsndfile 1.2 lands on wrong samples.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._patched = _patched(path)
        source: Any = path if self._patched is None else self._patched
        try:
            self._file = _SoundFile(source)
        except soundfile.LibsndfileError as error:
            raise AudioError(
                path,
                f"is not a recording that can be read ({_reason(error)})",
                "Leave it out, or convert it to WAV or FLAC",
            ) from None
        self.container: str = self._file.format
        self.subtype: str = self._file.subtype
        self.sample_rate: int = self._file.samplerate
        self.channels: int = self._file.channels
        self.frames: int = self._file.frames

    def read(self, n: int) -> Float32:
        """Return the next ``(up to n, channels)`` samples."""
        try:
            block: Float32 = self._file.read(n, dtype="float32", always_2d=True)
        except soundfile.LibsndfileError as error:
            raise DecodeError(_reason(error)) from None
        return block

    def seek(self, frame: int) -> None:
        """Go to sample ``frame``."""
        target = frame
        if self.subtype in _BUILDING_ON:
            target = max(0, frame - _PREROLL)
        if self.subtype == "VORBIS":
            target = min(target, ogg.read_tail(self.path).safe_seek)
        try:
            self._file.seek(target)
        except soundfile.LibsndfileError as error:
            raise DecodeError(_reason(error)) from None
        while target < frame:
            got = len(self.read(min(_SKIP_BLOCK, frame - target)))
            if got == 0:
                raise DecodeError("it ends before that")
            target += got

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()
        if self._patched is not None:
            self._patched.close()


def _reason(error: soundfile.LibsndfileError) -> str:
    text = str(error.error_string).strip().rstrip(".")
    return text or "unknown format or damaged data"


def _patched(path: Path) -> _Patched | None:
    """Show a file whose header misleads libsndfile as one that does not; None for the others."""
    chunks = riff.read_chunks(path)
    if chunks is not None:
        if chunks.form == "WAV" and chunks.size_is_zero:
            return _Patched(path, chunks.size_offset, b"\xff\xff\xff\xff", drop=4)
        return None
    missing = mp3.missing_length(path)
    return None if missing is None else _Patched(path, missing.offset, missing.tag, drop=0)


class _Patched(io.RawIOBase):
    """A file with some bytes put in place of ``drop`` bytes at ``offset``, without a copy."""

    def __init__(self, path: Path, offset: int, patch: bytes, drop: int) -> None:
        self._file = path.open("rb")
        self._patch = patch
        self._start, self._end = offset, offset + len(patch)
        self._shift = len(patch) - drop
        self._size = os.fstat(self._file.fileno()).st_size + self._shift
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        done = 0
        while done < len(view):
            got = self._read_part(view[done:])
            if got == 0:
                break
            self._at += got
            done += got
        return done

    def _read_part(self, view: memoryview) -> int:
        """Read from before, within or after the patch, not across."""
        if self._start <= self._at < self._end:
            part = self._patch[self._at - self._start :][: len(view)]
            view[: len(part)] = part
            return len(part)
        before = self._at < self._start
        self._file.seek(self._at if before else self._at - self._shift)
        return self._file.readinto(view[: self._start - self._at] if before else view)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        origin = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        self._at = max(0, origin + offset)
        return self._at

    def tell(self) -> int:
        return self._at

    def close(self) -> None:
        self._file.close()
        super().close()

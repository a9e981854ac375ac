"""What a recording is, where recordings are, and whether a file holds all that it promises."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from antiphon.audio import flac, mp3, ogg, riff
from antiphon.audio.decoders import UNKNOWN_FRAMES, DecodeError, Decoder, open_decoder
from antiphon.errors import AudioError, FileError

AUDIO_SUFFIXES = frozenset(
    {".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".aifc", ".m4a"}
)
"""Lower-case suffixes of files that :func:`find_recordings` takes for recordings."""

MIN_RATE = 1_000
MAX_RATE = 1_000_000

_KEY_BYTES = 64 * 1024
_PROOF_FRAMES = 4096
_COUNT_BLOCK = 1 << 18


@dataclass(frozen=True, slots=True)
class AudioInfo:
    """The facts of one recording.

    Parameters
    ----------
    path
        The file.
    container, subtype
        Such as ``WAV`` and ``PCM_16``, by content and not by suffix.
    sample_rate
        Hz.
    channels
        Number of channels.
    frames
        Samples per channel that can really be read.
    problem
        None, or what is wrong with a file that can still be read in part.
    """

    path: Path
    container: str
    subtype: str
    sample_rate: int
    channels: int
    frames: int
    problem: str | None = None

    @property
    def duration_s(self) -> float:
        """Seconds that can be read."""
        return self.frames / self.sample_rate


def probe(path: Path | str) -> AudioInfo:
    """Return the facts of a recording and check that it is whole.

    The cost is a few reads at both ends of the file, whatever its length. Only a file that
    turns out to be cut short may be decoded once, to find where it ends; the answer is kept for
    as long as the file does not change.

    Raises
    ------
    AudioError
        The file is missing, empty, not audio, holds no samples, or has a sample rate outside
        1 kHz to 1 MHz.
    MissingExtraError
        It is an M4A file, and PyAV is not installed.
    """
    path = Path(path)
    try:
        state = path.stat()
    except FileNotFoundError:
        raise AudioError(path, "there is no such file", "Check the path") from None
    except OSError as error:
        raise AudioError(
            path, f"cannot be opened ({error.strerror or error})", "Check its permissions and disk"
        ) from None
    return _probe(path, state.st_size, state.st_mtime_ns)


@lru_cache(maxsize=4096)
def _probe(path: Path, size: int, changed_ns: int) -> AudioInfo:
    with open_decoder(path) as decoder:
        rate = decoder.sample_rate
        if not MIN_RATE <= rate <= MAX_RATE:
            raise AudioError(
                path,
                f"its header gives a sample rate of {rate} Hz, outside 1 kHz to 1 MHz",
                "The header is probably damaged: copy the file again or leave it out",
            )
        frames, problem = _check(path, decoder)
        if frames == 0:
            raise AudioError(
                path,
                "holds no audio" + (f" ({problem})" if problem else " (0 samples)"),
                "Leave it out, or copy it again from the recorder's card",
            )
        return AudioInfo(
            path, decoder.container, decoder.subtype, rate, decoder.channels, frames, problem
        )


def _check(path: Path, decoder: Decoder) -> tuple[int, str | None]:
    """Return the readable frames and the problem, by container."""
    if decoder.container in ("WAV", "WAVEX", "RF64", "AIFF"):
        return decoder.frames, _chunk_problem(path, decoder)
    if decoder.container == "OGG":
        if ogg.read_tail(path).ended:
            return decoder.frames, None
        held = decoder.frames / decoder.sample_rate
        return decoder.frames, f"cut short: the Ogg stream stops without its end after {held:.1f} s"
    frames, problem = _check_end(path, decoder)
    if problem is None and decoder.container == "MP3":
        missing = mp3.missing_length(path)
        if missing is not None and not missing.whole:
            problem = f"cut short: the last MP3 frame, after {_s(frames, decoder)}, is incomplete"
    return frames, problem


def _chunk_problem(path: Path, decoder: Decoder) -> str | None:
    chunks = riff.read_chunks(path)
    if chunks is None:
        return None
    held = decoder.frames / decoder.sample_rate
    if chunks.promised is None:
        return (
            "the header was never completed (no data size), as when a recorder loses power; "
            f"the file holds {held:.1f} s"
        )
    if chunks.promised > chunks.held:
        if not chunks.bytes_per_second:
            return f"cut short: {chunks.promised - chunks.held} bytes are missing"
        promised = chunks.promised / chunks.bytes_per_second
        return _cut_short(promised, held)
    if chunks.stray:
        return (
            f"the file holds {chunks.stray} bytes more than its header says; "
            f"only the {held:.1f} s of the header are read"
        )
    return None


def _check_end(path: Path, decoder: Decoder) -> tuple[int, str | None]:
    """Prove by reading the last samples that a compressed file is whole."""
    promised = decoder.frames
    if 0 <= promised < UNKNOWN_FRAMES and _can_read(path, promised):
        return promised, None
    held = _readable_frames(path, decoder)
    if promised >= UNKNOWN_FRAMES:
        return held, f"the header does not say how long it is; the file holds {_s(held, decoder)}"
    if held >= promised:
        return promised, None
    return held, _cut_short(
        promised / decoder.sample_rate, held / decoder.sample_rate, "cut short or damaged"
    )


def _cut_short(promised_s: float, held_s: float, what: str = "cut short") -> str:
    digits = 1 if promised_s - held_s >= 0.1 else 4
    return (
        f"{what}: the header promises {promised_s:.{digits}f} s, "
        f"the file holds {held_s:.{digits}f} s"
    )


def _s(frames: int, decoder: Decoder) -> str:
    return f"{frames / decoder.sample_rate:.1f} s"


def _can_read(path: Path, frames: int) -> bool:
    """Whether the samples just before ``frames`` can be decoded."""
    count = min(_PROOF_FRAMES, frames)
    if count <= 0:
        return False
    try:
        with open_decoder(path) as decoder:
            decoder.seek(frames - count)
            return len(decoder.read(count)) == count
    except DecodeError:
        return False


def _readable_frames(path: Path, decoder: Decoder) -> int:
    if decoder.container == "FLAC":
        start = flac.last_frame_start(path)
        if start is not None and _can_read(path, start):
            # The last frame may be whole, as in a stream without a stated length.
            return start + _count(path, start)
    return _count(path, 0)


def _count(path: Path, start: int) -> int:
    """Count what can be decoded from sample ``start`` on."""
    total = 0
    block = _COUNT_BLOCK
    while block:
        # A failed read loses its block and the handle, so go on with smaller steps from there.
        try:
            with open_decoder(path) as decoder:
                decoder.seek(start + total)
                while got := len(decoder.read(block)):
                    total += got
            return total
        except DecodeError:
            block = block // 8 if block > 1 else 0
    return total


def find_recordings(root: Path | str) -> list[Path]:
    """List the recordings under a folder, sorted.

    Suffixes are compared without case. Hidden files and folders are skipped, and so are the
    ``._`` companions that macOS leaves on memory cards; a folder that is a link is not followed.

    Parameters
    ----------
    root
        A folder, or one recording.

    Raises
    ------
    FileError
        There is no such folder, or it cannot be listed.
    """
    root = Path(root)
    if root.is_file():
        return [root]
    if not root.is_dir():
        raise FileError(root, "there is no such folder", "Check the path")
    found: list[Path] = []

    def refuse(error: OSError) -> None:
        raise FileError(
            error.filename or root, f"cannot be listed ({error.strerror})", "Check its permissions"
        )

    for folder, subfolders, names in os.walk(root, onerror=refuse):
        subfolders[:] = [name for name in subfolders if not name.startswith(".")]
        found.extend(
            Path(folder, name)
            for name in names
            if not name.startswith(".") and Path(name).suffix.lower() in AUDIO_SUFFIXES
        )
    return sorted(found)


def content_key(path: Path | str) -> str:
    """Return a cheap identity of a file's content: ``<bytes>-<BLAKE2b, 32 hex digits>``.

    The hash runs over the size and 64 KiB each from the start, the middle and the end, so that
    it costs the same for a day of sound as for a second, and survives renaming and moving.

    Raises
    ------
    AudioError
        The file cannot be read.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            digest = hashlib.blake2b(str(size).encode(), digest_size=16)
            for at in (0, max(0, size // 2 - _KEY_BYTES // 2), max(0, size - _KEY_BYTES)):
                file.seek(at)
                digest.update(file.read(_KEY_BYTES))
    except OSError as error:
        raise AudioError(path, f"cannot be read ({error.strerror or error})", "") from None
    return f"{size}-{digest.hexdigest()}"

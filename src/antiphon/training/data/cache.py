"""Decoded recordings kept on disk by their content, so that a crop is read and not decoded."""

from __future__ import annotations

import errno
import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from antiphon.audio.reader import read_span
from antiphon.audio.recording import content_key
from antiphon.errors import DiskFullError, FileError
from antiphon.replacing import replacing

Float32 = npt.NDArray[np.float32]

# Changes when the same file would give other samples than an older version wrote.
_VERSION = 1
_SCALE = 32767.0


class AudioCache:
    """A folder of ``.npy`` files, one for each recording and sample rate.

    The name follows from the content of the recording, the rate and the data type; so a renamed
    recording is found again, a changed one is decoded anew, and any number of processes share the
    folder: each writes a file of its own and moves it into place whole.

    Parameters
    ----------
    folder
        Made where it is missing.
    sample_rate
        Hz of what is kept.
    dtype
        ``int16`` clips at full scale; ``float16`` does not.

    Raises
    ------
    FileError
        The folder cannot be made.
    """

    def __init__(self, folder: Path, sample_rate: int, dtype: Literal["int16", "float16"]) -> None:
        self._folder = Path(folder).expanduser()
        self._rate = sample_rate
        self._dtype = np.dtype(dtype)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise FileError(self._folder, f"cannot be made ({error.strerror or error})") from error

    def place(self, path: Path) -> Path:
        """Return where a recording is kept, whether it is there or not.

        Raises
        ------
        AudioError
            The recording cannot be read.
        """
        state = path.stat() if path.exists() else None
        key = content_key(path) if state is None else _key(path, state.st_size, state.st_mtime_ns)
        text = f"{key} {self._rate} mix {self._dtype.name} {_VERSION}"
        name = hashlib.blake2b(text.encode(), digest_size=20).hexdigest()
        return self._folder / name[:2] / f"{name}.npy"

    def read(self, path: Path, start: int, stop: int) -> Float32:
        """Return samples ``[start, stop)`` of a recording at the cache's rate, float32 ``(n,)``.

        Raises
        ------
        AudioError
            The recording cannot be decoded.
        DiskFullError, FileError
            The cache cannot be written.
        """
        place = self.place(path)
        kept = _load(place)
        if kept is None:
            audio = read_span(path, sample_rate=self._rate)[0]
            self._write(place, audio)
            kept = self._pack(audio)
        part: Float32 = np.asarray(kept[start:stop]).astype(np.float32)
        if self._dtype == np.int16:
            part /= np.float32(_SCALE)
        return part

    def _pack(self, audio: Float32) -> npt.NDArray[Any]:
        if self._dtype == np.int16:
            whole: npt.NDArray[Any] = np.rint(np.clip(audio, -1.0, 1.0) * _SCALE)
            return whole.astype(np.int16)
        return audio.astype(np.float16)

    def _write(self, place: Path, audio: Float32) -> None:
        try:
            with replacing(place) as part, part.open("wb") as file:
                np.save(file, self._pack(audio), allow_pickle=False)
        except OSError as error:
            if error.errno == errno.ENOSPC:
                raise DiskFullError(
                    f"{self._folder}: no space is left for decoded audio. Make room, or train "
                    "without a cache."
                ) from error
            raise FileError(
                self._folder,
                f"decoded audio cannot be written ({error.strerror or error})",
                "Check its permissions, or train without a cache",
            ) from error


@lru_cache(maxsize=4096)
def _key(path: Path, size: int, changed_ns: int) -> str:
    return content_key(path)


def _load(place: Path) -> npt.NDArray[Any] | None:
    """Return what is kept without reading all of it, or None; a damaged file counts as none."""
    try:
        kept: npt.NDArray[Any] = np.load(place, mmap_mode="r", allow_pickle=False)
    except (FileNotFoundError, ValueError, EOFError):
        return None
    return kept if kept.ndim == 1 else None

"""M4A (AAC or ALAC in an MP4 container) through PyAV, which is optional."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from antiphon.audio.decoders import DecodeError
from antiphon.errors import AudioError, MissingExtraError

Float32 = npt.NDArray[np.float32]

# AAC blocks overlap, so decoding starts this long before the sample that is wanted.
_PREROLL_S = 0.5


class AVDecoder:
    """An M4A file as a :class:`~antiphon.audio.decoders.Decoder`.

    Raises
    ------
    MissingExtraError
        PyAV is not installed.
    AudioError
        The container cannot be read, or holds no audio.
    """

    def __init__(self, path: Path) -> None:
        self._av = _import_av()
        self.path = path
        try:
            self._container = self._av.open(str(path))
        except (self._av.error.FFmpegError, OSError) as error:
            raise AudioError(
                path,
                f"is not an M4A recording that can be read ({error.__class__.__name__})",
                "An M4A file that was cut short has lost its index: copy it again",
            ) from None
        if not self._container.streams.audio:
            self._container.close()
            raise AudioError(path, "holds no audio", "Leave it out")
        self._stream = self._container.streams.audio[0]
        context = self._stream.codec_context
        self.container = "M4A"
        self.subtype = str(context.name).upper()
        self.sample_rate = int(context.sample_rate)
        self.channels = int(context.channels)
        length = self._stream.duration
        seconds = 0.0 if length is None else float(length * self._stream.time_base)
        self.frames = round(seconds * self.sample_rate)
        self._origin = self._stream.start_time or 0
        self._blocks = self._decode()
        self._rest: Float32 = np.empty((0, self.channels), np.float32)

    def _decode(self, start: int = 0) -> Iterator[Float32]:
        """Yield blocks ``(n, channels)`` from sample ``start`` on."""
        resampler = self._av.AudioResampler(format="fltp")
        position: int | None = None
        try:
            for frame in self._container.decode(self._stream):
                for part in resampler.resample(frame):
                    block = np.asarray(part.to_ndarray(), np.float32).T
                    if position is None:
                        position = self._index(frame)
                    drop = max(0, start - position)
                    position += len(block)
                    if drop < len(block):
                        yield block[drop:]
        except self._av.error.FFmpegError as error:
            raise DecodeError(error.__class__.__name__) from None

    def _index(self, frame: Any) -> int:
        """Return the sample number of the first sample of ``frame``."""
        if frame.pts is None:
            return 0
        offset = (frame.pts - self._origin) * frame.time_base
        return max(0, round(float(offset) * self.sample_rate))

    def read(self, n: int) -> Float32:
        """Return the next ``(up to n, channels)`` samples."""
        parts = [self._rest]
        have = len(self._rest)
        while have < n:
            block = next(self._blocks, None)
            if block is None:
                break
            parts.append(block)
            have += len(block)
        joined = np.concatenate(parts)
        self._rest = joined[n:]
        return np.ascontiguousarray(joined[:n])

    def seek(self, frame: int) -> None:
        """Go to sample ``frame``."""
        seconds = max(0.0, frame / self.sample_rate - _PREROLL_S)
        try:
            if seconds > 0:
                offset = self._origin + int(seconds / self._stream.time_base)
                self._container.seek(offset, stream=self._stream, backward=True)
        except self._av.error.FFmpegError as error:
            raise DecodeError(error.__class__.__name__) from None
        self._blocks = self._decode(frame)
        self._rest = self._rest[:0]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._container.close()


def _import_av() -> ModuleType:
    try:
        import av
    except ImportError:
        raise MissingExtraError("m4a", "read M4A recordings") from None
    module: ModuleType = av
    return module

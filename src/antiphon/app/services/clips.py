"""Clips that somebody searches by: embedded once, and held for a while."""

from __future__ import annotations

import secrets
import tempfile
import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from antiphon.app.context import AppContext
from antiphon.audio.recording import probe
from antiphon.encoders.base import Encoder
from antiphon.errors import FileError, UserError
from antiphon.pipeline.encoder import encoder_of
from antiphon.pipeline.examples import embed_query
from antiphon.store.vectors import VectorTable

LONGEST_S = 120.0
"""Seconds of a clip that a search can be made by."""

_HELD = 64
# Decoded values of all channels: a file of silence packs any number of them into a few bytes.
_LARGEST = 100_000_000


class LostClipError(UserError):
    """A clip that is no longer held, or never was."""


@dataclass(frozen=True, slots=True)
class Clip:
    """A clip that was embedded.

    Parameters
    ----------
    id
        Its name here.
    vectors
        ``(q, dim)`` embeddings of its windows that hold sound.
    duration_s, sample_rate
        Of the whole file.
    """

    id: str
    table: str
    vectors: npt.NDArray[np.float32]
    duration_s: float
    sample_rate: int


class Clips:
    """The clips of one running app, and the encoder that embeds them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._encoding = threading.Lock()
        self._clips: OrderedDict[str, Clip] = OrderedDict()
        self._encoder: tuple[str, Encoder] | None = None

    def add(self, table: VectorTable, content: bytes, span: tuple[float, float] | None) -> Clip:
        """Embed the bytes of an audio file; nothing of it stays on the disk.

        Parameters
        ----------
        span
            Seconds of it that count; all when None.

        Raises
        ------
        UserError
            If it cannot be decoded, or is too long.
        """
        with tempfile.TemporaryDirectory(prefix="antiphon-clip-") as folder:
            path = Path(folder) / "clip"
            path.write_bytes(content)
            try:
                info = probe(path)
                first, last = span or (0.0, info.duration_s)
                if first >= info.duration_s:
                    raise UserError(
                        f"The span begins at {first:g} s; the clip ends at {info.duration_s:.1f} s."
                    )
                length = min(last, info.duration_s) - first
                if length > LONGEST_S:
                    raise UserError(
                        f"The clip is {length:.0f} s long; mark at most {LONGEST_S:.0f} s of it."
                    )
                if length * info.sample_rate * info.channels > _LARGEST:
                    raise UserError(
                        f"The clip has {info.channels} channels at {info.sample_rate:,} Hz; mark "
                        "a shorter span of it."
                    )
                with self._encoding:
                    vectors = embed_query(self._encoder_of(table), path, span)
            except FileError as error:
                # Its path is the server's own and says nothing to the person.
                raise UserError(f"The clip cannot be used: it {_fact(error.problem)}.") from None
        name = secrets.token_urlsafe(16)
        clip = Clip(name, table.name, vectors, info.duration_s, info.sample_rate)
        with self._lock:
            self._clips[name] = clip
            while len(self._clips) > _HELD:
                self._clips.popitem(last=False)
        return clip

    def get(self, name: str, table: VectorTable) -> Clip:
        """Return a clip that was embedded for a table.

        Raises
        ------
        LostClipError
            If it is not held any more, or the embeddings are others by now.
        """
        with self._lock:
            clip = self._clips.get(name)
            if clip is not None:
                self._clips.move_to_end(name)
        if clip is None or clip.table != table.name:
            raise LostClipError("The clip is not held any more; send it again.")
        return clip

    def _encoder_of(self, table: VectorTable) -> Encoder:
        if self._encoder is None or self._encoder[0] != table.name:
            self._encoder = (table.name, encoder_of(table))
        return self._encoder[1]


def _fact(problem: str) -> str:
    """Return a problem as it reads after "it"."""
    return problem if problem.startswith(("is ", "holds ", "has ", "ends ")) else f"({problem})"


def clips_of(context: AppContext) -> Clips:
    """Return the clips of a running app, the same ones every time."""
    return context.service(Clips, Clips)

"""Examples to search by: a clip that is embedded, or windows whose embeddings are there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from antiphon.audio.reader import read_span
from antiphon.audio.recording import probe
from antiphon.encoders.base import Encoder
from antiphon.errors import AudioError, UserError
from antiphon.pipeline.windows import WindowSet

Float32 = npt.NDArray[np.float32]

# Power of a query's window, relative to its loudest, below which it is background.
_QUIET = 1e-3


def embed_query(encoder: Encoder, path: Path, at: tuple[float, float] | None) -> Float32:
    """Embed a query clip: ``(n_windows, dim)``, near-silent windows left out.

    A clip shorter than a window is one padded window. A longer one is cut into windows, of which
    those less than half full and those 30 dB below the loudest are no example of the sound.
    """
    info = probe(path)
    first, last = at if at is not None else (0.0, info.duration_s)
    if not 0 <= first < last:
        raise UserError(f"--at {first:g}-{last:g} is not a span of seconds.")
    if first >= info.duration_s:
        raise AudioError(
            path, f"--at begins at {first:g} s, the file ends at {info.duration_s:g} s"
        )
    spec = encoder.spec
    audio = read_span(path, first, min(last, info.duration_s), sample_rate=spec.sample_rate)[0]
    size = spec.window_samples
    count = max(1, -(-len(audio) // size))
    padded = np.zeros((count, size), np.float32)
    padded.reshape(-1)[: len(audio)] = audio
    valid = np.minimum(size, len(audio) - size * np.arange(count, dtype=np.int64))
    power = (padded.astype(np.float64) ** 2).sum(axis=1) / valid
    keep = (valid >= size // 2) & (power > _QUIET * power.max())
    if not keep.any():
        keep[np.argmax(power)] = True
    padded, valid = padded[keep], valid[keep]
    return encoder.encode(encoder.prepare(padded, valid)).embeddings


def stored_query(
    windows: WindowSet, recording_id: int, channel: int, start_s: float, end_s: float
) -> Float32:
    """Return the embeddings of windows that are in the table, to search for more like them.

    Those are the windows of which at least half lies in the span, or which hold at least half of
    it; the one that shares most with it where there is none.

    Returns
    -------
    ndarray
        ``(q, dim)`` float32.

    Raises
    ------
    UserError
        If no window of that channel of the recording overlaps the span.
    """
    mine = np.flatnonzero(windows.recording_id == recording_id)
    same = mine[windows.channel[mine] == channel]
    # A table of the mix has no single channels, and the other way round.
    mine = same if len(same) else mine
    first, last = windows.start_s[mine], windows.end_s[mine]
    shared = np.minimum(last, end_s) - np.maximum(first, start_s)
    if not (shared > 0).any():
        raise UserError(
            f"Recording {recording_id} has no embedded window from {start_s:g} s to {end_s:g} s."
        )
    share = shared / np.minimum(last - first, max(end_s - start_s, 1e-9))
    exact = (np.abs(first - start_s) < 1e-6) & (np.abs(last - end_s) < 1e-6)
    chosen = exact if exact.any() else share >= min(0.5, float(share.max()))
    return windows.vectors(mine[chosen])

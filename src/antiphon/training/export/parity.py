"""What an exported encoder gives, held against the model it came from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from antiphon.encoders.base import Encoded, Encoder, Float32
from antiphon.engine.progress import Reporter
from antiphon.errors import ModelError
from antiphon.training.export.config import Bounds
from antiphon.training.export.graph import FRAMES, open_session
from antiphon.training.export.windows import AudioWindows
from antiphon.training.model import EncoderModel

Float64 = npt.NDArray[np.float64]

_BATCH = 8
_NAMED = 3


@dataclass(frozen=True, slots=True)
class Parity:
    """How far embeddings and scores are from the model's.

    Parameters
    ----------
    windows, padded
        Number of windows, and how many of them end in padding.
    mean, max
        Cosine distance of embeddings over all windows; infinite where one is not finite.
    max_padded
        Of the padded windows only, 0 where there are none.
    max_score, max_frame
        Largest difference of a class score, of the window and of a frame; None for a model that
        gives none.
    worst
        Names and distances of the worst windows, the worst first.
    """

    windows: int
    padded: int
    mean: float
    max: float
    max_padded: float
    max_score: float | None
    worst: tuple[tuple[str, float], ...]
    max_frame: float | None = None

    def exceeded(self, bounds: Bounds) -> list[str]:
        """Return what is beyond the bounds, as sentences without a full stop."""
        found = []
        for name in ("mean", "max"):
            value, bound = getattr(self, name), getattr(bounds, name)
            if bound is not None and not value <= bound:
                found.append(f"the {name} cosine distance is {value:.3g}, above {bound:g}")
        for what, score in (("class score", self.max_score), ("score of a frame", self.max_frame)):
            if score is None:
                continue
            if not np.isfinite(score):
                found.append(f"a {what} is not finite")
            elif bounds.score is not None and score > bounds.score:
                found.append(f"a {what} differs by {score:.3g}, above {bounds.score:g}")
        return found

    def to_json(self) -> dict[str, Any]:
        """Return plain values for ``export.json``."""
        return {
            "windows": self.windows,
            "padded": self.padded,
            "mean_cosine_distance": _plain(self.mean),
            "max_cosine_distance": _plain(self.max),
            "max_cosine_distance_padded": _plain(self.max_padded),
            "max_score_difference": None if self.max_score is None else _plain(self.max_score),
            **({} if self.max_frame is None else {"max_frame_difference": _plain(self.max_frame)}),
            "worst": [{"window": name, "cosine_distance": _plain(d)} for name, d in self.worst],
        }


class Outputs(NamedTuple):
    """What a network gives for ``n`` windows.

    Parameters
    ----------
    embeddings
        ``(n, D)`` float32.
    scores
        ``(n, C)`` float32 in [0, 1], or None.
    frames
        ``(n, T, C)`` float32 in [0, 1], or None.
    """

    embeddings: Float32
    scores: Float32 | None = None
    frames: Float32 | None = None


def reference_outputs(model: EncoderModel, windows: AudioWindows) -> Outputs:
    """Return what the model in torch gives for windows, as an encoder would.

    Raises
    ------
    ModelError
        It gives something that is not a number.
    """
    embeddings, scores, frames = [], [], []
    model.eval()
    with torch.inference_mode():
        for begin in range(0, len(windows), _BATCH):
            rows = slice(begin, begin + _BATCH)
            out = model(
                torch.from_numpy(windows.audio[rows]), torch.from_numpy(windows.valid[rows])
            )
            embeddings.append(out.embedding.float().numpy())
            if out.logits is not None:
                scores.append(model.scores(out.logits.float()).numpy())
            if out.sed is not None:
                frames.append(out.sed.frame_probabilities().numpy())
    found = np.concatenate(embeddings)
    broken = np.flatnonzero(~np.isfinite(found).all(axis=1))
    if len(broken):
        raise ModelError(
            "the model",
            f"gives values that are not finite for {windows.names[broken[0]]}",
            "Train it again; nothing can be held against this",
        )
    return Outputs(found, _joined(scores), _joined(frames))


def encoder_outputs(
    encoder: Encoder, windows: AudioWindows, reporter: Reporter, graph: bytes | None = None
) -> Outputs:
    """Return what an encoder gives for windows.

    Parameters
    ----------
    encoder
        As a user opens it.
    windows
        What it hears.
    reporter
        Hears of the progress.
    graph
        Its ONNX file, if frames are wanted, which encoders keep to themselves.
    """
    embeddings, scores, frames = [], [], []
    session = None if graph is None else open_session(graph)
    for begin in range(0, len(windows), _BATCH):
        rows = slice(begin, begin + _BATCH)
        prepared = encoder.prepare(windows.audio[rows], windows.valid[rows])
        out = encoder.encode(prepared)
        embeddings.append(out.embeddings)
        if out.scores is not None:
            scores.append(out.scores)
        if session is not None:
            fed = (prepared.tensor, windows.valid[rows])
            names = (node.name for node in session.get_inputs())
            frames.append(session.run([FRAMES], dict(zip(names, fed, strict=True)))[0])
        reporter.advance(len(out.embeddings))
    return Outputs(np.concatenate(embeddings), _joined(scores), _joined(frames))


def _joined(parts: list[Float32]) -> Float32 | None:
    return np.concatenate(parts) if parts else None


def compare_outputs(
    reference: Encoded | Outputs, found: Encoded | Outputs, windows: AudioWindows
) -> Parity:
    """Hold outputs for the same windows against each other."""
    distance = cosine_distance(reference.embeddings, found.embeddings)
    order = np.argsort(-distance, kind="stable")[:_NAMED]
    padded = distance[windows.padded]
    score = _largest(reference.scores, found.scores)
    frame = None
    if isinstance(reference, Outputs) and isinstance(found, Outputs):
        frame = _largest(reference.frames, found.frames)
    return Parity(
        windows=len(windows),
        padded=len(padded),
        mean=float(distance.mean()),
        max=float(distance.max()),
        max_padded=float(padded.max()) if len(padded) else 0.0,
        max_score=score,
        worst=tuple((windows.names[i], float(distance[i])) for i in order),
        max_frame=frame,
    )


def _largest(reference: Float32 | None, found: Float32 | None) -> float | None:
    """Return the largest difference, infinite where one is not finite."""
    if reference is None or found is None:
        return None
    difference = np.abs(reference.astype(np.float64) - found)
    return float(np.where(np.isfinite(difference), difference, np.inf).max())


def cosine_distance(a: npt.ArrayLike, b: npt.ArrayLike) -> Float64:
    """One minus the cosine between rows of ``(n, D)`` and ``(n, D)``, in float64.

    Two rows of zeros are equal (0), one of zeros is as far as can be told (1), and one that is
    not finite is infinitely far.

    Returns
    -------
    numpy.ndarray
        ``(n,)`` in [0, 2], or infinite.
    """
    x, y = np.asarray(a, np.float64), np.asarray(b, np.float64)
    finite = np.asarray(np.isfinite(x).all(axis=1) & np.isfinite(y).all(axis=1))
    x, y = np.where(finite[:, None], x, 0.0), np.where(finite[:, None], y, 0.0)
    norms = np.linalg.norm(x, axis=1), np.linalg.norm(y, axis=1)
    both = (norms[0] > 0) & (norms[1] > 0)
    # Half the squared distance of the unit vectors: exact where they nearly agree.
    unit_x = x / np.where(norms[0] > 0, norms[0], 1.0)[:, None]
    unit_y = y / np.where(norms[1] > 0, norms[1], 1.0)[:, None]
    distance = 0.5 * np.square(unit_x - unit_y).sum(axis=1)
    distance = np.where(both, distance, np.where((norms[0] > 0) | (norms[1] > 0), 1.0, 0.0))
    return np.where(finite, distance, np.inf)


def _plain(value: float) -> float | None:
    return float(f"{value:.6g}") if np.isfinite(value) else None

"""What an exported encoder gives, held against the model it came from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from antiphon.encoders.base import Encoded, Encoder
from antiphon.engine.progress import Reporter
from antiphon.errors import ModelError
from antiphon.training.export.config import Bounds
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
    max_score
        Largest difference of a class score; None for a model without a head.
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

    def exceeded(self, bounds: Bounds) -> list[str]:
        """Return what is beyond the bounds, as sentences without a full stop."""
        found = []
        for name in ("mean", "max"):
            value, bound = getattr(self, name), getattr(bounds, name)
            if bound is not None and not value <= bound:
                found.append(f"the {name} cosine distance is {value:.3g}, above {bound:g}")
        if self.max_score is not None and not np.isfinite(self.max_score):
            found.append("a class score is not finite")
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
            "worst": [{"window": name, "cosine_distance": _plain(d)} for name, d in self.worst],
        }


def reference_outputs(model: EncoderModel, windows: AudioWindows) -> Encoded:
    """Return what the model in torch gives for windows, as an encoder would.

    Raises
    ------
    ModelError
        It gives something that is not a number.
    """
    embeddings, scores = [], []
    model.eval()
    with torch.inference_mode():
        for begin in range(0, len(windows), _BATCH):
            rows = slice(begin, begin + _BATCH)
            out = model(
                torch.from_numpy(windows.audio[rows]), torch.from_numpy(windows.valid[rows])
            )
            embeddings.append(out.embedding.float().numpy())
            if out.logits is not None:
                scores.append(out.logits.float().sigmoid().numpy())
    found = np.concatenate(embeddings)
    broken = np.flatnonzero(~np.isfinite(found).all(axis=1))
    if len(broken):
        raise ModelError(
            "the model",
            f"gives values that are not finite for {windows.names[broken[0]]}",
            "Train it again; nothing can be held against this",
        )
    return Encoded(found, np.concatenate(scores) if scores else None)


def encoder_outputs(encoder: Encoder, windows: AudioWindows, reporter: Reporter) -> Encoded:
    """Return what an encoder gives for windows."""
    embeddings, scores = [], []
    for begin in range(0, len(windows), _BATCH):
        rows = slice(begin, begin + _BATCH)
        out = encoder.encode(encoder.prepare(windows.audio[rows], windows.valid[rows]))
        embeddings.append(out.embeddings)
        if out.scores is not None:
            scores.append(out.scores)
        reporter.advance(len(out.embeddings))
    return Encoded(np.concatenate(embeddings), np.concatenate(scores) if scores else None)


def compare_outputs(reference: Encoded, found: Encoded, windows: AudioWindows) -> Parity:
    """Hold outputs for the same windows against each other."""
    distance = cosine_distance(reference.embeddings, found.embeddings)
    order = np.argsort(-distance, kind="stable")[:_NAMED]
    padded = distance[windows.padded]
    score = None
    if reference.scores is not None and found.scores is not None:
        difference = np.abs(reference.scores.astype(np.float64) - found.scores)
        score = float(np.where(np.isfinite(difference), difference, np.inf).max())
    return Parity(
        windows=len(windows),
        padded=len(padded),
        mean=float(distance.mean()),
        max=float(distance.max()),
        max_padded=float(padded.max()) if len(padded) else 0.0,
        max_score=score,
        worst=tuple((windows.names[i], float(distance[i])) for i in order),
    )


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

"""The protocol of encoders: an audio window in, one embedding (and perhaps class scores) out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Float32 = npt.NDArray[np.float32]
Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class EncoderSpec:
    """What an encoder is, in full: two encoders with equal specs give equal embeddings.

    Parameters
    ----------
    name
        Short name, as in ``spectral`` or ``yamnet``.
    sample_rate
        Hz that the encoder wants.
    window_s, hop_s
        Length of a window and default step between windows, in seconds.
    dim
        Length of an embedding.
    labels
        Class names of the scores, empty for an encoder without scores.
    parameters
        Everything else that changes the result: front end, tensors, SHA-256 of the model file,
        seed of a projection. Plain JSON values.
    """

    name: str
    sample_rate: int
    window_s: float
    hop_s: float
    dim: int
    labels: tuple[str, ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)

    @property
    def window_samples(self) -> int:
        """Samples in a window at :attr:`sample_rate`."""
        return round(self.window_s * self.sample_rate)

    def to_json(self) -> dict[str, Any]:
        """Return the spec as plain JSON values, keys sorted when dumped by the caller."""
        return {
            "name": self.name,
            "sample_rate": self.sample_rate,
            "window_s": self.window_s,
            "hop_s": self.hop_s,
            "dim": self.dim,
            "labels": list(self.labels),
            "parameters": dict(self.parameters),
        }

    @property
    def fingerprint(self) -> str:
        """SHA-256 (hex) over the canonical JSON of the spec without ``hop_s``.

        The hop says where windows lie, not what an embedding is, so it is no part of it.
        """
        facts = {k: v for k, v in self.to_json().items() if k != "hop_s"}
        text = json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Encoded:
    """Output for ``n`` windows.

    Parameters
    ----------
    embeddings
        ``(n, dim)`` float32.
    scores
        ``(n, n_labels)`` float32 in [0, 1], or None for an encoder without class scores.
    """

    embeddings: Float32
    scores: Float32 | None = None


class Encoder(Protocol):
    """What every encoder offers. The result for a window never depends on its batch."""

    @property
    def spec(self) -> EncoderSpec:
        """The facts that identify the encoder."""
        ...

    def prepare(self, audio: Float32, valid: Int64) -> Any:
        """Run the front end; called from several threads at once.

        Parameters
        ----------
        audio
            ``(n, window_samples)`` float32 in [-1, 1] at ``spec.sample_rate``, zero-padded.
        valid
            ``(n,)`` samples of each window that hold audio; the rest is padding, to be masked
            wherever the encoder pools.

        Returns
        -------
        Any
            What :meth:`encode` takes for these windows.
        """
        ...

    def encode(self, features: Any) -> Encoded:
        """Turn the front end's output into embeddings; called from one thread at a time."""
        ...

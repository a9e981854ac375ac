"""What every member of an ensemble offers: contexts of audio in, class probabilities out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Float32 = npt.NDArray[np.float32]
Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a front end made of ``n`` contexts.

    Members of equal :attr:`Member.front_end_key` take each other's, so that it is computed once.

    Parameters
    ----------
    features
        Of the front end; for a network an :class:`antiphon.encoders.front_end.Prepared`.
    valid
        ``(n,)`` int64: samples of each context that are audio; the rest is padding.
    """

    features: Any
    valid: Int64

    def __len__(self) -> int:
        return len(self.valid)


@dataclass(frozen=True, slots=True)
class MemberScores:
    """Class probabilities of ``n`` contexts; at least one of the two is there.

    Parameters
    ----------
    clip
        ``(n, C)`` float32 in [0, 1] for the context as a whole, or None.
    frames
        ``(n, T, C)`` float32 in [0, 1], or None. Frame ``t`` of ``T`` covers the seconds
        ``[t * context_s / T, (t + 1) * context_s / T)`` of its context.
    """

    clip: Float32 | None
    frames: Float32 | None

    def __post_init__(self) -> None:
        if self.clip is None and self.frames is None:
            raise ValueError("scores need a clip or frames")

    def __len__(self) -> int:
        given = self.clip if self.clip is not None else self.frames
        assert given is not None
        return len(given)


class Member(Protocol):
    """One scorer. What it says of a context never depends on the contexts beside it.

    :meth:`prepare` and :meth:`score` may be called from several threads at once; each call uses
    the thread that makes it and no other.
    """

    @property
    def name(self) -> str:
        """Its name in the ensemble."""
        ...

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the ``C`` columns of its scores."""
        ...

    @property
    def sample_rate(self) -> int:
        """Hz of the audio that it takes."""
        ...

    @property
    def context_s(self) -> float:
        """Seconds that it hears at once."""
        ...

    @property
    def front_end_key(self) -> str:
        """Equal for members that can share what :meth:`prepare` returns."""
        ...

    def prepare(self, audio: Float32, valid: Int64) -> Prepared:
        """Run the front end.

        Parameters
        ----------
        audio
            ``(n, round(context_s * sample_rate))`` float32 in [-1, 1], zero-padded.
        valid
            ``(n,)`` samples of each context that are audio, at least 1.
        """
        ...

    def score(self, prepared: Prepared) -> MemberScores:
        """Return the probabilities of the contexts."""
        ...

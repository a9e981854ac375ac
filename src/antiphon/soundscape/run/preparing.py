"""From a piece of a recording to what members score: read once, each context prepared once."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from antiphon.audio.reader import read_span
from antiphon.audio.recording import probe
from antiphon.audio.resample import output_length
from antiphon.engine.local import describe
from antiphon.soundscape.members.contexts import cut_contexts
from antiphon.soundscape.members.member import Member, Prepared
from antiphon.soundscape.run.activity import ActivityBoard
from antiphon.soundscape.run.hearing import Hearing, hearing
from antiphon.soundscape.run.job import MemberSpec
from antiphon.soundscape.run.rows import Piece
from antiphon.soundscape.run.timings import Timings

Float32 = npt.NDArray[np.float32]
Int64 = npt.NDArray[np.int64]

CHUNK = 16
"""Contexts prepared and scored at once, at most."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A member that is loaded.

    Parameters
    ----------
    number
        In the job.
    spec, member
        Its settings, and itself.
    """

    number: int
    spec: MemberSpec
    member: Member

    @property
    def group(self) -> str:
        """Equal for members that hear the same contexts through the same front end."""
        return f"{self.member.sample_rate}|{self.member.context_s}|{self.member.front_end_key}"


@dataclass(frozen=True, slots=True, eq=False)
class Chunk:
    """Some contexts, prepared for the members that want just these.

    Parameters
    ----------
    starts
        ``(m,)`` first samples.
    members
        Numbers of the members.
    prepared
        What they take; None if the front end failed.
    failure
        Why it failed, else empty.
    """

    starts: Int64
    members: tuple[int, ...]
    prepared: Prepared | None
    failure: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class PreparedPiece:
    """A piece, ready to be scored.

    Parameters
    ----------
    number
        Of the piece in the job.
    hearings
        What each member hears, by its number.
    thinning
        Every how many contexts that is, by the member's number.
    chunks
        The contexts.
    """

    number: int
    hearings: Mapping[int, Hearing]
    thinning: Mapping[int, int]
    chunks: tuple[Chunk, ...]

    def of(self, member: int) -> tuple[list[Chunk], list[int]]:
        """Return a member's chunks, and the place of each of their contexts in its plan."""
        chunks = [chunk for chunk in self.chunks if member in chunk.members]
        starts = [start for chunk in chunks for start in chunk.starts.tolist()]
        return chunks, np.searchsorted(self.hearings[member].plan.starts, starts).tolist()


class Preparer:
    """Reads and prepares pieces; safe from several threads.

    Parameters
    ----------
    window_s
        Seconds of a window.
    board, timings
        Told what is being done, and what it took.
    """

    def __init__(self, window_s: float, board: ActivityBoard, timings: Timings) -> None:
        self._window_s, self._board, self._timings = window_s, board, timings

    def prepare(
        self, number: int, piece: Piece, wanted: Mapping[int, tuple[Loaded, int]]
    ) -> PreparedPiece:
        """Read a piece and prepare it for some members.

        Parameters
        ----------
        number, piece
            The piece, and its number in the job.
        wanted
            Members and their thinning, by number.

        Raises
        ------
        AudioError
            The recording cannot be read.
        """
        hearings = self._hearings(piece, wanted)
        groups: dict[str, list[Loaded]] = {}
        for one, _ in wanted.values():
            groups.setdefault(one.group, []).append(one)
        rates: dict[int, list[Hearing]] = {}
        for k, (one, _) in wanted.items():
            rates.setdefault(one.member.sample_rate, []).append(hearings[k])
        audio = {rate: self._read(number, piece, some, rate) for rate, some in rates.items()}
        chunks = [
            self._chunk(number, members[0], starts, some, audio[members[0].member.sample_rate])
            for members in groups.values()
            for starts, some in _shared(members, hearings)
        ]
        thinning = {k: every for k, (_, every) in wanted.items()}
        return PreparedPiece(number, hearings, thinning, tuple(chunks))

    def _hearings(
        self, piece: Piece, wanted: Mapping[int, tuple[Loaded, int]]
    ) -> dict[int, Hearing]:
        info = probe(piece.recording.path)
        found = {}
        for k, (one, thinning) in wanted.items():
            samples = output_length(info.frames, info.sample_rate, one.member.sample_rate)
            found[k] = hearing(
                one.member, one.spec, piece.start_s, self._window_s, max(1, samples), thinning
            )
        return found

    def _read(self, number: int, piece: Piece, hearings: list[Hearing], rate: int) -> _Audio:
        """Return the samples that the hearings need, as a mean of channels."""
        plans = [one.plan for one in hearings if len(one.plan)]
        if not plans:
            return _Audio(0, np.zeros(0, np.float32))
        first = int(min(plan.starts[0] for plan in plans))
        last = int(max(plan.starts[-1] + plan.context_samples for plan in plans))
        end = None if last >= plans[0].n_samples else last / rate
        begin = time.perf_counter()
        with self._board.at("reading", piece=number):
            samples = read_span(piece.recording.path, first / rate, end, sample_rate=rate)[0]
        self._timings.add(("read", rate), len(piece), time.perf_counter() - begin)
        return _Audio(first, samples)

    def _chunk(
        self, number: int, one: Loaded, starts: Int64, members: tuple[int, ...], audio: _Audio
    ) -> Chunk:
        length = round(one.member.context_s * one.member.sample_rate)
        # Both ends of what was read are rounded, so the last context may lack its last sample.
        inside = np.minimum(starts - audio.first, max(0, len(audio.samples) - 1))
        begin = time.perf_counter()
        try:
            with self._board.at("preparing", one.number, number):
                prepared = one.member.prepare(*cut_contexts(audio.samples, inside, length))
        # Whatever a front end throws is told of the members that wanted it.
        except Exception as error:
            return Chunk(starts, members, None, describe(error))
        self._timings.add(("prepare", one.group), len(starts), time.perf_counter() - begin)
        return Chunk(starts, members, prepared)


@dataclass(frozen=True, slots=True, eq=False)
class _Audio:
    first: int
    samples: Float32


def _shared(
    members: list[Loaded], hearings: Mapping[int, Hearing]
) -> list[tuple[Int64, tuple[int, ...]]]:
    """Return the contexts of members of one group, by who wants them, in chunks."""
    asked: dict[int, list[int]] = {}
    for one in members:
        for start in hearings[one.number].plan.starts.tolist():
            asked.setdefault(start, []).append(one.number)
    by_members: dict[tuple[int, ...], list[int]] = {}
    for start, some in sorted(asked.items()):
        by_members.setdefault(tuple(some), []).append(start)
    return [
        (np.array(starts[i : i + CHUNK], np.int64), some)
        for some, starts in by_members.items()
        for i in range(0, len(starts), CHUNK)
    ]

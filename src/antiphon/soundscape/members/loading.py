"""From the settings of a member to the member."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from antiphon.errors import UserError
from antiphon.soundscape.members.member import Float32, Member
from antiphon.soundscape.members.overlap import Use, clip_share
from antiphon.soundscape.members.timing import Precision, RuntimeChoice, TimingReport


class MemberConfig(Protocol):
    """What loading asks of a member's settings: a network (``model``), or an encoder and a head."""

    @property
    def name(self) -> str:
        """Its name in the ensemble."""
        ...

    @property
    def model(self) -> Path | None:
        """Manifest of a network with scores."""
        ...

    @property
    def encoder(self) -> str | None:
        """Name or manifest of an encoder."""
        ...

    @property
    def head(self) -> Path | None:
        """File of the head on its embeddings."""
        ...

    @property
    def scores(self) -> Use:
        """Which scores are used."""
        ...

    @property
    def runtime(self) -> RuntimeChoice:
        """What runs the network."""
        ...

    @property
    def precision(self) -> Precision:
        """Of its numbers."""
        ...


class LoadedMember(Member, Protocol):
    """A member with the facts of its runtime."""

    @property
    def report(self) -> TimingReport | None:
        """How the runtime was chosen; None for an encoder that is no network."""
        ...

    @property
    def gives_clips(self) -> bool:
        """Whether there are scores of the context as a whole."""
        ...

    @property
    def gives_frames(self) -> bool:
        """Whether there are scores over time."""
        ...

    def warm(self, threads: int) -> None:
        """Make ready for so many threads at once."""
        ...


def load_member(
    config: MemberConfig, *, threads: int = 1, sounds: Float32 | None = None
) -> LoadedMember:
    """Load a member, choose its runtime and check that the two fit together.

    Parameters
    ----------
    config
        Its settings.
    threads
        That will call :meth:`~antiphon.soundscape.members.member.Member.score` at once.
    sounds
        ``(n, samples)`` contexts to compare and time runtimes on; made up when not given.

    Raises
    ------
    FileError
        A file is missing or faulty, or the network disagrees between runtimes.
    UserError
        Settings that do not go together, or scores asked for that the network does not give.
    MissingExtraError
        A runtime or an encoder needs a package that is not installed.
    """
    # Runtimes cost time to import.
    from antiphon.soundscape.members.branch import open_branch
    from antiphon.soundscape.members.network_member import open_network_member

    member: LoadedMember
    if config.model is not None:
        member = open_network_member(
            config.name, config.model, config.runtime, config.precision, sounds
        )
    elif config.encoder is not None and config.head is not None:
        member = open_branch(
            config.name, config.encoder, config.head, config.runtime, config.precision, sounds
        )
    else:
        raise UserError(f"Member {config.name!r} needs either a model, or an encoder and a head.")
    try:
        clip_share(config.scores, member.gives_clips, member.gives_frames)
    except UserError as error:
        raise UserError(f"Member {config.name!r}: {error}") from error
    member.warm(threads)
    return member

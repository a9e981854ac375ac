"""A member that is an encoder with a saved head on its embeddings."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np

from antiphon.encoders.base import Encoder
from antiphon.encoders.front_end import NetworkFrontEnd
from antiphon.encoders.network import NetworkEncoder
from antiphon.encoders.presets import PRESETS, SpectralParameters
from antiphon.encoders.registry import create_encoder
from antiphon.soundscape.members.choosing import WantedOutput, choose_runtime
from antiphon.soundscape.members.front_ends import network_key
from antiphon.soundscape.members.head_file import SavedHead, load_head
from antiphon.soundscape.members.member import Float32, Int64, MemberScores, Prepared
from antiphon.soundscape.members.timing import Precision, RuntimeChoice, TimingReport


class BranchMember:
    """Score contexts with a head on the embeddings of an encoder.

    The scores are the calibrated probabilities of the head. Encoders that are networks run window
    by window on any number of threads; others are asked by one thread at a time.

    Parameters
    ----------
    name
        In the ensemble.
    encoder
        Any encoder.
    head
        Trained on its embeddings.
    runtime, precision
        For encoders that are networks; as
        :func:`antiphon.soundscape.members.choosing.choose_runtime`.
    sounds
        ``(n, samples)`` windows to compare and time runtimes on; made up when not given.

    Raises
    ------
    UserError
        The head was trained on another encoder.
    ModelError
        The runtime asked for cannot run the encoder.
    MissingExtraError
        OpenVINO is asked for and not installed.
    """

    report: TimingReport | None
    """How the runtime was chosen; None for an encoder that is no network."""

    def __init__(
        self,
        name: str,
        encoder: Encoder,
        head: SavedHead,
        runtime: RuntimeChoice = "auto",
        precision: Precision = "f32",
        sounds: Float32 | None = None,
    ) -> None:
        spec = encoder.spec
        head.check_encoder(spec)
        self.name, self.classes = name, head.labels
        self.sample_rate, self.context_s = spec.sample_rate, spec.window_s
        self._head = head
        self._turn: threading.Lock | None = None
        self.report, self._session = None, None
        if isinstance(encoder, NetworkEncoder):
            self.front_end_key = network_key(encoder.manifest)
            wanted = [_embedding(encoder)]
            self._session, self.report = choose_runtime(
                encoder.manifest,
                encoder.path,
                wanted,
                runtime,
                precision,
                front_end=NetworkFrontEnd(encoder.manifest),
                sounds=sounds,
            )
            encoder = encoder.embedding_with(self._session)
        else:
            self.front_end_key = f"encoder:{spec.fingerprint[:16]}"
            self._turn = threading.Lock()
        self._encoder = encoder

    gives_frames, gives_clips = False, True

    def prepare(self, audio: Float32, valid: Int64) -> Prepared:
        """Run the encoder's front end; see :class:`antiphon.soundscape.members.member.Member`."""
        valid = np.asarray(valid, np.int64)
        return Prepared(self._encoder.prepare(audio, valid), valid)

    def score(self, prepared: Prepared) -> MemberScores:
        """Embed and ask the head; see :class:`antiphon.soundscape.members.member.Member`.

        Raises
        ------
        UserError
            An embedding is not finite.
        """
        if self._turn is None:
            embeddings = self._encoder.encode(prepared.features).embeddings
        else:
            with self._turn:
                embeddings = self._encoder.encode(prepared.features).embeddings
        # Row by row: matrix products of other heights may differ in the last bit.
        rows = [self._head.probabilities(row[None]) for row in embeddings]
        clip = np.concatenate(rows) if rows else np.zeros((0, len(self.classes)), np.float32)
        return MemberScores(clip, None)

    def warm(self, threads: int) -> None:
        """Make ready for so many threads at once."""
        if self._session is not None:
            self._session.warm(threads)


def open_branch(
    name: str,
    encoder: str,
    head: Path,
    runtime: RuntimeChoice = "auto",
    precision: Precision = "f32",
    sounds: Float32 | None = None,
) -> BranchMember:
    """Open an encoder and a saved head as a member.

    Parameters
    ----------
    encoder
        A name of :func:`antiphon.encoders.registry.list_encoders`, or the path of a manifest.
    head
        The file of a detector or of a bare head; see
        :func:`antiphon.soundscape.members.head_file.load_head`.
    name, runtime, precision, sounds
        As :class:`BranchMember`.

    Raises
    ------
    ModelError
        The head is missing or corrupt, or as :class:`BranchMember`.
    UserError
        There is no such encoder, or the head is of another one.
    """
    saved = load_head(head)
    made = create_encoder(encoder, **_parameters(encoder, saved))
    return BranchMember(name, made, saved, runtime, precision, sounds)


def _embedding(encoder: NetworkEncoder) -> WantedOutput:
    output = encoder.manifest.output
    assert output is not None
    columns = output.layout.index("D") if output.pool == "mean" else -1
    return WantedOutput(output.embedding, "embedding", columns=columns)


def _parameters(encoder: str, head: SavedHead) -> dict[str, Any]:
    """Return the parameters of an encoder: for built-in ones those the head was trained with."""
    if encoder not in PRESETS:
        return {} if encoder.startswith("avex:") else {"threads": 1}
    facts = {**head.encoder.get("parameters", {}), **head.encoder}
    return {key: facts[key] for key in SpectralParameters.model_fields if key in facts}

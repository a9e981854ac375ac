"""A member that is a network with class scores of its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from antiphon.encoders.front_end import NetworkFrontEnd
from antiphon.encoders.front_end import Prepared as NetworkInput
from antiphon.encoders.manifest import Manifest, load_manifest, read_labels
from antiphon.encoders.modelfile import check_sha256, find_model
from antiphon.encoders.network import label_file
from antiphon.errors import FormatError, ModelError
from antiphon.soundscape.members.choosing import WantedOutput, choose_runtime
from antiphon.soundscape.members.front_ends import network_key
from antiphon.soundscape.members.member import Float32, Int64, MemberScores, Prepared
from antiphon.soundscape.members.probes import probe_sounds
from antiphon.soundscape.members.timing import Precision, RuntimeChoice, TimingReport

# What a sigmoid in another precision may leave the range from 0 to 1 by.
_RANGE = 1e-4


class NetworkMember:
    """Score contexts with a network that a manifest describes.

    Parameters
    ----------
    name
        In the ensemble.
    manifest, model
        The description, and the model file.
    classes
        Names of the scores.
    runtime, precision
        As :func:`antiphon.soundscape.members.choosing.choose_runtime`.
    sounds
        ``(n, samples)`` windows to compare and time runtimes on; made up when not given.

    Raises
    ------
    ModelError
        The network does not fit the manifest, gives scores outside 0 to 1, or cannot be run by
        the runtime asked for.
    UserError
        Runtime and precision do not go together.
    MissingExtraError
        OpenVINO is asked for and not installed.
    """

    def __init__(
        self,
        name: str,
        manifest: Manifest,
        model: Path,
        classes: tuple[str, ...],
        runtime: RuntimeChoice = "auto",
        precision: Precision = "f32",
        sounds: Float32 | None = None,
    ) -> None:
        check_sha256(model, manifest.sha256)
        self.name, self.classes, self.model = name, classes, model
        self.sample_rate, self.context_s = manifest.sample_rate, manifest.window_s
        self.front_end_key = network_key(manifest)
        self._takes_valid = manifest.input.valid is not None
        self._front_end = NetworkFrontEnd(manifest)
        self._clip, self._frames = _wanted(manifest)
        outputs = [output for output in (self._clip, self._frames) if output is not None]
        self._session, self.report = choose_runtime(
            manifest,
            model,
            outputs,
            runtime,
            precision,
            front_end=self._front_end,
            sounds=sounds,
        )
        samples = round(self.context_s * self.sample_rate)
        tried = probe_sounds(3, samples, self.sample_rate) if sounds is None else sounds[:3]
        self._check(self.score(self.prepare(tried, np.full(len(tried), samples))))

    report: TimingReport
    """How the runtime was chosen."""

    @property
    def gives_frames(self) -> bool:
        """Whether there are scores over time."""
        return self._frames is not None

    @property
    def gives_clips(self) -> bool:
        """Whether there are scores of the context as a whole."""
        return self._clip is not None

    def prepare(self, audio: Float32, valid: Int64) -> Prepared:
        """Run the front end; see :class:`antiphon.soundscape.members.member.Member`."""
        return Prepared(self._front_end(audio, valid), np.asarray(valid, np.int64))

    def score(self, prepared: Prepared) -> MemberScores:
        """Run the network; see :class:`antiphon.soundscape.members.member.Member`.

        Raises
        ------
        ModelError
            The network gave numbers that are not finite, or failed.
        """
        features: NetworkInput = prepared.features
        valid = prepared.valid if self._takes_valid else None
        raw = self._session.run(features.tensor, valid)
        clip = frames = None
        if self._clip is not None:
            clip = self._clip.read(raw[0], self.model)
        if self._frames is not None:
            frames = np.ascontiguousarray(self._frames.read(raw[-1], self.model))
        for values in (clip, frames):
            if values is not None and not np.isfinite(values).all():
                raise ModelError(
                    self.model,
                    "gave scores that are not finite",
                    "Check the export, or leave it out",
                )
        return MemberScores(clip, frames)

    def warm(self, threads: int) -> None:
        """Make ready for so many threads at once."""
        self._session.warm(threads)

    def _check(self, scores: MemberScores) -> None:
        advice = "Correct tensor, layout, activation or labels in the manifest"
        for what, values in (("scores", scores.clip), ("scores per frame", scores.frames)):
            if values is None:
                continue
            if values.shape[-1] != len(self.classes):
                raise ModelError(
                    self.model,
                    f"gives {values.shape[-1]} {what}, but there are {len(self.classes)} labels",
                    advice,
                )
            low, high = float(values.min()), float(values.max())
            if low < -_RANGE or high > 1 + _RANGE:
                raise ModelError(
                    self.model,
                    f"gives {what} from {low:.3g} to {high:.3g}, which are no probabilities",
                    "Set the activation in the manifest: sigmoid, or softmax",
                )


def open_network_member(
    name: str,
    path: Path,
    runtime: RuntimeChoice = "auto",
    precision: Precision = "f32",
    sounds: Float32 | None = None,
) -> NetworkMember:
    """Open the network of a manifest as a member.

    Parameters
    ----------
    path
        The manifest.
    name, runtime, precision, sounds
        As :class:`NetworkMember`.

    Raises
    ------
    FormatError
        The manifest is not valid, or names no scores.
    ModelError
        As :class:`NetworkMember`, or the model file is missing.
    """
    manifest = load_manifest(path)
    if manifest.scores is None and manifest.frames is None:
        raise FormatError(
            path,
            "names neither scores nor frames, so that it cannot score by itself",
            "Name their tensor, or use it as encoder together with a head",
        )
    model = find_model(manifest, path.parent)
    classes = read_labels(manifest, label_file(manifest, path), path)
    if not classes:
        raise FormatError(path, "has scores without names", "Give labels: a list, or a text file")
    return NetworkMember(name, manifest, model, classes, runtime, precision, sounds)


def _wanted(manifest: Manifest) -> tuple[WantedOutput | None, WantedOutput | None]:
    clip = frames = None
    if manifest.scores is not None:
        clip = WantedOutput(manifest.scores.tensor, "clip", manifest.scores.activation)
    if manifest.frames is not None:
        columns = manifest.frames.layout.index("C")
        frames = WantedOutput(manifest.frames.tensor, "frames", manifest.frames.activation, columns)
    return clip, frames

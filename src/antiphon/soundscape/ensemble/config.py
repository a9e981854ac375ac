"""An ensemble as one strict YAML file: members, how they are blended, and what follows.

::

    name: two
    classes: sample_submission.csv
    members:
      - {name: cnn, model: cnn.yaml}
      - {name: probe, encoder: perch_v2, head: probe.safetensors, priority: 2}
    blend:
      kind: rank
      of: {cnn: 0.8, probe: 0.2}

Paths are relative to the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import pydantic
from pydantic import BeforeValidator, Field, PositiveFloat, PositiveInt

from antiphon.encoders.checking import Strict, check_file, nearest, read_yaml
from antiphon.errors import UserError
from antiphon.evaluation.blending.choosing.postprocess import Step, parse_step
from antiphon.evaluation.blending.scoring.blends import Kind
from antiphon.soundscape.ensemble.checks import (
    check_tree,
    checked_names,
    checked_prior,
    checked_weight,
    is_number,
)

DEFAULT = "default"
"""Key of the weight for classes and taxa that have none of their own."""

ROOT = "blend"
"""Name of the last blend, whose scores are the output."""

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]*$")]
Runtime = Literal["auto", "onnxruntime", "openvino"]
Precision = Literal["f32", "f16", "bf16"]
Reduce = Literal["max", "mean"]
Scores = Literal["auto", "clip", "frames", "both"]
Unreached = Literal["mean", "prior"]


Weight = Annotated[float | dict[str, float], BeforeValidator(checked_weight)]


class WindowConfig(Strict):
    """Rows of the output.

    Attributes
    ----------
    length_s, hop_s
        Of a window, in seconds.
    """

    length_s: PositiveFloat = 5.0
    hop_s: PositiveFloat = 5.0


class MemberConfig(Strict):
    """One scorer: a network with scores of its own, or a head on an encoder's embeddings.

    Attributes
    ----------
    name
        In blends, reports and score files.
    model
        Manifest of a network (YAML beside its ONNX file) that gives scores.
    encoder, head
        Instead of a model: name or manifest of an encoder, and the detector on its embeddings.
    priority
        1 is kept longest: where the time is short, members with the highest number are strided,
        then dropped, first.
    context_hop_s
        Seconds from one context to the next. None has a context of a window's length hear each
        window once, and moves a longer one by half of it.
    shifts
        Weight of each shift of the audio in seconds, as ``{-2.5: 0.25, 0: 0.5, 2.5: 0.25}``.
    scores
        ``frames`` or ``clip`` scores of the network, the mean of ``both``, or ``auto``: those of
        frames where it has them.
    reduce
        How the frames of a window become its score.
    runtime, precision
        What runs the network, and its numbers; ``auto`` takes the quicker one on this machine.
    stride
        Hear only every so many contexts; what the planner begins with.
    class_map
        Table ``member_class,class`` for classes that the member names otherwise.
    """

    name: Name
    model: Path | None = None
    encoder: str | None = None
    head: Path | None = None
    priority: PositiveInt = 1
    context_hop_s: PositiveFloat | None = None
    shifts: dict[float, PositiveFloat] = Field(default_factory=lambda: {0.0: 1.0}, min_length=1)
    scores: Scores = "auto"
    reduce: Reduce = "max"
    runtime: Runtime = "auto"
    precision: Precision = "f32"
    stride: PositiveInt = 1
    class_map: Path | None = None

    @pydantic.field_validator("shifts")
    @classmethod
    def _the_window_itself(cls, given: dict[float, float]) -> dict[float, float]:
        if 0.0 not in given:
            raise ValueError("one shift must be 0 s, the windows themselves")
        if not all(is_number(n) for pair in given.items() for n in pair):
            raise ValueError("shifts and their weights must be finite")
        return given

    @pydantic.model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.model is None) == (self.encoder is None and self.head is None):
            raise ValueError(f"member {self.name!r} needs either model, or encoder and head")
        if (self.encoder is None) != (self.head is None):
            raise ValueError(f"member {self.name!r} needs both encoder and head")
        return self

    def rebased(self, folder: Path) -> MemberConfig:
        """Return it with paths that were relative to ``folder``."""
        encoder = self.encoder
        if encoder is not None and encoder.endswith((".yaml", ".yml")):
            encoder = str(folder / encoder)
        paths = {
            field: None if (path := getattr(self, field)) is None else folder / path
            for field in ("model", "head", "class_map")
        }
        return self.model_copy(update={**paths, "encoder": encoder})


class BlendConfig(Strict):
    """One blend of members and of other blends.

    Attributes
    ----------
    kind
        As in :mod:`antiphon.evaluation.blending.scoring.blends`.
    of
        Weight of each member or group: a number, or one for each class or taxon, with ``default``
        for the others. Only their ratios count.
    clip, exponent
        As for :class:`antiphon.evaluation.blending.scoring.blends.Blend`.
    """

    kind: Kind = "rank"
    of: dict[str, Weight] = Field(min_length=1)
    clip: Annotated[float, Field(gt=0, lt=0.5)] = 1e-6
    exponent: float = 2.0

    @pydantic.field_validator("exponent")
    @classmethod
    def _not_zero(cls, value: float) -> float:
        if not is_number(value) or value == 0:
            raise ValueError("the exponent must be a number other than 0")
        return value


class EnsembleConfig(Strict):
    """Everything that decides what an ensemble says of a recording.

    Attributes
    ----------
    name
        Of the ensemble.
    classes
        Names in the order of the output, or a file: a sample submission (``row_id`` and a column
        for each class), a table with ``primary_label``, or text with a name a line.
    taxonomy
        Table of classes and taxa, for weights and steps by taxon.
    window
        Rows of the output.
    members
        The scorers.
    groups
        Blends by name, for use in other blends.
    blend
        The last blend. May be left out where there is one member.
    reference
        File of ``antiphon soundscape fit``: what ranks and z-scores are taken against. Without it
        they are taken over all windows of the run, when it has ended.
    postprocess
        Steps after the blend, in order, as in ``antiphon blend --step``.
    prior
        Scores where no member spoke: a number, or a file of training counts or probabilities.
    unreached
        What a window gets that no member scored, where others of its class were: the ``mean`` of
        those of its recording (or of the run), or the ``prior``.
    """

    name: Name
    classes: Annotated[tuple[str, ...] | Path, BeforeValidator(checked_names)]
    taxonomy: Path | None = None
    window: WindowConfig = WindowConfig()
    members: tuple[MemberConfig, ...] = Field(min_length=1)
    groups: dict[Name, BlendConfig] = Field(default_factory=dict)
    blend: BlendConfig | None = None
    reference: Path | None = None
    postprocess: tuple[str, ...] = ()
    prior: Annotated[float | Path, BeforeValidator(checked_prior)] = 0.5
    unreached: Unreached = "mean"

    @pydantic.model_validator(mode="after")
    def _is_a_tree(self) -> Self:
        names = [member.name for member in self.members]
        if doubled := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"several members have the name {doubled[0]!r}")
        if self.blend is None and (len(names) > 1 or self.groups):
            raise ValueError("key 'blend' is missing: say how the members are blended")
        taken = {name for name in self.groups if name in (*names, ROOT)}
        if taken:
            raise ValueError(f"the group {sorted(taken)[0]!r} has the name of something else")
        check_tree({name: node.of for name, node in self.nodes.items()}, ROOT, names)
        return self

    @pydantic.field_validator("postprocess")
    @classmethod
    def _are_steps(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        for text in given:
            try:
                parse_step(text)
            except UserError as error:
                raise ValueError(str(error)) from None
        return given

    @pydantic.model_validator(mode="after")
    def _taxa_are_known(self) -> Self:
        by_taxon = [str(step) for step in self.steps if step.taxa]
        if by_taxon and self.taxonomy is None:
            raise ValueError(f"the step {by_taxon[0]} is for some taxa: give the taxonomy")
        return self

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps after the blend."""
        return tuple(parse_step(text) for text in self.postprocess)

    @property
    def nodes(self) -> Mapping[str, BlendConfig]:
        """All blends by name, the last one as ``blend``."""
        last = self.blend
        if last is None:
            last = BlendConfig(kind="probability", of={self.members[0].name: 1.0})
        return {**self.groups, ROOT: last}

    def member(self, name: str) -> MemberConfig:
        """Return a member.

        Raises
        ------
        UserError
            If there is none of that name.
        """
        for one in self.members:
            if one.name == name:
                return one
        known = [one.name for one in self.members]
        raise UserError(
            f"There is no member {name!r}; there are {', '.join(known)}.{nearest(name, known)}"
        )

    def rebased(self, folder: Path) -> EnsembleConfig:
        """Return it with paths that were relative to ``folder``."""
        update: dict[str, Any] = {"members": tuple(one.rebased(folder) for one in self.members)}
        for field in ("classes", "taxonomy", "reference", "prior"):
            value = getattr(self, field)
            update[field] = folder / value if isinstance(value, Path) else value
        return self.model_copy(update=update)


def read_ensemble(path: Path | str) -> EnsembleConfig:
    """Read an ensemble; its paths become relative to the working folder, or absolute.

    The files that it names are not opened.

    Raises
    ------
    FormatError
        If it cannot be read, has an unknown key (the nearest is named), or members and blends do
        not form one tree in which each is used once.
    """
    path = Path(path)
    return check_file(EnsembleConfig, read_yaml(path), path).rebased(path.parent)

"""The settings of a training run: one strict YAML file, on its own or on top of a preset.

::

    preset: eat-tiny
    data:
      sources: [{kind: folder, path: recordings}]
    loop: {steps: 2000}

Paths in a file are relative to that file; those given by ``--set`` and ``--data`` are relative to
the working folder. Tables are merged with the preset's, key by key; lists replace it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import pydantic
import yaml
from pydantic import Field, NonNegativeInt

from antiphon.audio.augmentation.config import AugmentConfig
from antiphon.encoders.checking import Strict, check_file, nearest, read_yaml
from antiphon.errors import FormatError, UserError
from antiphon.training.backbones.config import (
    AnyHeadConfig,
    BackboneConfig,
    Pooling,
    SedHeadConfig,
)
from antiphon.training.data.config import DataConfig
from antiphon.training.detection.config import DetectorConfig
from antiphon.training.front_end.config import TrainingFrontEnd
from antiphon.training.loop.config import (
    CheckpointConfig,
    LoopConfig,
    OptimiserConfig,
    ValidationConfig,
)
from antiphon.training.loop.tables import merge, put, refuse_options
from antiphon.training.pretraining.config import BEATsConfig, EATConfig
from antiphon.training.supervised.config import DistillConfig, FinetuneConfig, SupervisedConfig

PRESETS = Path(__file__).parent / "presets"

Stage = Literal["eat", "beats", "supervised", "finetune", "distill", "detector"]
STAGES: tuple[Stage, ...] = ("eat", "beats", "supervised", "finetune", "distill", "detector")

# Tables of a source, relative to its own folder.
_INSIDE = ("labels", "metadata")


class RunConfig(Strict):
    """Everything that decides a run.

    Attributes
    ----------
    stage
        ``eat`` and ``beats``: self-supervision. ``supervised``: (post-)training with labels.
        ``finetune``: adaptation to few labels. ``distill``: from another encoder's embeddings.
        ``detector``: with labels, a head that says when each class sounds.
    name
        Of the encoder that comes out.
    description, licence, source
        Of it, for people: kept in the model, and told by its export's manifest and card.
    seed
        Of weights, examples, augmentation and masks.
    data, augment
        What is heard.
    init_from
        Folder of a model (or of a finished run) to start from, or the name and file of an external
        checkpoint as ``NAME:FILE``. It brings front end and backbone. Otherwise those are given.
    front_end, backbone, head
        Of a new model.
    pooling
        How tokens become an embedding; left out, the mean, or what the model of ``init_from`` has.
    optimiser, loop, checkpoint, validation
        How it is trained, kept and judged.
    eat, beats, supervised, finetune, distill, detector
        Settings of the stage; only its own.
    """

    stage: Stage
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]*$")]
    description: str = ""
    licence: str = ""
    source: str = ""
    seed: NonNegativeInt = 0
    data: DataConfig
    augment: AugmentConfig = AugmentConfig()
    init_from: str | None = None
    front_end: TrainingFrontEnd | None = None
    backbone: BackboneConfig | None = None
    pooling: Pooling | None = None
    head: AnyHeadConfig | None = None
    optimiser: OptimiserConfig
    loop: LoopConfig
    checkpoint: CheckpointConfig = CheckpointConfig()
    validation: ValidationConfig = ValidationConfig()
    eat: EATConfig | None = None
    beats: BEATsConfig | None = None
    supervised: SupervisedConfig | None = None
    finetune: FinetuneConfig | None = None
    distill: DistillConfig | None = None
    detector: DetectorConfig | None = None

    @pydantic.model_validator(mode="after")
    def _fits_together(self) -> Self:
        for stage in STAGES:
            if stage != self.stage and getattr(self, stage) is not None:
                raise ValueError(f"the stage is {self.stage}; take out the settings of {stage}")
        new = {"front_end": self.front_end, "backbone": self.backbone}
        if self.init_from is not None:
            given = [name for name, value in new.items() if value is not None]
            if given:
                raise ValueError(f"init_from brings the model; take out {' and '.join(given)}")
        elif self.stage == "finetune":
            raise ValueError("finetune adapts a trained encoder: give init_from")
        else:
            missing = [name for name, value in new.items() if value is None]
            if missing:
                raise ValueError(f"give {' and '.join(missing)}, or init_from")
        if self.stage == "distill" and self.distill is None:
            raise ValueError("distill needs a teacher: give distill.teacher")
        if self.head is not None and isinstance(self.head, SedHeadConfig) != self.is_detector:
            raise ValueError("head.kind sed goes with the stage detector, and with it alone")
        if self.is_detector and self.pooling == "attention":
            raise ValueError("pooling: attention would get weights that no detector trains")
        warmup = self.optimiser.warmup_steps(self.loop.steps)
        if warmup >= self.loop.steps and warmup:
            raise ValueError(
                f"optimiser.warmup takes {warmup} steps, but the run has {self.loop.steps}; give "
                "a smaller number, or a share such as 0.1"
            )
        return self

    @property
    def is_detector(self) -> bool:
        """Whether the head says when classes sound."""
        return self.stage == "detector"

    @property
    def settings(self) -> Any:
        """Settings of the stage, its defaults where none are given."""
        given = getattr(self, self.stage)
        return given if given is not None else _DEFAULTS[self.stage]()

    @property
    def batch(self) -> int:
        """Examples of one step, over all processes and accumulated batches."""
        return int(self.data.batch) * self.loop.accumulate


_DEFAULTS: dict[str, type[Strict]] = {
    "eat": EATConfig,
    "beats": BEATsConfig,
    "supervised": SupervisedConfig,
    "finetune": FinetuneConfig,
    "distill": DistillConfig,
    "detector": DetectorConfig,
}


def list_presets() -> list[str]:
    """Return the names of the shipped presets."""
    return sorted(path.stem for path in PRESETS.glob("*.yaml"))


def load_run_config(
    source: Path | str,
    overrides: Mapping[str, Any] | None = None,
    *,
    folders: Sequence[Path] = (),
) -> RunConfig:
    """Read the settings of a run.

    Parameters
    ----------
    source
        A YAML file, or the name of a preset.
    overrides
        Values by dotted key, such as ``{"optimiser.lr": 1e-4, "data.sources.0.weight": 2}``.
    folders
        Folders of audio in place of the sources of the settings.

    Raises
    ------
    FormatError
        A key or value is not valid; the message names it and the nearest valid key.
    UserError
        The same of an override; or there is no such file or preset, or a preset has no data.
    """
    path = Path(source)
    data, place = _read(path)
    plain = deepcopy(data)
    given = dict(overrides or {})
    if folders:
        data.setdefault("data", {})
        data["data"]["sources"] = [{"kind": "folder", "path": str(f)} for f in folders]
        given["data.sources"] = data["data"]["sources"]
    for key, value in given.items():
        put(data, key, value)
    if not (data.get("data") or {}).get("sources"):
        raise UserError(
            f"{source}: says nothing of the data. Give --data DIR, or data.sources in the file."
        )
    try:
        config = check_file(RunConfig, data, place)
    except FormatError:
        refuse_options(RunConfig, plain, given, set(overrides or ()))
        raise
    own = {tuple(key.split(".")) for key in given}
    resolved: RunConfig = _absolute(config, place.resolve().parent, own, ())
    return resolved


def split_origin(origin: str) -> tuple[str, Path]:
    """Return name and file of ``NAME:FILE``; an empty name for a folder."""
    name, colon, file = origin.partition(":")
    # A single letter is a drive of Windows.
    return (name, Path(file)) if colon and len(name) > 1 else ("", Path(origin))


def dump_config(config: RunConfig) -> str:
    """Return the settings as YAML, defaults included; it reads back to the same settings."""
    value = _complete(config)
    value = {k: v for k, v in value.items() if v is not None or k not in STAGES}
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=100)


def _complete(model: pydantic.BaseModel) -> dict[str, Any]:
    """Return all settings; only those given where a default may not be written down.

    Some settings exclude each other, and then the default of the one left out does so too.
    """
    given = {n: _complete_value(getattr(model, n)) for n in type(model).model_fields}
    try:
        type(model).model_validate(given)
    except pydantic.ValidationError:
        return {n: v for n, v in given.items() if n in model.model_fields_set or n == "kind"}
    return given


def _complete_value(value: Any) -> Any:
    if isinstance(value, pydantic.BaseModel):
        return _complete(value)
    if isinstance(value, tuple | list):
        return [_complete_value(v) for v in value]
    if isinstance(value, Mapping):
        return {k: _complete_value(v) for k, v in value.items()}
    return str(value) if isinstance(value, Path) else value


def _read(path: Path) -> tuple[dict[str, Any], Path]:
    """Return the content of a file on top of its preset, and the file it came from."""
    if path.is_file():
        data = read_yaml(path)
        name = data.pop("preset", None)
        if name is None:
            return data, path
        if not isinstance(name, str):
            raise FormatError(path, "key 'preset' must be a name")
        return merge(read_yaml(_preset(name, path)), data), path
    if path.suffix in (".yaml", ".yml") or len(path.parts) > 1:
        raise UserError(f"{path}: there is no such file. Presets: {', '.join(list_presets())}.")
    return read_yaml(_preset(str(path), None)), PRESETS / f"{path}.yaml"


def _preset(name: str, path: Path | None) -> Path:
    known = list_presets()
    if name not in known:
        where = "" if path is None else f"{path}: "
        hint = nearest(name, known) or f" There are: {', '.join(known)}."
        raise UserError(f"{where}there is no preset or file {name!r}.{hint}")
    return PRESETS / f"{name}.yaml"


def _absolute(value: Any, base: Path, own: set[tuple[str, ...]], place: tuple[str, ...]) -> Any:
    """Return settings with absolute paths; keys in ``own`` start from the working folder."""
    if place in own:
        base, own = Path.cwd(), set()
    if isinstance(value, pydantic.BaseModel):
        changed = {}
        for name in type(value).model_fields:
            if name in _INSIDE and "path" in type(value).model_fields:
                continue
            before = getattr(value, name)
            after = _absolute(before, base, own, (*place, name))
            if after is not before:
                changed[name] = after
        return value.model_copy(update=changed) if changed else value
    if isinstance(value, tuple | list):
        several = [_absolute(v, base, own, (*place, str(i))) for i, v in enumerate(value)]
        same = all(a is b for a, b in zip(several, value, strict=True))
        return value if same else type(value)(several)
    if isinstance(value, Path):
        return _from(base, value)
    if place == ("init_from",) and isinstance(value, str):
        name, file = split_origin(value)
        return f"{name}:{_from(base, file)}" if name else str(_from(base, file))
    return value


def _from(base: Path, path: Path) -> Path:
    path = path.expanduser()
    return path if path.is_absolute() else (base / path).absolute()

"""What a stage's settings ask for: its data and its task."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from torch import Generator, Tensor

from antiphon.errors import UserError
from antiphon.training.config import RunConfig, split_origin
from antiphon.training.loop.trainer import device_of
from antiphon.training.task import Batch, Task

if TYPE_CHECKING:
    from antiphon.training.data.splitting import Sides
    from antiphon.training.model import EncoderModel
    from antiphon.training.supervised.classification import FeatureAugment


@dataclass(frozen=True, slots=True)
class PreparedStage:
    """Everything that the loop needs of a stage.

    Parameters
    ----------
    task
        On the CPU, weights drawn.
    training
        ``training(first, end, rank, processes)`` returns the batches ``first`` to ``end - 1`` of
        the run for one process of several; batch k is always the same.
    held_out
        Returns the batches of held-out clips, in order and without augmentation; None where
        nothing is held out.
    facts
        What the report says of the data: name and value.
    notes
        What has to be said at the start.
    data
        What the examples are made of, as plain values (``classes``, ``clips``, ``key``): a run
        that goes on compares them with those it began with.
    """

    task: Task
    training: Callable[[int, int, int, int], Iterable[Batch]]
    held_out: Callable[[], Iterable[Batch]] | None = None
    facts: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = field(default_factory=tuple)
    data: dict[str, Any] = field(default_factory=dict)


def create_model(config: RunConfig) -> EncoderModel:
    """Return the encoder to train: a new one, or the one that the settings start from.

    Raises
    ------
    UserError
        The model is for another sample rate than the data have, is not there, or cannot be
        pooled as asked.
    """
    from antiphon.training.model import EncoderModel

    if config.init_from is None:
        if config.front_end is None or config.backbone is None:
            raise UserError("Give front_end and backbone, or init_from.")
        return EncoderModel(
            config.front_end,
            config.data.sample_rate,
            config.data.clip_s,
            config.backbone,
            pooling=config.pooling or "mean",
        )
    model = _load(config.init_from)
    if model.sample_rate != config.data.sample_rate:
        raise UserError(
            f"The model of init_from is for {model.sample_rate} Hz, but data.sample_rate is "
            f"{config.data.sample_rate}. Set data.sample_rate to {model.sample_rate}."
        )
    if config.pooling is not None and config.pooling != model.pooling_kind:
        if config.pooling == "attention" and config.stage in ("eat", "beats"):
            raise UserError(
                f"pooling: attention would get weights that the stage {config.stage} does not "
                "train. Set pooling: mean, or change it in a later stage."
            )
        model.set_pooling(config.pooling)
    # A window is what the run trains on; the networks take any length.
    model.window_s = config.data.clip_s
    model.train()
    return model


def create_task(
    config: RunConfig,
    classes: Sequence[str] = (),
    presence: Sequence[float] | None = None,
) -> Task:
    """Return the task of a run, its weights drawn from torch's global generator.

    Parameters
    ----------
    config
        Settings of the run.
    classes
        Names of the labels in the batches, for the stages that learn them.
    presence
        Share of the training clips that have each class, of those that it is known of; wanted
        for balanced weights alone.

    Raises
    ------
    UserError
        Settings, model and data do not fit.
    """
    model = create_model(config)
    if config.stage == "eat":
        from antiphon.training.pretraining.eat import EATPretraining

        return EATPretraining(model, config.settings)
    if config.stage == "beats":
        from antiphon.training.pretraining.beats import BEATsPretraining

        return BEATsPretraining(model, config.settings)
    from antiphon.training.supervised.create import classification_task, distillation_task

    augment = _feature_augment(config)
    if config.stage == "distill":
        return distillation_task(config.settings, model, augment=augment, seed=config.seed)
    if not classes:
        raise UserError(f"The stage {config.stage} learns labels, but the data have none.")
    return classification_task(
        config.settings,
        model,
        classes,
        head=config.head,
        augment=augment,
        presence=presence,
        seed=config.seed,
    )


def wants_presence(config: RunConfig) -> bool:
    """Return whether the loss weighs classes by how often they are present."""
    loss = getattr(config.settings, "loss", None)
    return getattr(loss, "positive_weight", None) == "balanced"


def _load(origin: str) -> EncoderModel:
    from antiphon.training.checkpoints.models import load_model

    name, path = split_origin(origin)
    if name:
        from antiphon.training.checkpoints.external import load_external

        return load_external(name, path)
    finished = path / "model"
    if not finished.is_dir() and (path / "config.yaml").is_file():
        raise UserError(
            f"init_from: the run in {path} is not finished, so it holds no model yet. Go on with "
            f"it first (--resume --out {path})."
        )
    return load_model(finished if finished.is_dir() else path)


def prepare_stage(config: RunConfig, note: Callable[[str], None] | None = None) -> PreparedStage:
    """Return data and task of a run's settings.

    Parameters
    ----------
    config
        Settings.
    note
        Is told of recordings that cannot be read; by warnings when None.

    Raises
    ------
    UserError
        Settings, model and data do not fit; a source cannot be read.
    """
    from antiphon.training.data.faults import warn
    from antiphon.training.data.loader import training_loader, validation_loader
    from antiphon.training.data.sources import read_sources
    from antiphon.training.data.splitting import split
    from antiphon.training.data.targets import presence_shares

    tell = note or warn
    table, notes = read_sources(config.data)
    sides = split(table, config.data.holdout, config.data.folds)
    if not len(sides.validation):
        notes.append(
            "No clip is held out, so nothing is measured but the loss of training. Raise "
            "data.holdout.share, or group the sources by something finer."
        )
    presence = None
    if wants_presence(config):
        presence = presence_shares(sides.training, config.data.min_overlap).tolist()
    task = create_task(config, table.classes.names, presence)
    pinned = device_of(config.loop) == "cuda"

    def training(first: int, end: int, rank: int, processes: int) -> Iterable[Batch]:
        batches: Iterable[Batch] = training_loader(
            config.data,
            config.augment,
            seed=config.seed,
            first_step=first,
            steps=end - first,
            rank=rank,
            world=processes,
            table=sides.training,
            pin_memory=pinned,
            note=tell,
        )
        return batches

    def held_out() -> Iterable[Batch]:
        batches: Iterable[Batch] = validation_loader(
            config.data,
            table=sides.validation,
            most=config.validation.clips,
            pin_memory=pinned,
            note=tell,
        )
        return batches

    return PreparedStage(
        task,
        training,
        held_out if len(sides.validation) else None,
        tuple(_facts(sides)),
        tuple(notes),
        {
            "classes": list(table.classes.names),
            "clips": len(sides.training),
            "key": sides.training.fingerprint(),
        },
    )


def _facts(sides: Sides) -> Iterator[tuple[str, str]]:
    from antiphon.training.data.splitting import counts

    for side, table in (("training", sides.training), ("held out", sides.validation)):
        for row in counts(table):
            parts = [f"{row.clips:,} clips of {row.recordings:,} recordings"]
            if row.hours is not None:
                parts.append(f"{row.hours:.2f} h")
            if row.classes:
                parts.append(f"{row.labelled:,} labelled with {row.classes:,} classes")
            yield f"{side}, {row.source}", ", ".join(parts)
    yield "classes", f"{sides.training.n_classes:,}"


def _feature_augment(config: RunConfig) -> FeatureAugment | None:
    """Return the masks on features, for the stages that train on whole features."""
    spec = config.augment.spec
    if spec is None:
        return None
    from antiphon.training.data.spec_augment import spec_augment

    def augment(features: Tensor, mask: Tensor, generator: Generator) -> Tensor:
        return spec_augment(features, mask, spec, generator)

    return augment

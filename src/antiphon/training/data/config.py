"""Settings of the data that encoders are trained on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

import pydantic

from antiphon.encoders.checking import Strict
from antiphon.training.data.fold_config import FoldsConfig

Share = Annotated[float, pydantic.Field(ge=0, le=1)]
Positive = Annotated[float, pydantic.Field(gt=0)]
Count = Annotated[int, pydantic.Field(ge=1)]
Exhaustive = Literal["all", "own", "stated"]


class _Source(Strict):
    """What every source has.

    Parameters
    ----------
    name
        In reports and messages; the last part of the path where it is left out.
    domain
        ``bio`` or ``general``, mixed by :attr:`DataConfig.mix`.
    weight
        How often it is drawn, relative to the other sources of its domain. Left out, it is the
        number of its clips; either all sources of a domain have one or none has.
    exhaustive
        What is known of a class that a labelled recording is not labelled with. ``all``: it is
        absent. ``own``: absent if this source labels anything with it, else unknown. ``stated``:
        unknown, unless the source says that it is absent.
    rename
        Names of this source to be read as others; ``null`` for a name that is no class.
    side
        ``split``: divided by :class:`HoldoutConfig`. ``training`` or ``validation``: all of it is
        on that side.
    """

    name: str | None = None
    domain: Literal["bio", "general"] = "bio"
    weight: Positive | None = None
    exhaustive: Exhaustive = "own"
    rename: dict[str, str | None] = pydantic.Field(default_factory=dict)
    side: Literal["split", "training", "validation"] = "split"


class FolderSource(_Source):
    """A folder of recordings, with labels or without.

    Parameters
    ----------
    path
        The folder.
    labels
        A label table or a folder of tables in any format that Antiphon reads, relative to the
        folder; None for none.
    label_folders
        Whether the folder in which a recording lies is its label.
    format, label_column
        As for ``antiphon labels import``: the format's name and the title of the column.
    label_kind
        Of new labels: species, call_type, individual or other.
    unlabelled
        What is known of recordings that no label speaks of: nothing (``unknown``), or that none of
        the classes is in them (``absent``), as in a folder of rain, wind and engines.
    pseudo
        Pseudo-labels of the recordings, a file of ``antiphon pseudo-label`` (not relative to the
        folder), in place of labels: targets in [0, 1] for windows and, where the file has them,
        for frames. Recordings that it does not name are left out, and nothing is ever validated
        on it.
    metadata
        A table (CSV, TSV) with one row per recording, for the two columns below. Its column
        ``duration_s``, if there is one, spares opening every recording with annotated spans
        before training.
    group
        What never lies on both sides of a split: ``recording``, ``folder`` (that it lies in),
        ``site`` (as its file name has it, see
        :func:`antiphon.evaluation.blending.files.sites.site_and_hour`; a recording of which it
        says none is a group of its own) or ``source`` (all of it).
    group_column
        Column of the metadata that says it instead, such as one of sites.
    secondary_column
        Column of the metadata with classes that may be heard in the background of a recording, as
        ``A; B`` or ``['A', 'B']``; :attr:`DataConfig.secondary` says what becomes of them.
    split_column
        Column of the metadata that says on which side a recording is.
    training_splits, validation_splits
        Its values; recordings with other values are left out.
    missing
        Whether rows of the label table about recordings that are not there are an ``error`` or
        are only counted (``report``).
    """

    kind: Literal["folder"] = "folder"
    path: Path
    labels: Path | None = None
    label_folders: bool = False
    format: str = "auto"
    label_column: str | None = None
    label_kind: Literal["species", "call_type", "individual", "other"] = "species"
    pseudo: Path | None = None
    metadata: Path | None = None
    unlabelled: Literal["unknown", "absent"] = "unknown"
    group: Literal["recording", "folder", "site", "source"] = "recording"
    group_column: str | None = None
    secondary_column: str | None = None
    split_column: str | None = None
    training_splits: tuple[str, ...] = ("train",)
    validation_splits: tuple[str, ...] = ("valid", "validation")
    missing: Literal["error", "report"] = "error"

    @pydantic.model_validator(mode="after")
    def _one_origin(self) -> Self:
        if self.side != "split" and self.split_column:
            raise ValueError("side and split_column exclude each other")
        if self.labels is not None and self.label_folders:
            raise ValueError("labels and label_folders exclude each other")
        if self.pseudo is not None and (self.labels is not None or self.label_folders):
            raise ValueError("pseudo stands in place of labels; make two sources of the folder")
        columns = (self.group_column, self.split_column, self.secondary_column)
        if any(columns) and self.metadata is None:
            raise ValueError(
                "a group, split or secondary column needs metadata, the table that holds it"
            )
        if self.secondary_column and self.labels is None and not self.label_folders:
            raise ValueError("a secondary column goes with labels or label_folders")
        return self


class ProjectSource(_Source):
    """An Antiphon project: its recordings and annotations.

    Parameters
    ----------
    path
        The project's folder.
    group
        ``recording``, ``site``, ``folder`` (audio folder) or ``source``.
    """

    kind: Literal["project"]
    path: Path
    exhaustive: Exhaustive = "stated"
    group: Literal["recording", "site", "folder", "source"] = "recording"


class ShardSource(_Source):
    """A folder of tar shards in the WebDataset layout; see :mod:`antiphon.training.data.shards`.

    Parameters
    ----------
    path
        The folder that holds ``*.tar``.
    group
        ``recording`` (its key), ``stated`` (the ``group`` of its JSON) or ``source``.
    """

    kind: Literal["shards"]
    path: Path
    group: Literal["recording", "stated", "source"] = "stated"


class RepertoireSource(_Source):
    """Sounds synthesised on the fly; none of them is ever heard twice.

    Parameters
    ----------
    clips
        How many count as one pass over the source, for mixing by numbers.
    settings
        Arguments of :class:`antiphon.audio.synthesis.repertoire.Repertoire`.
    """

    kind: Literal["repertoire"]
    clips: Count = 10_000
    settings: dict[str, bool | int | float | str] = pydantic.Field(default_factory=dict)


SourceConfig = Annotated[
    FolderSource | ProjectSource | ShardSource | RepertoireSource,
    pydantic.Field(discriminator="kind"),
]


class HoldoutConfig(Strict):
    """What is kept for validation.

    Parameters
    ----------
    share
        Share of the groups that are held out, chosen by a hash of their names: the choice does
        not depend on the other groups. Where a source states the side, by its split column or as
        a whole, the group has that side in every source.
    salt
        Another text gives another choice.
    windows
        ``centre``: one crop from the middle of each clip; ``all``: crops side by side over the
        whole clip, the last one padded; a rest of less than a tenth of a crop is left out.
    """

    share: Annotated[float, pydantic.Field(ge=0, lt=1)] = 0.0
    salt: str = ""
    windows: Literal["centre", "all"] = "centre"


class CacheConfig(Strict):
    """Decoded audio kept on disk, by content.

    Parameters
    ----------
    path
        Folder of the cache; several processes and runs may share it.
    dtype
        ``int16`` (noise 98 dB below full scale, clips beyond it) or ``float16`` (11 bits at any
        level).
    longest_s
        Longer recordings are read from their files.
    """

    path: Path
    dtype: Literal["int16", "float16"] = "int16"
    longest_s: Positive = 600.0


class DataConfig(Strict):
    """What examples are made of.

    Parameters
    ----------
    sources
        Where clips come from.
    mix
        Weight of each domain, as in ``{bio: 3, general: 1}``; left out, sources are drawn by
        their own weights whatever their domain.
    taxonomy
        Table (CSV, TSV) with a column ``name`` and any of ``scientific_name``, ``common_name``,
        ``synonyms`` (joined by ";") and ``kind``: the names of all sources are looked up in it.
    closed
        Whether the classes are those of the taxonomy alone; other names are then an error.
    sample_rate
        Hz that every clip is brought to.
    clip_s
        Seconds of an example.
    batch
        Examples per step, over all ranks.
    short
        What becomes of clips shorter than ``clip_s``: zeros follow (``pad``), or they are
        repeated (``loop``).
    long_tail
        0: every clip equally often. 1: every class equally often. Between: class c is drawn
        with a frequency proportional to its number of clips to the power of 1 minus this. 0.5
        weighs a clip by the inverse root of its class's frequency.
    clips_per_class
        ``[least, most]``, either perhaps null: a class of fewer or more clips is drawn as if it
        had so many. All of its clips are drawn in turn.
    secondary
        Target of classes in the background of a recording (``secondary_column`` of a source),
        such as 0.01; null leaves them out of the loss.
    labelled_only
        Whether clips of which no label is known are left out.
    min_overlap
        Share of the shorter of crop and annotation that they must have in common for a label
        to be present; with less it is unknown.
    holdout, folds
        The validation side: a share, or one fold of several.
    cache
        None to decode each crop from its file.
    workers
        Processes that make examples; 0 for none besides the trainer.
    prefetch
        Batches that each worker makes ahead.
    start
        How workers start; None for the system's usual way.
    max_fault_share
        Share of unreadable recordings above which training stops; a single one is always allowed
        for, unless this is 0.
    """

    sources: Annotated[tuple[SourceConfig, ...], pydantic.Field(min_length=1)]
    mix: dict[Literal["bio", "general"], Annotated[float, pydantic.Field(ge=0)]] | None = None
    taxonomy: Path | None = None
    closed: bool = False
    sample_rate: Annotated[int, pydantic.Field(ge=1000, le=1_000_000)] = 16_000
    clip_s: Positive = 10.0
    batch: Count = 32
    short: Literal["pad", "loop"] = "pad"
    long_tail: Share = 0.0
    clips_per_class: tuple[Count | None, Count | None] | None = None
    secondary: Share | None = None
    labelled_only: bool = False
    min_overlap: Annotated[float, pydantic.Field(gt=0, le=1)] = 0.5
    holdout: HoldoutConfig = HoldoutConfig()
    folds: FoldsConfig | None = None
    cache: CacheConfig | None = None
    workers: Annotated[int, pydantic.Field(ge=0)] = 0
    prefetch: Count = 2
    start: Literal["fork", "spawn", "forkserver"] | None = None
    max_fault_share: Share = 0.01

    @pydantic.model_validator(mode="after")
    def _consistent(self) -> Self:
        for domain in ("bio", "general"):
            inside = [s for s in self.sources if self.mix is None or s.domain == domain]
            given = [s for s in inside if s.weight is not None]
            if given and len(given) < len(inside):
                raise ValueError("either all sources that are mixed have a weight, or none has")
        if self.mix is not None and not any(self.mix.values()):
            raise ValueError("mix needs a weight above 0")
        if self.samples < 1:
            raise ValueError(f"clip_s {self.clip_s:g} is shorter than a sample")
        if self.folds is not None and self.folds.fold is not None and self.holdout.share:
            raise ValueError("a fold is held out; take out holdout.share")
        least, most = self.clips_per_class or (None, None)
        if least is not None and most is not None and least > most:
            raise ValueError(f"clips_per_class {least} to {most} runs backwards")
        if self.closed and self.taxonomy is None:
            raise ValueError("closed needs a taxonomy")
        return self

    @property
    def samples(self) -> int:
        """Samples of an example."""
        return round(self.clip_s * self.sample_rate)

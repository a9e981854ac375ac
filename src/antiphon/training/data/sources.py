"""All sources of a configuration read into one table of clips."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from antiphon.errors import UserError
from antiphon.training.data.background import among_all
from antiphon.training.data.config import (
    DataConfig,
    FolderSource,
    ProjectSource,
    ShardSource,
    SourceConfig,
)
from antiphon.training.data.cutting import cut_clips
from antiphon.training.data.folders import read_folder
from antiphon.training.data.labels import SourceLabels, read_taxonomy, unify
from antiphon.training.data.projects import read_project
from antiphon.training.data.reading import Said, SourceRows
from antiphon.training.data.shard_source import read_shards
from antiphon.training.data.soft_targets import PRESENT_FROM, SoftTargets, soft_labels
from antiphon.training.data.synthesised import read_repertoire
from antiphon.training.data.table import (
    EVERY,
    Bool,
    ClipTable,
    Int32,
    Recordings,
    SourceInfo,
    Statements,
    strings,
)


def read_sources(config: DataConfig) -> tuple[ClipTable, list[str]]:
    """Read every source and bring the labels to one list of classes.

    A recording without times in its labels is one clip. One with annotated spans is cut into
    windows of ``clip_s``, side by side.

    Parameters
    ----------
    config
        The settings.

    Returns
    -------
    table : ClipTable
        All clips, of both sides.
    notes : list of str
        What was odd but did not stop the reading, one sentence each.

    Raises
    ------
    UserError
        Two sources have one name, labels do not go together, or too many recordings that had to
        be opened are unreadable.
    FileError, FormatError, StoreError
        A source cannot be read.
    """
    names = source_names(config.sources)
    parts = [
        _read(source, name, config.sample_rate)
        for source, name in zip(config.sources, names, strict=True)
    ]
    for part, source in zip(parts, config.sources, strict=True):
        if source.side != "split":
            part.side[:] = source.side == "validation"
        unknown = sorted(set(source.rename) - {label.name for label in part.labels})
        if unknown:
            raise UserError(
                f"Source {part.name!r}: rename lists {', '.join(map(repr, unknown))}, which it "
                "does not label anything with. Correct the spelling, or take it out."
            )
    seeds = {
        int(part.settings.get("seed", 0))
        for part, source in zip(parts, config.sources, strict=True)
        if source.kind == "repertoire"
    }
    if len(seeds) > 1:
        raise UserError(
            "Two repertoires of different seeds have classes of the same names that sound "
            "different. Use one seed, and tell the sources apart by n_bio and n_general."
        )
    taxonomy = None if config.taxonomy is None else read_taxonomy(config.taxonomy)
    classes = unify(
        [
            SourceLabels(part.name, part.labels, source.rename)
            for part, source in zip(parts, config.sources, strict=True)
        ],
        taxonomy,
        closed=config.closed,
    )
    infos = tuple(
        _info(part, source, column, len(classes.label_set))
        for part, source, column in zip(parts, config.sources, classes.columns, strict=True)
    )
    recordings, groups, shards = _join_recordings(parts)
    told = [
        among_all(part, source, column, classes.label_set.names)
        for part, source, column in zip(parts, config.sources, classes.columns, strict=True)
    ]
    statements = _join_statements(parts, told, len(recordings))
    windowed = np.concatenate([np.full(len(part.path), part.pseudo is not None) for part in parts])
    table, notes = cut_clips(
        infos, classes.label_set, groups, shards, recordings, statements, config, windowed
    )
    table = _with_soft_targets(table, parts, classes.columns, config)
    left_out = recordings.side[table.recording] == -2
    if left_out.any():
        notes.append(f"{int(left_out.sum())} clips are on neither side by their split columns.")
    keep = ~left_out
    if config.labelled_only:
        keep &= _something_known(table)
    _check_left(keep, left_out, config)
    notes += _never_drawn(config)
    return table.select(keep), [*(note for part in parts for note in part.notes), *notes]


def _check_left(keep: Bool, left_out: Bool, config: DataConfig) -> None:
    """Refuse settings that leave no clip, and say which of them does."""
    if keep.any() or not len(keep):
        return
    if left_out.all():
        raise UserError(
            "No clip is left: no value of the split columns is in training_splits or "
            "validation_splits. Write them there as the column has them."
        )
    raise UserError(
        "No clip is left: data.labelled_only keeps clips with labels, and the sources have none. "
        "Name the labels of a folder in the settings (labels, or label_folders: true), or set "
        "data.labelled_only=false."
    )


def _never_drawn(config: DataConfig) -> list[str]:
    if config.mix is None:
        return []
    domains = {source.domain for source in config.sources}
    return [
        f"Sources of the domain {domain} are never drawn: data.mix gives it no weight."
        for domain in sorted(domains)
        if not config.mix.get(domain)
    ]


def source_names(sources: Sequence[SourceConfig]) -> list[str]:
    """Return the name of each source.

    Raises
    ------
    UserError
        Two sources have the same.
    """
    names = [
        source.name
        or (source.path.expanduser().absolute().name if hasattr(source, "path") else source.kind)
        for source in sources
    ]
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise UserError(f"Two sources are called {twice[0]!r}: give one of them another name.")
    return names


def _read(source: SourceConfig, name: str, sample_rate: int) -> SourceRows:
    if isinstance(source, FolderSource):
        return read_folder(source, name, sample_rate)
    if isinstance(source, ProjectSource):
        return read_project(source, name, sample_rate)
    if isinstance(source, ShardSource):
        return read_shards(source, name)
    return read_repertoire(source, name)


def _info(part: SourceRows, source: SourceConfig, column: Int32, n: int) -> SourceInfo:
    own = np.full(n, source.exhaustive == "all")
    if source.exhaustive == "own":
        own[column[column >= 0]] = True
    return SourceInfo(
        part.name, source.kind, source.domain, part.root, source.weight, own, column, part.settings
    )


def _join_recordings(parts: Sequence[SourceRows]) -> tuple[Recordings, Any, Any]:
    sizes = [len(part.path) for part in parts]
    names = pa.chunked_array([strings(part.group) for part in parts]).dictionary_encode()
    encoded = names.combine_chunks()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.unify_dictionaries().chunk(0)
    ahead = np.cumsum([0, *(len(part.shards) for part in parts)])
    shards = [
        np.full(size, -1) if part.shard is None else part.shard + before
        for part, size, before in zip(parts, sizes, ahead, strict=False)
    ]
    nowhere = [np.zeros(size, np.int64) for size in sizes]
    recordings = Recordings(
        path=pa.chunked_array([strings(part.path) for part in parts]).combine_chunks(),
        source=np.repeat(np.arange(len(parts), dtype=np.int32), sizes),
        group=encoded.indices.to_numpy().astype(np.int32),
        duration_s=np.concatenate([part.duration_s for part in parts]),
        labelled=np.concatenate([part.labelled for part in parts]),
        side=np.concatenate([part.side for part in parts]),
        shard=np.concatenate(shards).astype(np.int32),
        offset=np.concatenate(
            [z if p.offset is None else p.offset for p, z in zip(parts, nowhere, strict=True)]
        ),
        size=np.concatenate(
            [z if p.size is None else p.size for p, z in zip(parts, nowhere, strict=True)]
        ),
    )
    paths = [path for part in parts for path in part.shards]
    return recordings, encoded.dictionary, strings(paths)


def _join_statements(
    parts: Sequence[SourceRows], told: Sequence[tuple[Said, Int32]], recordings: int
) -> Statements:
    said: list[Said] = []
    ahead = 0
    for part, (own, column) in zip(parts, told, strict=True):
        # One more entry at the end, which the number -1 finds.
        to_class = np.append(column, EVERY).astype(np.int32)
        label = to_class[own.label]
        keep = (label >= 0) | (own.label == EVERY)
        said.append(
            Said(
                own.recording[keep] + ahead,
                label[keep],
                own.start_s[keep],
                own.end_s[keep],
                own.value[keep],
            )
        )
        ahead += len(part.path)

    def joined(name: str) -> Any:
        return np.concatenate([getattr(one, name) for one in said])

    return Statements.sort(
        recordings,
        joined("recording"),
        joined("label"),
        joined("start_s"),
        joined("end_s"),
        joined("value"),
    )


def _with_soft_targets(
    table: ClipTable, parts: Sequence[SourceRows], columns: Sequence[Int32], config: DataConfig
) -> ClipTable:
    """Add the targets that come from models, and the classes that clips have by them."""
    if all(part.pseudo is None for part in parts):
        return table
    soft: list[SoftTargets | None] = []
    base = 0
    for part, column in zip(parts, columns, strict=True):
        given = part.pseudo
        soft.append(None if given is None else given.in_table(base, column, table.n_classes))
        base += len(part.path)
    table = replace(table, soft=tuple(soft))
    taken = []
    for clip in range(len(table)):
        recording = int(table.recording[clip])
        targets = table.soft_of(recording)
        if targets is None:
            taken.append(table.classes_of(clip))
            continue
        start_s, end_s = float(table.start_s[clip]), float(table.end_s[clip])
        labels, _ = soft_labels(targets, recording, start_s, end_s, config.min_overlap)
        taken.append(np.flatnonzero(labels >= PRESENT_FROM).astype(np.int32))
    first = np.cumsum([0, *map(len, taken)]).astype(np.int64)
    return replace(
        table, class_first=first, class_of=np.concatenate([np.empty(0, np.int32), *taken])
    )


def _something_known(table: ClipTable) -> Bool:
    """Return which clips have a class, or lie in a recording of which absences are known."""
    known = np.diff(table.class_first) > 0
    exhaustive = np.array([bool(info.own.any()) for info in table.sources])
    known |= (table.recordings.labelled & exhaustive[table.recordings.source])[table.recording]
    said = np.diff(table.statements.first) > 0
    known |= said[table.recording] | table.pseudo_clips
    return known

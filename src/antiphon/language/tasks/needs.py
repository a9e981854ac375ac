"""Which rows of a batch have what a task needs, column by column."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from antiphon.language.tasks.config import TasksConfig
from antiphon.language.tasks.entries import Task

Bool = npt.NDArray[np.bool_]


def eligible(batch: pa.RecordBatch, tasks: Sequence[Task], config: TasksConfig) -> Bool:
    """Return which rows have all that each task needs.

    A row that has it may still be refused when the answer is worked out: a sex that is neither
    male nor female, a list of species with a name that nobody knows.

    Parameters
    ----------
    batch
        Rows of a corpus.
    tasks
        The tasks.
    config
        For ``assume_absent`` and ``measure``.

    Returns
    -------
    numpy.ndarray
        ``(rows, tasks)`` bool.
    """
    needed = {need for task in tasks for need in task.needs}
    masks = {need: _NEEDS[need](batch, config) for need in needed}
    out = np.ones((batch.num_rows, len(tasks)), dtype=bool)
    for number, task in enumerate(tasks):
        for need in task.needs:
            out[:, number] &= masks[need]
    return out


def english(column: pa.ListArray) -> tuple[npt.NDArray[np.int64], pa.StringArray]:
    """Return the English names (and those without a language) of a column of common names.

    Returns
    -------
    rows
        ``(n,)`` int64: the row of each name.
    names
        The names, in the rows' order.
    """
    names = column.flatten()
    rows = pc.list_parent_indices(column).to_numpy().astype(np.int64)
    lang = names.field("lang")
    fits = pc.or_kleene(pc.is_null(lang), pc.or_(pc.equal(lang, "en"), pc.starts_with(lang, "en-")))
    fits = pc.and_(pc.fill_null(fits, False), pc.is_valid(names.field("name")))
    chosen = np.flatnonzero(fits.to_numpy(zero_copy_only=False))
    return rows[chosen], names.field("name").take(pa.array(chosen))


def _column(batch: pa.RecordBatch, name: str) -> pa.Array | None:
    return batch.column(name) if name in batch.schema.names else None


def _held(name: str) -> Callable[[pa.RecordBatch, TasksConfig], Bool]:
    def held(batch: pa.RecordBatch, config: TasksConfig) -> Bool:
        column = _column(batch, name)
        if column is None:
            return np.zeros(batch.num_rows, dtype=bool)
        if pa.types.is_list(column.type):
            return _numpy(pc.greater(pc.fill_null(column.value_lengths(), 0), 0))
        if pa.types.is_string(column.type):
            return _numpy(pc.fill_null(pc.not_equal(column, ""), False))
        return _numpy(pc.is_valid(column))

    return held


def _any(*names: str) -> Callable[[pa.RecordBatch, TasksConfig], Bool]:
    def held(batch: pa.RecordBatch, config: TasksConfig) -> Bool:
        out: Bool = np.logical_or.reduce([_held(name)(batch, config) for name in names])
        return out

    return held


def _domain(*wanted: str) -> Callable[[pa.RecordBatch, TasksConfig], Bool]:
    def held(batch: pa.RecordBatch, config: TasksConfig) -> Bool:
        column = _column(batch, "domain")
        if column is None:
            return np.full(batch.num_rows, "bio" in wanted)
        return _numpy(pc.fill_null(pc.is_in(column, pa.array(wanted)), False))

    return held


def _common_name(batch: pa.RecordBatch, config: TasksConfig) -> Bool:
    out = np.zeros(batch.num_rows, dtype=bool)
    column = _column(batch, "common_names")
    if column is not None:
        out[english(column)[0]] = True
    return out


def _exhaustive(batch: pa.RecordBatch, config: TasksConfig) -> Bool:
    column = _column(batch, "exhaustive")
    if column is None:
        return np.zeros(batch.num_rows, dtype=bool)
    return _numpy(pc.fill_null(column, False))


def _absence(batch: pa.RecordBatch, config: TasksConfig) -> Bool:
    if config.assume_absent:
        return np.ones(batch.num_rows, dtype=bool)
    return _exhaustive(batch, config)


def _audio(batch: pa.RecordBatch, config: TasksConfig) -> Bool:
    if not config.measure:
        return np.zeros(batch.num_rows, dtype=bool)
    length = _column(batch, "duration_s")
    held = _any("audio_path", "audio_bytes")(batch, config)
    if length is None:
        return held
    return held & _numpy(pc.fill_null(pc.less_equal(length, config.measure_s), True))


def _numpy(mask: pa.Array) -> Bool:
    out: Bool = mask.to_numpy(zero_copy_only=False).astype(bool)
    return out


_NEEDS: dict[str, Callable[[pa.RecordBatch, TasksConfig], Bool]] = {
    **{
        name: _held(name)
        for name in (
            "species", "genus", "family", "order", "events", "call_types", "life_stage", "sex",
            "individual", "count", "behaviour", "country", "time", "tags",
        )
    },
    "class": _held("class_"),
    "common_name": _common_name,
    "relatives": _any("genus", "family", "order"),
    "exhaustive": _exhaustive,
    "absence": _absence,
    "named": _held("species"),
    "scene": _any("country", "locality", "date", "time", "behaviour", "background_species"),
    "audio": _audio,
    "caption": _held("captions"),
    "general": _domain("general"),
    "music": _domain("music"),
    "described": _any("captions", "text", "tags"),
    "speech": _domain("speech"),
    "transcript": _held("text"),
}  # fmt: skip

"""A row of a record batch that reads like a ``CorpusRow``, made only as far as it is looked at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import MISSING, fields
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from antiphon.language.schema import SCHEMA, CommonName, CorpusRow, Event

_DEFAULTS: dict[str, Any] = {
    f.name: {} if f.default_factory is not MISSING else f.default for f in fields(CorpusRow)
}


def filled(batch: pa.RecordBatch, name: str) -> pa.Array:
    """Return a column of a batch, nulls where it has none such."""
    if name in batch.schema.names:
        return batch.column(name)
    return pa.nulls(batch.num_rows, SCHEMA.field(name).type)


class BatchRows:
    """The rows of a record batch; a column becomes Python values when it is first looked at.

    A :class:`CorpusRow` of 48 fields for each of a million rows would cost more than the pairs.

    Parameters
    ----------
    batch
        With some or all columns of ``language.schema.SCHEMA``; a column that is missing holds
        the default of :class:`CorpusRow`.
    """

    def __init__(self, batch: pa.RecordBatch) -> None:
        self.batch = batch
        self._columns: dict[str, Sequence[Any]] = {}

    def __len__(self) -> int:
        return int(self.batch.num_rows)

    def __getitem__(self, index: int) -> CorpusRow:
        """Return a row: an object with the attributes of :class:`CorpusRow`."""
        return cast(CorpusRow, _View(self, index))

    def column(self, name: str) -> Sequence[Any]:
        """Return the values of a column."""
        found = self._columns.get(name)
        if found is None:
            found = self._columns[name] = self._read(name)
        return found

    def _read(self, name: str) -> Sequence[Any]:
        if name not in _DEFAULTS:
            raise AttributeError(f"a corpus row has no field {name!r}")
        if name not in self.batch.schema.names:
            return [_DEFAULTS[name]] * len(self)
        column = self.batch.column(name)
        kind = SCHEMA.field(name).type
        if pa.types.is_map(kind):
            return [dict(pairs or ()) for pairs in column.to_pylist()]
        if pa.types.is_list(kind):
            return _Lists(column, {"common_names": CommonName, "events": Event}.get(name))
        values: list[Any] = column.to_pylist()
        return values


class _View:
    __slots__ = ("_columns", "_index", "_rows")

    def __init__(self, rows: BatchRows, index: int) -> None:
        self._rows = rows
        self._columns = rows._columns
        self._index = index

    def __getattr__(self, name: str) -> Any:
        column = self._columns.get(name)
        return (self._rows.column(name) if column is None else column)[self._index]


class _Lists(Sequence[Any]):
    """A column of lists as tuples, cut out of the flat values on demand."""

    def __init__(self, column: pa.ListArray, item: Callable[..., Any] | None) -> None:
        lengths = pc.fill_null(column.value_lengths(), 0).to_numpy()
        self._starts: list[int] = [0, *np.cumsum(lengths).tolist()]
        flat = column.flatten().to_pylist()
        self._flat = flat if item is None else [item(**value) for value in flat]

    def __len__(self) -> int:
        return len(self._starts) - 1

    def __getitem__(self, index: Any) -> Any:
        return tuple(self._flat[self._starts[index] : self._starts[index + 1]])

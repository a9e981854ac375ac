"""Declarative mapping: which field of a publisher becomes which column, and how it is read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from functools import partial
from typing import Any

from antiphon.language.schema import CorpusRow
from antiphon.language.sources import values
from antiphon.language.sources.findings import BadValueError, Finding

Record = Mapping[str, Any]
"""One record of a publisher: values by field name."""

_COLUMNS = frozenset(f.name for f in fields(CorpusRow))
_SPECIAL = frozenset({"names"})


class Field:
    """Where a value is and how it is read.

    Parameters
    ----------
    *keys
        Names of the field; the first that holds something counts.
    parse
        What makes the column's value of it; may raise :class:`~.findings.BadValueError`.
    """

    __slots__ = ("keys", "parse")

    def __init__(self, *keys: str, parse: Callable[[Any], Any] = values.text) -> None:
        self.keys = keys
        self.parse = parse


@dataclass(frozen=True, slots=True)
class Mapped:
    """Column values of one record, and what could not be read."""

    values: dict[str, Any]
    findings: list[Finding]


class Mapper:
    """Apply a mapping to records.

    Parameters
    ----------
    mapping
        Field (or the name of a text field) by column of :class:`CorpusRow`; ``names`` stands for
        the names of the audio file.
    extra
        Fields that are kept as they are in ``CorpusRow.extra``, by the name they get there.
    nested
        Whether a dot in a key leads into a record inside a record, as in ``taxon.name``.

    Raises
    ------
    ValueError
        If a column does not exist: a mistake in a recipe.
    """

    def __init__(
        self,
        mapping: Mapping[str, str | Field],
        extra: Mapping[str, str] | Iterable[str] = (),
        *,
        nested: bool = False,
    ) -> None:
        unknown = set(mapping) - _COLUMNS - _SPECIAL
        if unknown:
            raise ValueError(f"not columns of a corpus row: {', '.join(sorted(unknown))}")
        self._nested = nested
        named = extra if isinstance(extra, Mapping) else {name: name for name in extra}
        self._extra = dict(named)
        full = {
            column: field if isinstance(field, Field) else Field(field)
            for column, field in mapping.items()
        }
        # Plain tuples: this is the loop that a million records pass through.
        self._fields = [(column, field.keys, field.parse) for column, field in full.items()]

    def __call__(self, record: Record) -> Mapped:
        """Return what a record says; columns it says nothing of are left out."""
        get = partial(_nested, record) if self._nested else record.get
        found: dict[str, Any] = {}
        findings: list[Finding] = []
        for column, keys, parse in self._fields:
            for key in keys:
                value = get(key)
                if value is None or value == "":
                    continue
                try:
                    parsed = parse(value)
                except BadValueError as error:
                    findings.append(Finding(error.reason, f"{key}: {error}"))
                    continue
                if parsed is not None and parsed != ():
                    found[column] = parsed
                    break
        extra = {
            name: kept
            for name, key in self._extra.items()
            if (kept := values.text(get(key))) is not None
        }
        if extra:
            found["extra"] = extra
        return Mapped(found, findings)


def _nested(record: Record, key: str) -> Any:
    value: Any = record
    for step in key.split("."):
        if not isinstance(value, Mapping):
            return None
        value = value.get(step)
    return value

"""Settings as nested tables: one laid on top of another, single keys set, differences told."""

from __future__ import annotations

import json
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from copy import deepcopy
from typing import Any

import pydantic

from antiphon.encoders.checking import Strict, faults
from antiphon.errors import UserError

# What changes neither the examples nor the steps: a run may go on with other values.
_FREE = (
    "description",
    "licence",
    "source",
    "loop.device",
    "loop.processes",
    "loop.threads",
    "loop.log_every",
    "loop.tensorboard",
    "checkpoint",
    "validation",
    "data.workers",
    "data.cache",
)


def merge(base: dict[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Return tables merged key by key; lists, and tables of another kind, are replaced."""
    merged = dict(base)
    for key, value in over.items():
        before = merged.get(key)
        merged[key] = value
        if isinstance(before, dict) and isinstance(value, Mapping):
            # Another kind of the same thing has other keys.
            kind = before.get("kind")
            if value.get("kind", kind) == kind:
                merged[key] = merge(before, value)
    return merged


def put(data: dict[str, Any], key: str, value: Any) -> None:
    """Set a dotted key; numbers go into lists.

    Raises
    ------
    UserError
        The key leads into a value, or beyond a list.
    """
    *before, last = key.split(".")
    here: Any = data
    for step in before:
        if isinstance(here, list):
            here = here[_index(here, step, key)]
        else:
            if here.get(step) is None:
                here[step] = {}
            here = here[step]
        if not isinstance(here, dict | list):
            raise UserError(f"--set {key}: {step!r} is a value, not a table.")
    if isinstance(here, list):
        here[_index(here, last, key)] = value
    else:
        here[last] = value


def refuse_options(
    model: type[Strict],
    data: Mapping[str, Any],
    given: Mapping[str, Any],
    options: AbstractSet[str],
) -> None:
    """Blame the options for what would be right without them; a file is not at fault then.

    Parameters
    ----------
    model
        What the settings must be.
    data
        The settings of the file alone.
    given
        What was put into them, by dotted key.
    options
        The keys of it that were options.

    Raises
    ------
    UserError
        Names each option at fault, and what is wrong.
    """
    wrong = _faults(model, data, given)
    blamed: dict[str, list[str]] = {}
    for key in sorted(options):
        without = _faults(model, data, {k: v for k, v in given.items() if k != key})
        its = "; ".join(fault for fault in wrong if fault not in without)
        if its:
            blamed.setdefault(its, []).append(f"--set {key}={_value(given[key])}")
    if blamed:
        raise UserError(" ".join(f"{', '.join(who)}: {its}." for its, who in blamed.items()))


def _faults(model: type[Strict], data: Mapping[str, Any], given: Mapping[str, Any]) -> list[str]:
    tables = deepcopy(dict(data))
    try:
        for key, value in given.items():
            put(tables, key, value)
        model.model_validate(tables)
    except pydantic.ValidationError as error:
        return faults(model, error)
    except UserError as error:
        # One option goes into what another one brings.
        return [str(error)]
    return []


def _value(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str)


def _index(values: list[Any], step: str, key: str) -> int:
    if not step.isdigit() or int(step) >= len(values):
        raise UserError(f"--set {key}: {step!r} is no place in a list of {len(values)}.")
    return int(step)


def differing_keys(
    theirs: Mapping[str, Any], mine: Mapping[str, Any]
) -> list[tuple[str, str, str]]:
    """Return dotted keys that differ and matter, with both values as text.

    Left out are settings that change neither examples nor steps, such as the number of workers.
    """
    old, new = _flat(theirs), _flat(mine)
    keys = [key for key in dict.fromkeys([*old, *new]) if old.get(key) != new.get(key)]
    return [
        (key, _shown(old, key), _shown(new, key))
        for key in keys
        if not any(key == free or key.startswith(f"{free}.") for free in _FREE)
    ]


def _flat(value: Any, key: str = "") -> dict[str, Any]:
    if isinstance(value, Mapping):
        parts = {k: _flat(v, f"{key}.{k}" if key else str(k)) for k, v in value.items()}
        return {k: v for part in parts.values() for k, v in part.items()} or {key: {}}
    if isinstance(value, list):
        flat = {k: v for i, v in enumerate(value) for k, v in _flat(v, f"{key}.{i}").items()}
        return flat or {key: []}
    return {key: value}


def _shown(flat: Mapping[str, Any], key: str) -> str:
    return json.dumps(flat[key]) if key in flat else "not given"

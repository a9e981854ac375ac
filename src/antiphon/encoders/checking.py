"""Strict checking of what users write: a wrong key is named, with the nearest right one."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import pydantic
import yaml

from antiphon.errors import FormatError, UserError


class Strict(pydantic.BaseModel):
    """A frozen model that refuses keys it does not know."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)


StrictT = TypeVar("StrictT", bound=Strict)


def nearest(name: str, known: Iterable[str]) -> str:
    """Return ``" Did you mean 'x'?"`` for the closest known name, or an empty string."""
    close = difflib.get_close_matches(name, list(known), n=3, cutoff=0.5)
    return f" Did you mean {' or '.join(repr(c) for c in close)}?" if close else ""


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML file that holds a mapping.

    Raises
    ------
    FormatError
        It cannot be read, is not YAML, has a key twice, or is not a mapping.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise FormatError(path, f"cannot be read: {error}") from error
    try:
        data = yaml.load(text, Loader=_UniqueKeys)
    except yaml.YAMLError as error:
        raise FormatError(path, f"is not valid YAML: {error}") from error
    if not isinstance(data, dict):
        raise FormatError(path, "is not a table of keys and values", "See the manifest reference")
    return data


def check_file(model: type[StrictT], data: Mapping[str, Any], path: Path) -> StrictT:
    """Check the content of a settings file.

    Raises
    ------
    FormatError
        Names the file, the key, what is wrong and the closest valid key.
    """
    try:
        return model.model_validate(data)
    except pydantic.ValidationError as error:
        raise FormatError(path, _sentences(model, error)) from error


def check_parameters(model: type[StrictT], data: Mapping[str, Any], encoder: str) -> StrictT:
    """Check the parameters given for an encoder.

    Raises
    ------
    UserError
        Names the parameter, what is wrong and the valid ones.
    """
    try:
        return model.model_validate(data)
    except pydantic.ValidationError as error:
        valid = ", ".join(sorted(model.model_fields)) or "none"
        raise UserError(
            f"Encoder {encoder!r}: {_sentences(model, error)}. Its parameters: {valid}."
        ) from error


def _sentences(model: type[Strict], error: pydantic.ValidationError) -> str:
    return "; ".join(faults(model, error))


def faults(model: type[Strict], error: pydantic.ValidationError) -> list[str]:
    """Return what is wrong with each key: its name, the problem, the closest valid key."""
    parts = []
    for fault in error.errors():
        place = [str(p) for p in fault["loc"]]
        key = ".".join(place)
        if fault["type"] == "extra_forbidden":
            known = _known_keys(model, place[:-1])
            hint = nearest(place[-1], known).strip()
            parts.append(f"unknown key {key!r}" + (f" ({hint})" if hint else ""))
        elif fault["type"] == "missing":
            parts.append(f"key {key!r} is missing")
        else:
            message = fault["msg"].removeprefix("Value error, ")
            said = f"{message[:1].lower()}{message[1:]}"
            parts.append(f"key {key!r}: {said}" if place else said)
    return parts


def _known_keys(model: type[pydantic.BaseModel], place: list[str]) -> list[str]:
    """Keys valid at ``place``; a tagged union puts the tag of its member into the place."""
    found: list[type[pydantic.BaseModel]] = [model]
    for step in place:
        inner = [m for f in found for m in _models(f, step)]
        found = inner or [m for m in found if _tag(m) == step] or found
    return sorted({name for m in found for name in m.model_fields})


def _models(model: type[pydantic.BaseModel], field: str) -> list[type[pydantic.BaseModel]]:
    if field not in model.model_fields:
        return []
    pending, found = [model.model_fields[field].annotation], []
    while pending:
        kind = pending.pop()
        if isinstance(kind, type) and issubclass(kind, pydantic.BaseModel):
            found.append(kind)
        pending.extend(getattr(kind, "__args__", ()))
    return found


def _tag(model: type[pydantic.BaseModel]) -> str | None:
    field = model.model_fields.get("kind")
    arguments = getattr(field.annotation, "__args__", ()) if field is not None else ()
    return str(arguments[0]) if arguments else None


class _UniqueKeys(yaml.SafeLoader):
    """A safe loader to which a key given twice is an error, not the last one's victory."""


def _unique_mapping(loader: _UniqueKeys, node: yaml.MappingNode) -> dict[Any, Any]:
    keys = [loader.construct_object(key, deep=True) for key, _ in node.value]
    for key in keys:
        if keys.count(key) > 1:
            raise yaml.constructor.ConstructorError(
                None, None, f"key {key!r} is given twice", node.start_mark
            )
    return loader.construct_mapping(node, deep=True)


_UniqueKeys.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _unique_mapping)

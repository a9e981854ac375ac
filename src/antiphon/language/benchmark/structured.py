"""Answers in JSON (or as Python prints it): names, lists, objects, scores of labels."""

from __future__ import annotations

import ast
import json
import math
import re
from dataclasses import dataclass
from typing import Any

NAME_KEYS = (
    *("labels", "label", "answers", "answer", "predictions", "prediction", "species", "classes"),
    *("class", "names", "name", "detections", "events", "results", "result", "choice", "caption"),
)
"""Keys of an object under which its names are looked for, in this order."""
PRESENCE_KEYS = ("present", "presence", "detected")
"""Keys that say whether the name beside them is there."""

_FENCE = re.compile(r"```[a-z]*\s*(.*?)```", re.DOTALL | re.IGNORECASE)
# Longer ones are no answers, and Python's own parser is slow on them.
_MOST = 20_000


@dataclass(frozen=True, slots=True)
class Structured:
    """What a structured answer says.

    Parameters
    ----------
    names
        Names in their order; empty for an empty list or null.
    scores
        Scores of labels, if the answer is an object of numbers or of true and false, else None.
    """

    names: tuple[str, ...]
    scores: dict[str, float] | None = None


def read_structured(text: str) -> Structured | None:
    """Return what a JSON answer says, alone, in a code fence or behind a word or two; else None."""
    fenced = _FENCE.search(text)
    body = (fenced.group(1) if fenced else text).strip()
    begin = min((i for mark in "[{" if (i := body.find(mark)) >= 0), default=-1)
    # A bracket inside a sentence is a remark, not an answer.
    if begin < 0 or len(body) > _MOST or len(body[:begin].split()) > 4:
        return None
    value = _value(body[begin:])
    return None if value is None else _structured(value)


def _value(body: str) -> Any:
    try:
        return json.JSONDecoder().raw_decode(body)[0]
    except (json.JSONDecodeError, RecursionError):
        pass
    end = max(body.rfind("]"), body.rfind("}"))
    try:
        return ast.literal_eval(body[: end + 1])
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        return None


def _structured(value: Any) -> Structured | None:
    if isinstance(value, dict) and value and all(_is_score(v) for v in value.values()):
        scores = {str(k): float(v) for k, v in value.items()}
        return Structured((), scores)
    names = _names(value)
    return None if names is None else Structured(tuple(names))


def _is_score(value: Any) -> bool:
    return isinstance(value, bool | int | float) and math.isfinite(value)


def _names(value: Any) -> list[str] | None:
    """Return all names in a value; None if it holds something that is no name."""
    if value is None:
        return []
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        if any(value.get(key) is False for key in PRESENCE_KEYS):
            return []
        key = next((k for k in NAME_KEYS if k in value), None)
        if key is None and len(value) == 1:
            key = next(iter(value))
        return None if key is None else _names(value[key])
    if isinstance(value, list | tuple | set):
        parts = [_names(one) for one in value]
        return None if any(p is None for p in parts) else [n for p in parts if p for n in p]
    return None

"""Checks of values as they are written in an ensemble's file; a fault is a :class:`ValueError`."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from antiphon.encoders.checking import nearest


def checked_weight(given: object) -> object:
    """Check a weight: a number above 0, or numbers by class or taxon."""
    if isinstance(given, dict):
        if not given:
            raise ValueError("the table of weights is empty")
        for key, value in given.items():
            if not isinstance(key, str):
                raise ValueError(f"the class {key!r} is read as a number; put it in quotes")
            if not is_number(value) or value < 0:
                raise ValueError(f"the weight of {key} is {value!r}, not a number of at least 0")
    elif not is_number(given):
        raise ValueError(f"a weight is a number or a table of numbers by class, not {given!r}")
    elif given <= 0:  # type: ignore[operator]
        raise ValueError(f"the weight is {given!r}, but must be above 0; or take the member out")
    return given


def is_number(value: object) -> bool:
    """Return whether a value is a finite number, and not true or false."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) < float("inf")


def checked_names(given: object) -> object:
    """Check a list of classes, or a file of them."""
    if isinstance(given, str | Path):
        return Path(given)
    if not isinstance(given, list | tuple) or not given:
        raise ValueError("classes are a list of names, or a file")
    for name in given:
        if not isinstance(name, str):
            raise ValueError(f"the class {name!r} is read as no text; put it in quotes")
    if doubled := sorted({name for name in given if given.count(name) > 1}):
        raise ValueError(f"doubled: {', '.join(doubled[:3])}")
    return tuple(given)


def checked_prior(given: object) -> object:
    """Check a number from 0 to 1, or a file."""
    if isinstance(given, str | Path):
        return Path(given)
    if not is_number(given) or not 0 <= given <= 1:  # type: ignore[operator]
        raise ValueError("a prior is a number from 0 to 1, or a file of counts or probabilities")
    return given


def check_tree(nodes: Mapping[str, Collection[str]], root: str, members: Sequence[str]) -> None:
    """Raise :class:`ValueError` unless each member and group is used exactly once, in a tree."""
    known = [*members, *(name for name in nodes if name != root)]
    users: dict[str, list[str]] = {name: [] for name in known}
    for user, node in nodes.items():
        for name in node:
            if name not in users:
                raise ValueError(
                    f"{user} is to blend {name!r}, which is neither member nor group."
                    + nearest(name, known)
                )
            users[name].append(user)
    for name, found in users.items():
        what = "member" if name in members else "group"
        if not found:
            raise ValueError(f"the {what} {name!r} is in no blend; use it, or take it out")
        if len(found) > 1:
            raise ValueError(f"the {what} {name!r} is in several blends: {', '.join(found)}")
    reached, pending = set(), [root]
    while pending:
        name = pending.pop()
        reached.add(name)
        pending.extend(child for child in nodes[name] if child in nodes)
    if lost := [name for name in nodes if name not in reached]:
        raise ValueError(f"the groups {', '.join(lost)} blend each other in a circle")

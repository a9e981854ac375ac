"""From the names of tensors in other projects' files to those of a model here."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from torch import Tensor

State = Mapping[str, Tensor]


class LayoutError(ValueError):
    """The tensors are not those of the layout; the text says why."""


class Converted(NamedTuple):
    """A state dict under the names of :class:`~antiphon.training.model.EncoderModel`.

    Parameters
    ----------
    state
        Tensors of the model.
    ignored
        Names in the file of what is no part of an encoder.
    """

    state: dict[str, Tensor]
    ignored: tuple[str, ...]


def convert(
    state: State, rename: Callable[[str], str], ignored: str = r"(?!)", prefixes: str = r"(?!)"
) -> Converted:
    """Rename tensors, after taking off what was wrapped around the network.

    Parameters
    ----------
    state
        Tensors of a file.
    rename
        From a name without its wrapping to the model's.
    ignored, prefixes
        Regular expressions from the start of a name without its wrapping: tensors that are no
        part of an encoder, and wrappings.
    """
    found: dict[str, Tensor] = {}
    left = []
    for name, tensor in state.items():
        bare = re.sub(rf"^(?:module\.)?(?:{prefixes})*", "", name)
        if re.match(ignored, bare):
            left.append(name)
        else:
            found[rename(bare)] = tensor
    return Converted(found, tuple(left))


def by_table(*table: tuple[str, str]) -> Callable[[str], str]:
    """Replace the first regular expression of a table that matches the start of a name."""

    def rename(name: str) -> str:
        for pattern, replacement in table:
            changed, count = re.subn(rf"^{pattern}", replacement, name)
            if count:
                return changed
        return name

    return rename


def class_names(weight: Tensor | None, given: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names of a classifier's classes, ``class_0`` and so on where none are given.

    Raises
    ------
    LayoutError
        There are more or fewer than rows in the classifier's weight, or there is no classifier.
    """
    if weight is None:
        if given:
            raise LayoutError("it has no classifier, but classes were named")
        return ()
    count = len(weight)
    if given and len(given) != count:
        raise LayoutError(f"it has {count} classes, but {len(given)} were named")
    return given or tuple(f"class_{number}" for number in range(count))


def depth_of(state: State, prefix: str) -> int:
    """Return how many blocks there are under ``prefix``, which numbers follow.

    Raises
    ------
    LayoutError
        There is none.
    """
    numbers = [
        int(match[1]) for key in state if (match := re.match(rf"{re.escape(prefix)}(\d+)\.", key))
    ]
    if not numbers:
        raise LayoutError(f"there is no tensor {prefix}0...")
    return max(numbers) + 1

"""Weights into networks: nothing is left out or left over unseen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from pickle import UnpicklingError
from typing import Any
from zipfile import is_zipfile

import torch
from rich.console import Console
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from antiphon.errors import ModelError

Rename = Mapping[str, str] | Callable[[str], str | None]
"""From a file's tensor names to a network's: a table of prefixes, or a function of the name.

Prefixes are tried longest first; a name without one stays as it is. The function returns None for
a tensor that is not wanted.
"""

_SHOWN = 8


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What became of a file's tensors.

    Parameters
    ----------
    source
        The file.
    loaded
        Number of tensors taken over.
    missing
        Tensors of the network that the file lacks.
    unexpected
        Tensors of the file, by their names there, that the network has no place for.
    misshapen
        Tensors whose shapes differ: name, shape in the file, shape in the network.
    ignored
        Tensors that were left out on purpose, by their names in the file.
    """

    source: str
    loaded: int
    missing: tuple[str, ...] = ()
    unexpected: tuple[str, ...] = ()
    misshapen: tuple[tuple[str, tuple[int, ...], tuple[int, ...]], ...] = ()
    ignored: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether every tensor found its place."""
        return not (self.missing or self.unexpected or self.misshapen)

    def __str__(self) -> str:
        lines = [f"{self.source}: {self.loaded} tensors loaded"]
        lines += _listed("missing from the file", self.missing)
        lines += _listed("unexpected in the file", self.unexpected)
        lines += _listed(
            "of another shape",
            [f"{name} {found}, not {wanted}" for name, found, wanted in self.misshapen],
        )
        lines += _listed("left out on purpose", self.ignored)
        return "\n".join(lines)


def load_state(
    module: nn.Module,
    state: Mapping[str, Tensor],
    *,
    source: Path | str = "state dict",
    rename: Rename | None = None,
    allow_missing: Sequence[str] = (),
    allow_unexpected: Sequence[str] = (),
    quiet: bool = False,
) -> LoadReport:
    """Fill a network with weights, strictly, and print what was missing or unexpected.

    Nothing is changed if anything does not fit.

    Parameters
    ----------
    module
        The network.
    state
        Tensors by name.
    source
        Where they come from, for messages.
    rename
        From names in ``state`` to names in ``module``.
    allow_missing, allow_unexpected
        Patterns (``head.*``) of the network's tensors that may be missing, and of the file's
        that may be left over; both are still reported.
    quiet
        Print nothing when every tensor found its place.

    Returns
    -------
    LoadReport
        What was done, also printed to standard error.

    Raises
    ------
    ModelError
        A tensor is missing, left over or of another shape, or two get the same name; the message
        names them.
    """
    wanted = module.state_dict()
    given, ignored, origin = _renamed(state, rename, str(source))
    unexpected = [origin[name] for name in given if name not in wanted]
    missing = [name for name in wanted if name not in given]
    misshapen = [
        (name, tuple(given[name].shape), tuple(tensor.shape))
        for name, tensor in wanted.items()
        if name in given and given[name].shape != tensor.shape
    ]
    bad_missing = [name for name in missing if not _matches(name, allow_missing)]
    bad_unexpected = [name for name in unexpected if not _matches(name, allow_unexpected)]
    fits = {name: tensor for name, tensor in given.items() if name in wanted}
    report = LoadReport(
        str(source),
        len(fits) - len(misshapen),
        tuple(missing),
        tuple(unexpected),
        tuple(misshapen),
        tuple(ignored),
    )
    if bad_missing or bad_unexpected or misshapen:
        faults = LoadReport(
            str(source), 0, tuple(bad_missing), tuple(bad_unexpected), tuple(misshapen)
        )
        problem = "; ".join(str(faults).splitlines()[1:])
        raise ModelError(source, f"the weights do not fit the network: {problem}")
    module.load_state_dict(fits, strict=False)
    if not (quiet and report.complete):
        Console(stderr=True).print(str(report), markup=False, highlight=False, soft_wrap=True)
    return report


def read_state(path: Path) -> dict[str, Tensor]:
    """Read tensors by name from a ``.safetensors`` or PyTorch file, never running its code.

    Of a PyTorch file that nests them, the table under ``model`` or ``state_dict`` is taken.

    Raises
    ------
    ModelError
        It cannot be read, is no such file, or holds Python objects other than tensors.
    """
    if not path.is_file():
        raise ModelError(path, "there is no such file")
    if path.suffix == ".safetensors":
        try:
            return dict(load_file(path))
        except (OSError, SafetensorError) as error:
            raise ModelError(path, f"is not a safetensors file: {error}") from error
    content = read_checkpoint(path)
    for key in ("state_dict", "model"):
        if isinstance(content.get(key), Mapping):
            content = dict(content[key])
    tensors = {name: value for name, value in content.items() if isinstance(value, Tensor)}
    if not tensors:
        raise ModelError(path, "holds no tensors by name", "Save the network's state_dict() alone")
    return tensors


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Read a PyTorch file of tensors and plain values.

    Raises
    ------
    ModelError
        It cannot be read or holds other Python objects.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        # A file of another kind makes the reader of pickles fail in any way.
        if isinstance(error, UnpicklingError) and is_zipfile(path):
            raise ModelError(
                path,
                "holds Python objects, which are not loaded because they can run code",
                "Where you trust it, load it yourself and save its state_dict() as safetensors",
            ) from error
        raise ModelError(path, "is not a PyTorch file of tensors") from error
    if not isinstance(content, dict):
        raise ModelError(path, "is not a table of tensors by name")
    return dict(content)


def _renamed(
    state: Mapping[str, Tensor], rename: Rename | None, source: str
) -> tuple[dict[str, Tensor], list[str], dict[str, str]]:
    change = _function(rename)
    given: dict[str, Tensor] = {}
    origin: dict[str, str] = {}
    ignored = []
    for name, tensor in state.items():
        new = change(name)
        if new is None:
            ignored.append(name)
            continue
        if new in given:
            raise ModelError(source, f"{origin[new]!r} and {name!r} both stand for {new!r}")
        given[new], origin[new] = tensor, name
    return given, ignored, origin


def _function(rename: Rename | None) -> Callable[[str], str | None]:
    if rename is None:
        return lambda name: name
    if not isinstance(rename, Mapping):
        return rename
    table = sorted(rename.items(), key=lambda pair: -len(pair[0]))

    def change(name: str) -> str:
        for old, new in table:
            if name.startswith(old):
                return new + name[len(old) :]
        return name

    return change


def _matches(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _listed(what: str, names: Sequence[str]) -> list[str]:
    if not names:
        return []
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return [f"{len(names)} {what}: {', '.join(names[:_SHOWN])}{more}"]

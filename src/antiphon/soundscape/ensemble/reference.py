"""A reference set that scores are ranked against, frozen in a file.

The file is safetensors: a JSON header and raw arrays, so that reading one never runs code.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from antiphon.errors import ModelError
from antiphon.evaluation.blending.files.rows import counted, first_few
from antiphon.replacing import replacing
from antiphon.soundscape.ensemble.config import EnsembleConfig
from antiphon.soundscape.ensemble.nodes import NEEDS_REFERENCE, NodeFit
from antiphon.soundscape.ensemble.ranks import RankMap, common_rows

Bool = npt.NDArray[np.bool_]

FORMAT, FORMAT_VERSION = "antiphon-ensemble-reference", 1
_ARRAYS = ("values", "below", "upto", "start", "stop", "counts")
_AGAIN = "Make it again with: antiphon soundscape fit"


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """What the blends of an ensemble keep of a reference set.

    Parameters
    ----------
    classes
        Of the output.
    nodes
        Of each rank and zlogit blend.
    recipe
        Members and weights by which the scores of groups came about, by blend and child.
    facts
        Windows, recordings and files of the set, as JSON values.
    path
        Where it was read from.
    """

    classes: tuple[str, ...]
    nodes: Mapping[str, NodeFit]
    recipe: Mapping[str, Mapping[str, Any]]
    facts: Mapping[str, Any]
    path: Path | None = None

    @property
    def bound(self) -> float:
        """Largest error of a position in a blend that comes of scores left out, 0 if none was.

        That of a group goes into the scores that the blend above it ranks, and is not part of the
        bound there.
        """
        maps = [fit.ranks for fit in self.nodes.values() if fit.ranks is not None]
        return max((one.bound for one in maps), default=0.0)

    def check(
        self, config: EnsembleConfig, classes: Sequence[str], known: Mapping[str, Bool]
    ) -> None:
        """Check that it was made for this ensemble.

        Parameters
        ----------
        config, classes
            The ensemble.
        known
            ``(C,)`` which classes each member and group speaks on.

        Raises
        ------
        ModelError
            If it is of other classes, its groups were blended otherwise, or a member knows a class
            that it did not score in the reference set.
        """
        path = self.path or Path("reference")
        if tuple(classes) != self.classes:
            raise ModelError(
                path,
                f"it is of {counted(len(self.classes), 'classes')} ({first_few(self.classes)}), "
                f"not of the {len(classes)} of the ensemble in their order",
                _AGAIN,
            )
        for name, recipe in recipes(config).items():
            if name not in self.nodes:
                raise ModelError(path, f"it lacks the blend {name!r}", _AGAIN)
            if list(self.recipe[name]) != list(recipe) or self.recipe[name] != recipe:
                odd = [child for child in recipe if recipe[child] != self.recipe[name].get(child)]
                what = f"{odd[0]!r} was blended otherwise" if odd else "its members differ"
                raise ModelError(path, f"it does not fit the blend {name!r}: {what}", _AGAIN)
            heard = self.nodes[name].heard
            for i, child in enumerate(config.nodes[name].of):
                if heard is not None and (known[child] & ~heard[i]).any():
                    lacking = [classes[int(c)] for c in np.flatnonzero(known[child] & ~heard[i])]
                    raise ModelError(
                        path,
                        f"{child!r} knows {counted(len(lacking), 'classes')} that it did not score "
                        f"in the reference set: {first_few(lacking)}",
                        _AGAIN,
                    )

    def save(self, path: Path | str) -> None:
        """Write it as one file; whatever happens, it is there whole or not at all.

        Raises
        ------
        ModelError
            If it cannot be written; an older file of that name is then untouched.
        """
        from safetensors import SafetensorError
        from safetensors.numpy import save_file

        path = Path(path)
        tensors: dict[str, npt.NDArray[Any]] = {}
        for name, fit in self.nodes.items():
            if fit.ranks is not None:
                for key in _ARRAYS:
                    tensors[f"{name}/{key}"] = _lean(getattr(fit.ranks, key))
            if fit.mean is not None and fit.spread is not None:
                tensors[f"{name}/mean"], tensors[f"{name}/spread"] = fit.mean, fit.spread
        header = {"classes": self.classes, "recipe": self.recipe, "facts": self.facts}
        metadata = {
            "format": FORMAT,
            "version": str(FORMAT_VERSION),
            "reference": json.dumps(header, allow_nan=False),
        }
        lean = {name: np.ascontiguousarray(array) for name, array in tensors.items()}
        try:
            with replacing(path, sync=True) as part:
                save_file(lean, part, metadata)
        except (OSError, SafetensorError) as error:
            raise ModelError(
                path,
                f"the reference cannot be written ({error})",
                "Check the space and the permissions there",
            ) from error

    @classmethod
    def load(cls, path: Path | str) -> Reference:
        """Read a reference; no code in the file is ever run.

        Raises
        ------
        ModelError
            If the file is missing, corrupt, something else, or of a newer version.
        """
        from safetensors import SafetensorError, safe_open

        path = Path(path)
        if not path.is_file():
            raise ModelError(path, "there is no such file", _AGAIN)
        try:
            with safe_open(path, framework="numpy") as file:
                metadata = file.metadata() or {}
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except (OSError, SafetensorError, ValueError, TypeError) as error:
            raise ModelError(path, f"it is corrupt or no reference ({error})", _AGAIN) from error
        if metadata.get("format") != FORMAT:
            raise ModelError(path, "it is a safetensors file, but no reference", _AGAIN)
        if metadata.get("version") != str(FORMAT_VERSION):
            raise ModelError(
                path,
                f"its format is {metadata.get('version')!r}, and this version reads "
                f"{FORMAT_VERSION}",
                "Upgrade with: pip install --upgrade antiphon",
            )
        try:
            header = json.loads(metadata["reference"])
            classes = tuple(header["classes"])
            nodes = {name: _node(name, tensors, len(classes)) for name in header["recipe"]}
            return cls(classes, nodes, header["recipe"], header["facts"], path)
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            raise ModelError(path, f"the reference in it is damaged ({error})", _AGAIN) from error


def recipes(config: EnsembleConfig) -> dict[str, dict[str, Any]]:
    """Return how the scores that each rank and zlogit blend compares come about, by child.

    The weights of the blend itself are not part of it: they can change without a new reference.
    """
    nodes = config.nodes

    def made(name: str) -> Any:
        if name not in nodes:
            return "member"
        node = nodes[name]
        return {
            "kind": node.kind,
            "clip": node.clip,
            "exponent": node.exponent,
            "of": {child: [weight, made(child)] for child, weight in node.of.items()},
        }

    return {
        name: {child: json.loads(json.dumps(made(child))) for child in node.of}
        for name, node in nodes.items()
        if node.kind in NEEDS_REFERENCE
    }


def _node(name: str, tensors: Mapping[str, npt.NDArray[Any]], classes: int) -> NodeFit:
    if f"{name}/mean" in tensors:
        mean, spread = tensors[f"{name}/mean"], tensors[f"{name}/spread"]
        if mean.shape != spread.shape or mean.ndim != 2 or mean.shape[1] != classes:
            raise ValueError(f"mean and spread of {name}")
        lacking = np.isnan(mean)
        if not (np.isfinite(mean) | lacking).all() or not ((spread > 0) | lacking).all():
            raise ValueError(f"a number of {name}")
        return NodeFit(mean=mean.astype(np.float64), spread=spread.astype(np.float64))
    arrays = {key: tensors[f"{name}/{key}"] for key in _ARRAYS}
    ints = {key: arrays[key].astype(np.int64) for key in _ARRAYS[1:]}
    start, stop, counts = ints["start"], ints["stop"], ints["counts"]
    k = len(arrays["values"])
    if (
        start.ndim != 2
        or start.shape[1] != classes
        or not start.shape == stop.shape == counts.shape
    ):
        raise ValueError(f"shapes of {name}")
    if not (start.min() >= 0 and (start <= stop).all() and stop.max() <= k):
        raise ValueError(f"places of {name}")
    if not len(ints["below"]) == len(ints["upto"]) == k or not np.isfinite(arrays["values"]).all():
        raise ValueError(f"values of {name}")
    if ((stop > start) != (counts > 0)).any():
        raise ValueError(f"counts of {name}")
    values = arrays["values"].astype(np.float64)
    return NodeFit(
        RankMap(values, ints["below"], ints["upto"], start, stop, counts, common_rows(counts))
    )


def _lean(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return an array in half the bytes where that loses nothing."""
    smaller = array.astype(np.float32 if array.dtype.kind == "f" else np.int32)
    return smaller if np.array_equal(smaller, array, equal_nan=True) else array

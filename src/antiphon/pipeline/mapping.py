"""All windows in two dimensions: principal components, or UMAP where it was computed.

A layout is derived from the vectors and kept beside them. It is keyed by the windows it holds, so
that windows which came later are added to it without a move of those that are there.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.linalg

from antiphon.active.geometry.distances import ENTRIES, squared_distances
from antiphon.pipeline.windows import WindowSet
from antiphon.replacing import replacing
from antiphon.store.blocks import widened
from antiphon.store.view import View

Bool = npt.NDArray[np.bool_]
Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]
Progress = Callable[[float], None]

COMPONENTS = 32
"""Principal components that are kept of each window; clusters and UMAP are made of them."""

# Vectors that components are fitted to at most, spread evenly over the table.
_FITTED = 200_000
# Rows of a product: large enough for BLAS, small enough for the cache.
_ROWS = 2_048
# Mapped neighbours that say where a later window lies on a map that is not linear.
_NEIGHBOURS = 5


@dataclass(frozen=True, slots=True)
class Components:
    """Principal components of a table's vectors.

    Parameters
    ----------
    mean
        ``(dim,)``.
    axes
        ``(c, dim)`` of length 1, by falling variance. The entry of largest size in each is
        positive, so that the same vectors always give the same map.
    variance
        ``(c,)`` along each axis.
    total
        Variance along all axes there are.
    """

    mean: Float32
    axes: Float32
    variance: Float64
    total: float


@dataclass(frozen=True, slots=True)
class Layout:
    """Where each window lies.

    Parameters
    ----------
    position
        ``(n, c)`` float32 in the order of the windows, ``c >= 2``.
    fitted
        How many windows it was made of; the others were added.
    share
        Share of the variance along each axis; empty where there is no such thing.
    """

    position: Float32
    fitted: int
    share: tuple[float, ...] = ()


def principal_components(
    view: View, count: int = COMPONENTS, progress: Progress | None = None
) -> Components:
    """Return the first principal components of a table's vectors.

    The covariance is summed up block by block, so memory grows with the length of a vector only.
    Of more than 200,000 windows, as many spread evenly over the table stand for all.
    """
    size, dim = len(view), view.table.dim
    mask: Bool | None = None
    if size > _FITTED:
        mask = np.zeros(size, np.bool_)
        mask[np.linspace(0, size - 1, _FITTED).astype(np.int64)] = True
    # Products are taken about a point near the mean: float32 then loses nothing that matters.
    middle = view.centre()
    gram = np.zeros((dim, dim))
    total = np.zeros(dim)
    rows = np.empty((_ROWS, dim), np.float32)
    filled = seen = 0
    wanted = min(size, _FITTED)
    for _, block in view.scan(mask):
        for _, vectors in widened(block):
            if filled + len(vectors) > _ROWS:
                gram += rows[:filled].T @ rows[:filled]
                filled = 0
            rows[filled : filled + len(vectors)] = vectors - middle
            filled += len(vectors)
            total += rows[filled - len(vectors) : filled].sum(axis=0, dtype=np.float64)
        seen += len(block)
        if progress is not None:
            progress(seen / wanted)
    gram += rows[:filled].T @ rows[:filled]
    shift = total / max(wanted, 1)
    covariance = (gram - wanted * np.outer(shift, shift)) / max(wanted - 1, 1)
    kept = min(count, dim)
    variance, axes = scipy.linalg.eigh(covariance, subset_by_index=[dim - kept, dim - 1])
    axes = axes.T[::-1]
    axes *= np.sign(axes[np.arange(kept), np.abs(axes).argmax(axis=1)])[:, None]
    return Components(
        mean=(middle + shift).astype(np.float32),
        axes=np.ascontiguousarray(axes, np.float32),
        variance=np.maximum(variance[::-1], 0.0),
        total=float(np.trace(covariance)),
    )


def project(view: View, components: Components, mask: Bool | None = None) -> Float32:
    """Return the coordinates of vectors along the components, ``(n, c)``; 0 outside the mask."""
    found = np.zeros((len(view), len(components.axes)), np.float32)
    for rows, block in view.scan(mask):
        for part, vectors in widened(block):
            found[rows[part]] = (vectors - components.mean) @ components.axes.T
    return found


def pca_layout(windows: WindowSet, progress: Progress | None = None) -> Layout:
    """Return the map of principal components, from the kept one where it still fits.

    Windows that came later are projected; once there are twice as many, it is fitted anew.
    """
    path = layout_path(windows.view, "pca")
    kept = _load(path, windows.view.table.dim)
    if kept is not None:
        row = _match(kept, windows)
        later = row < 0
        if int(later.sum()) <= int(kept["fitted"]) and int((~later).sum()) * 2 >= len(kept["at"]):
            components = _components(kept)
            if not later.any():
                position = kept["position"][row]
            else:
                position = project(windows.view, components, later)
                position[~later] = kept["position"][row[~later]]
                _save_pca(path, windows, position, components, int(kept["fitted"]))
            return Layout(position, int(kept["fitted"]), _share(components))
    components = principal_components(windows.view, progress=progress)
    position = project(windows.view, components)
    _save_pca(path, windows, position, components, len(windows))
    return Layout(position, len(windows), _share(components))


def kept_umap(windows: WindowSet, components: Float32) -> Layout | None:
    """Return the UMAP that was computed, later windows added, or None where there is none.

    Parameters
    ----------
    components
        ``(n, c)`` principal components of the windows.

    Notes
    -----
    A later window lies at the mean of its five nearest neighbours among the mapped ones, weighted
    by one over their squared distance.
    """
    kept = _load(layout_path(windows.view, "umap"), None)
    if kept is None:
        return None
    row = _match(kept, windows)
    known = row >= 0
    if int(known.sum()) <= _NEIGHBOURS:
        return None
    position = np.empty((len(windows), 2), np.float32)
    position[known] = kept["position"][row[known]]
    if not known.all():
        position[~known] = _beside(components[~known], components[known], position[known])
    return Layout(position, int(kept["fitted"]))


def keep_umap(windows: WindowSet, position: Float32) -> None:
    """Keep a UMAP of windows, ``(n, 2)``; whatever happens, the file is there whole or not at all.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    parts = {"position": np.ascontiguousarray(position, np.float32), "fitted": len(windows)}
    _save(layout_path(windows.view, "umap"), {**_keys(windows), **parts})


def layout_path(view: View, method: str) -> Path:
    """Return where the layout of a table is kept; it can be deleted at any time."""
    return view.table.search_dir / f"map-{method}.npz"


def _beside(points: Float32, mapped: Float32, position: Float32) -> Float32:
    found = np.empty((len(points), 2), np.float32)
    step = max(1, ENTRIES // len(mapped))
    for begin in range(0, len(points), step):
        apart = squared_distances(points[begin : begin + step], mapped)
        near = np.argpartition(apart, _NEIGHBOURS, axis=1)[:, :_NEIGHBOURS]
        weight = 1.0 / (np.take_along_axis(apart, near, axis=1) + 1e-9)
        weight /= weight.sum(axis=1, keepdims=True)
        found[begin : begin + step] = np.einsum("ij,ijk->ik", weight, position[near])
    return found


def _share(components: Components) -> tuple[float, ...]:
    total = max(components.total, 1e-30)
    return tuple(float(v) / total for v in components.variance)


def _keys(windows: WindowSet) -> dict[str, npt.NDArray[Any]]:
    at = np.round(windows.start_s * 1e6).astype(np.int64)
    return {"recording": windows.recording_id, "channel": windows.channel, "at": at}


def _match(kept: dict[str, npt.NDArray[Any]], windows: WindowSet) -> Int64:
    """Return the kept row of each window, -1 where it is not among them."""
    names = ("recording", "channel", "at")
    now = _keys(windows)
    if all(np.array_equal(kept[name], now[name]) for name in names):
        return np.arange(len(windows), dtype=np.int64)
    both = np.stack(
        [np.concatenate([kept[name], now[name]]).astype(np.int64) for name in names], axis=1
    )
    _, group = np.unique(both, axis=0, return_inverse=True)
    group = group.reshape(-1)
    row = np.full(int(group.max(initial=0)) + 1, -1, np.int64)
    size = len(kept["at"])
    row[group[:size]] = np.arange(size)
    found: Int64 = row[group[size:]]
    return found


def _components(kept: dict[str, npt.NDArray[Any]]) -> Components:
    return Components(
        kept["mean"].astype(np.float32),
        kept["axes"].astype(np.float32),
        kept["variance"].astype(np.float64),
        float(kept["total"]),
    )


def _save_pca(
    path: Path, windows: WindowSet, position: Float32, components: Components, fitted: int
) -> None:
    """Keep the map; where nothing can be written it is made again each time."""
    parts = {
        "position": position,
        "mean": components.mean,
        "axes": components.axes,
        "variance": components.variance,
        "total": components.total,
        "fitted": fitted,
    }
    try:
        _save(path, {**_keys(windows), **parts})
    except OSError:
        return


def _load(path: Path, dim: int | None) -> dict[str, npt.NDArray[Any]] | None:
    """Read a layout; None where there is none that can be used."""
    try:
        with np.load(path, allow_pickle=False) as file:
            kept = {name: file[name] for name in file.files}
        size = len(kept["at"])
        fits = (
            kept["position"].dtype == np.float32
            and kept["position"].shape[0] == size == len(kept["recording"]) == len(kept["channel"])
            and kept["position"].shape[1] >= 2
            and bool(np.isfinite(kept["position"]).all())
            and (dim is None or kept["axes"].shape == (kept["position"].shape[1], dim))
        )
        int(kept["fitted"])
    except (OSError, ValueError, KeyError, EOFError, TypeError, IndexError, zipfile.BadZipFile):
        return None
    return kept if fits else None


def _save(path: Path, arrays: dict[str, Any]) -> None:
    path.parent.mkdir(exist_ok=True)
    with replacing(path, make_folder=False) as part, part.open("wb") as stream:
        np.savez(stream, **arrays)

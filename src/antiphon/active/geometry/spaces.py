"""The spaces in which strategies compare windows, computed once for all cycles of a run."""

from __future__ import annotations

from antiphon.active.base import Float32, PoolView
from antiphon.active.geometry.whitening import principal_components, unit_components, whiten


def components(pool: PoolView) -> Float32:
    """Return the first 64 principal components of the embeddings: raw distances, cheaper."""
    return pool.derive("components:64", principal_components)


def directions(pool: PoolView) -> Float32:
    """Return the first 64 components of unit-length embeddings, of unit length: cosines."""
    return pool.derive("unit components:64", unit_components)


def whitened(pool: PoolView) -> Float32:
    """Return the half-whitened first 64 components, of unit length."""
    return pool.derive("whiten:64", whiten)

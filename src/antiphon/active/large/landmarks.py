"""What a pass over many windows compares them with, fitted on a sample and on the labelled ones."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from antiphon.active.doubt import class_balance
from antiphon.active.geometry.farthest import farthest_first
from antiphon.active.geometry.kmeans import kmeans
from antiphon.active.large.scan import Landmarks
from antiphon.active.large.stream import Projection, VectorSource, fit_projection, vector_chunks
from antiphon.errors import UserError

Bool = npt.NDArray[np.bool_]
Float32 = npt.NDArray[np.float32]
Int64 = npt.NDArray[np.int64]


def find_landmarks(
    source: VectorSource,
    free: Bool,
    labelled: Int64,
    labels: Float32,
    generator: np.random.Generator,
    *,
    dims: int,
    sample: int,
    cover: int,
    cells: int,
    floor: float,
) -> tuple[Landmarks, Int64]:
    """Fit the projection, the cells and the cover of the labelled rows.

    Parameters
    ----------
    free
        ``(n,)`` rows that may be chosen; the sample is drawn from them.
    labelled, labels
        ``(m,)`` rows and their ``(m, n_labels)`` labels.
    dims, sample, cover, cells, floor
        See :class:`~antiphon.active.large.settings.ShortlistSettings`.

    Returns
    -------
    marks
        What the pass needs.
    cover
        Labelled rows that stand for all, those first that lie farthest apart.

    Notes
    -----
    Labels weigh ``(1 + positives)**-0.5`` in the doubt. The cover is the greedy k-centre of at
    most ``sample`` random labelled rows (Gonzalez 1985, doi:10.1016/0304-3975(85)90224-5).
    """
    open_rows = np.flatnonzero(free)
    some = np.sort(generator.choice(open_rows, min(sample, len(open_rows)), replace=False))
    vectors = gather(source, some)
    projection = fit_projection(vectors, dims)
    points = projection(vectors)
    del vectors
    middles, _, _ = kmeans(points, min(cells, len(points)), generator)
    if len(labelled) > sample:
        labelled = np.sort(generator.choice(labelled, sample, replace=False))
    covered = project_rows(source, labelled, projection)
    if len(labelled) > cover:
        nothing = np.empty(0, np.int64)
        every = np.arange(len(labelled), dtype=np.int64)
        weight = np.ones(len(labelled), np.float32)
        kept = farthest_first(covered, every, nothing, weight, cover, generator).rows
        labelled, covered = labelled[kept], covered[kept]
    return Landmarks(projection, covered, middles, class_balance(labels), floor), labelled


def gather(source: VectorSource, rows: Int64) -> Float32:
    """Return the vectors of some rows, read in chunks and checked, ``(len(rows), dim)``."""
    found: Float32 | None = None
    begin = 0
    for block in vector_chunks(source, rows):
        if found is None:
            found = np.empty((len(rows), block.shape[1]), np.float32)
        found[begin : begin + len(block)] = block
        begin += len(block)
    if found is None:
        raise UserError("There are no vectors to look at.")
    return found


def project_rows(source: VectorSource, rows: Int64, projection: Projection) -> Float32:
    """Return the projected vectors of some rows, ``(len(rows), d)`` float32."""
    found = np.empty((len(rows), len(projection.offset)), np.float32)
    begin = 0
    for block in vector_chunks(source, rows):
        found[begin : begin + len(block)] = projection(block)
        begin += len(block)
    return found

"""HDBSCAN*: clusters of any number and density, exact, for some thousands of items.

Campello, Moulavi and Sander (2013, PAKDD) and Campello et al. (2015, ACM TKDD 10: 5). The minimum
spanning tree of mutual reachability is built by Prim's algorithm on the full distance matrix, the
tree is condensed by the smallest cluster size, and clusters are selected by excess of mass. Merges
at equal distances, which core distances make frequent, count as one, so the order of the items
does not matter.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from antiphon.errors import UserError

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

LARGEST = 12_000
"""Items whose distances are still held as one matrix (0.6 GB)."""


@dataclass(frozen=True, slots=True, eq=False)
class Hdbscan:
    """A flat clustering.

    Parameters
    ----------
    labels
        ``(n,)`` int64, 0 to the number of clusters minus 1, -1 for noise.
    excess
        ``(clusters,)`` excess of mass of each (Campello et al. 2013, definition 5.4).
    """

    labels: Int64
    excess: Float64

    @property
    def n_clusters(self) -> int:
        """Number of clusters."""
        return len(self.excess)

    @property
    def noise(self) -> float:
        """Share of items that belong to no cluster."""
        return float((self.labels < 0).mean())


def euclidean_distances(x: npt.ArrayLike) -> Float32:
    """Return ``(n, n)`` float32 distances, computed in float64 by blocks, 0 on the diagonal.

    Raises
    ------
    UserError
        If there are more than :data:`LARGEST` rows.
    """
    rows = np.asarray(x, np.float64)
    if len(rows) > LARGEST:
        raise UserError(
            f"HDBSCAN keeps all distances, so it takes at most {LARGEST:,} items, not "
            f"{len(rows):,}. Give it a random part of them."
        )
    rows = rows - rows.mean(axis=0)
    square = np.einsum("ij,ij->i", rows, rows)
    out = np.empty((len(rows), len(rows)), np.float32)
    for begin in range(0, len(rows), 1024):
        part = slice(begin, begin + 1024)
        found = rows[part] @ rows.T
        found *= -2.0
        found += square
        found += square[part, None]
        np.maximum(found, 0.0, out=found)
        out[part] = np.sqrt(found)
    np.fill_diagonal(out, 0.0)
    return out


def hdbscan(
    distances: Float32, min_cluster_size: int = 5, min_samples: int | None = None
) -> Hdbscan:
    """Cluster items by their distances.

    Parameters
    ----------
    distances
        ``(n, n)``, symmetric.
    min_cluster_size
        Items that a cluster has at least, 2 or more.
    min_samples
        An item's core distance is that to its ``min_samples``-th nearest item, itself counted;
        ``min_cluster_size`` when None.

    Returns
    -------
    Hdbscan
        The whole set is never one cluster; then all is noise.

    Raises
    ------
    UserError
        If a number is out of range.
    """
    n = len(distances)
    nearest = min_cluster_size if min_samples is None else min_samples
    if min_cluster_size < 2 or not 1 <= nearest <= n:
        raise UserError(
            f"HDBSCAN of {n} items needs a smallest cluster of at least 2 and 1 to {n} samples, "
            f"but got {min_cluster_size} and {nearest}."
        )
    core = np.empty(n, distances.dtype)
    for begin in range(0, n, 1024):
        part = slice(begin, begin + 1024)
        core[part] = np.partition(distances[part], nearest - 1, axis=1)[:, nearest - 1]
    parent, child, size, level = _single_linkage(*_spanning_tree(distances, core))
    tree = _condense(parent, child, size, level, n, min_cluster_size)
    return _select(tree, n)


def _spanning_tree(distances: Float32, core: Float32) -> tuple[Int64, Int64, Float64]:
    """Return the edges of the minimum spanning tree of mutual reachability, shortest first."""
    n = len(core)
    begin, end, weight = np.zeros(n - 1, np.int64), np.zeros(n - 1, np.int64), np.zeros(n - 1)
    best = np.full(n, np.inf, distances.dtype)
    source = np.zeros(n, np.int64)
    outside = np.ones(n, dtype=bool)
    current = 0
    for edge in range(n - 1):
        outside[current] = False
        reach = np.maximum(distances[current], core)
        np.maximum(reach, core[current], out=reach)
        closer = reach < best
        np.copyto(best, reach, where=closer)
        source[closer] = current
        # What is inside is never the nearest again.
        best[current] = np.inf
        masked = np.where(outside, best, np.inf)
        current = int(masked.argmin())
        begin[edge], end[edge], weight[edge] = source[current], current, masked[current]
    order = np.argsort(weight, kind="stable")
    return begin[order], end[order], weight[order]


def _single_linkage(
    begin: Int64, end: Int64, weight: Float64
) -> tuple[Int64, Int64, Int64, Float64]:
    """Return the merges: node ``n + i`` joins ``left[i]`` and ``right[i]`` at ``weight[i]``."""
    n = len(begin) + 1
    left, right, size = (np.empty(n - 1, np.int64) for _ in range(3))
    up = list(range(2 * n - 1))
    members = [1] * n + [0] * (n - 1)

    def top(node: int) -> int:
        root = node
        while up[root] != root:
            root = up[root]
        while up[node] != root:
            up[node], node = root, up[node]
        return root

    for i, (a, b) in enumerate(zip(begin.tolist(), end.tolist(), strict=True)):
        left[i], right[i] = top(a), top(b)
        members[n + i] = members[int(left[i])] + members[int(right[i])]
        size[i] = members[n + i]
        up[int(left[i])] = up[int(right[i])] = n + i
    return left, right, size, weight


@dataclass(frozen=True, slots=True)
class _Tree:
    """The condensed tree: rows leave or split off ``parent`` at density ``level`` (1 / distance).

    Clusters are numbered from 0 (all items), parents before children.
    """

    parent: Int64
    child: Int64
    level: Float64
    size: Int64
    birth: Float64
    is_point: npt.NDArray[np.bool_]


def _condense(
    left: Int64, right: Int64, size: Int64, weight: Float64, n: int, smallest: int
) -> _Tree:
    positive = weight[weight > 0]
    # Copies lie at distance 0, of infinite density; a finite one keeps sums finite.
    floor = 1e-6 * float(np.median(positive)) if len(positive) else 1.0
    density = 1.0 / np.maximum(weight, floor)
    rows: list[tuple[int, int, float, int, bool]] = []
    birth = [0.0]

    def members(node: int) -> int:
        return 1 if node < n else int(size[node - n])

    def leave(node: int, cluster: int, level: float) -> None:
        stack = [node]
        while stack:
            one = stack.pop()
            if one < n:
                rows.append((cluster, one, level, 1, True))
            else:
                stack += [int(left[one - n]), int(right[one - n])]

    def split(node: int) -> list[int]:
        """Return the parts that come apart at one distance: merges at equal ones are one split."""
        parts, stack = [], [node]
        while stack:
            one = stack.pop()
            if one >= n and weight[one - n] == weight[node - n]:
                stack += [int(right[one - n]), int(left[one - n])]
            else:
                parts.append(one)
        return parts

    waiting = [(2 * n - 2, 0)]
    while waiting:
        node, cluster = waiting.pop()
        if node < n:
            # The whole set is one item.
            rows.append((cluster, node, birth[cluster], 1, True))
            continue
        level = float(density[node - n])
        parts = split(node)
        large = [part for part in parts if members(part) >= smallest]
        for part in parts:
            if members(part) < smallest:
                leave(part, cluster, level)
            elif len(large) == 1:
                waiting.append((part, cluster))
            else:
                rows.append((cluster, len(birth), level, members(part), False))
                waiting.append((part, len(birth)))
                birth.append(level)
    columns = list(zip(*rows, strict=True))
    return _Tree(
        parent=np.array(columns[0], np.int64),
        child=np.array(columns[1], np.int64),
        level=np.array(columns[2], np.float64),
        size=np.array(columns[3], np.int64),
        birth=np.array(birth),
        is_point=np.array(columns[4], dtype=bool),
    )


def _select(tree: _Tree, n: int) -> Hdbscan:
    """Choose clusters so that none lies in another and the sum of their excess is largest."""
    count = len(tree.birth)
    lasting = (tree.level - tree.birth[tree.parent]) * tree.size
    own = np.bincount(tree.parent, lasting, minlength=count).astype(np.float64)
    split = ~tree.is_point
    above = np.full(count, -1, np.int64)
    above[tree.child[split]] = tree.parent[split]
    below: Float64 = np.zeros(count)
    chosen = np.zeros(count, dtype=bool)
    excess = own.copy()
    # Children have larger numbers than their parents. The set of all items is not a candidate.
    for cluster in range(count - 1, 0, -1):
        chosen[cluster] = own[cluster] >= below[cluster]
        excess[cluster] = max(own[cluster], below[cluster])
        below[above[cluster]] += excess[cluster]
    # A chosen cluster inside another one is part of that one.
    holder = np.full(count, -1, np.int64)
    for cluster in range(1, count):
        inside = holder[above[cluster]] if above[cluster] > 0 else -1
        holder[cluster] = inside if inside >= 0 else (cluster if chosen[cluster] else -1)
    flat = np.unique(holder[holder >= 0])
    number = np.full(count, -1, np.int64)
    number[flat] = np.arange(len(flat))
    labels = np.full(n, -1, np.int64)
    points = tree.is_point
    held = holder[tree.parent[points]]
    labels[tree.child[points]] = np.where(held >= 0, number[held], -1)
    return Hdbscan(labels, own[flat])

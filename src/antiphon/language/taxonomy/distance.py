"""How far two taxa are apart: steps up the ranks to the lowest that they share."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from antiphon.language.taxonomy.linking import Int32
from antiphon.language.taxonomy.ranks import LINNEAN
from antiphon.language.taxonomy.table import NameTable

FARTHEST = LINNEAN.index("species") + 1
"""Distance of two species that share no kingdom."""


def distances(names: NameTable, a: Int32, b: Int32) -> npt.NDArray[np.int64]:
    """Return the taxonomic distance of pairs of taxa.

    The number of ranks below the lowest shared one, of kingdom, phylum, class, order, family, genus
    and species, counted for the deeper of the two: 0 for the same species, 1 for two of one genus
    (or a genus and one of its species), 2 for one family, up to 7 for two kingdoms. These are the
    equal steps of taxonomic distinctness (Warwick & Clarke 1995, "New 'biodiversity' measures
    reveal a decrease in taxonomic distinctness with increasing stress"). Taxa below the species
    count as their species. A rank that one of the two lacks is passed over. Taxa of different
    checklists are compared by the names of their ranks.

    Parameters
    ----------
    names
        The compiled names.
    a, b
        Rows of accepted taxa, -1 for none, shape ``(m,)``.

    Returns
    -------
    numpy.ndarray
        Shape ``(m,)``, 0 to 7; -1 where one of the two is none.
    """
    known = (a >= 0) & (b >= 0)
    found = np.full(len(a), -1, np.int64)
    if not known.any():
        return found
    a, b = a[known], b[known]
    above = [names.lineages(rows)[:FARTHEST] for rows in (a, b)]
    has = [lineage >= 0 for lineage in above]
    keys = [names.sort[np.maximum(lineage, 0)] for lineage in above]
    both = has[0] & has[1]
    parted = np.cumsum(both & (keys[0] != keys[1]), axis=0) > 0
    levels = np.arange(1, FARTHEST + 1)[:, None]
    shared = np.where(both & ~parted, levels, 0).max(axis=0)
    deeper = np.where(has[0] | has[1], levels, 0).max(axis=0)
    found[known] = np.where(a == b, 0, deeper - shared)
    return found

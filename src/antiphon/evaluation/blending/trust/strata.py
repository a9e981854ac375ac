"""Strata of recordings that may be compared: the same site and time of day, as far as possible."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Bool = npt.NDArray[np.bool_]
Index = npt.NDArray[np.intp]


def match_strata(
    sites: Sequence[str | None] | None,
    hours: Sequence[int | None] | None,
    judged: npt.ArrayLike | None = None,
    *,
    share: float = 0.8,
) -> tuple[Index, str]:
    """Return the stratum of each recording, the finest in which most have a match.

    Parameters
    ----------
    sites, hours
        Of each recording, as far as known.
    judged
        ``(n_files,)``: a match is one of those that judge and one of the others. None for any two.
    share
        Part of the recordings (that judge) for which there must be a match in their stratum.

    Returns
    -------
    strata, words
        ``(n_files,)``, and what they are: site and quarter of the day, site, or nothing.
    """
    n = len(sites if sites is not None else hours if hours is not None else ())
    member = np.ones(n, bool) if judged is None else np.asarray(judged, bool)
    n = len(member)
    by_site = [str(s) for s in sites] if sites is not None else ["?"] * n
    quarter = [None if h is None else h // 6 for h in hours] if hours is not None else [None] * n
    tries = [
        (
            "site and quarter of the day",
            [f"{s} {q}" for s, q in zip(by_site, quarter, strict=True)],
        ),
        ("site", by_site),
        ("quarter of the day", [str(q) for q in quarter]),
    ]
    for words, names in tries:
        stratum = np.unique(names, return_inverse=True)[1]
        pairs = matched(member, stratum) if judged is not None else _shared(stratum)
        enough = (pairs & member).sum() >= share * member.sum()
        if len(set(names)) > 1 and enough:
            return stratum, words
    return np.zeros(n, np.intp), "nothing"


def _shared(stratum: Index) -> Bool:
    """Return which recordings have another in their stratum."""
    return np.asarray(np.bincount(stratum)[stratum] > 1)


def matched(member: Bool, stratum: Index) -> Bool:
    """Return which recordings have one of the other kind in their stratum."""
    inside = np.bincount(stratum[member], minlength=stratum.max() + 1)
    outside = np.bincount(stratum[~member], minlength=stratum.max() + 1)
    return np.asarray(((inside > 0) & (outside > 0))[stratum])

"""What labelled windows share between folds, or between training and judging."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from antiphon.evaluation.leakage.check import check_folds, check_split
from antiphon.evaluation.leakage.sides import SplitSide
from antiphon.pipeline.train import TrainingSet

# Windows of different recordings this alike are taken for copies of one sound. Silence and steady
# noise come near it in small encoders, so it is stricter than the usual 0.99.
_NEAR = 0.999
_UNITS = {"recording": "recording", "site": "site", "date": "day", "source": "source"}


def between_folds(data: TrainingSet, fold: npt.NDArray[np.integer]) -> tuple[str, ...]:
    """Return what was looked for on both sides of the folds and found, sentence by sentence.

    Parameters
    ----------
    fold
        ``(n,)`` fold of each labelled window.
    """
    report = check_folds(_side(data), fold, apart=_apart(data.group_by), near=_NEAR)
    return tuple(report.lines())


def from_training(data: TrainingSet, judged: npt.NDArray[np.integer]) -> tuple[str, ...]:
    """Return the same of the windows at rows ``judged`` and all others."""
    others = np.setdiff1d(np.arange(len(data.rows)), judged)
    if not len(others):
        return ()
    side = _side(data)
    report = check_split(
        side.take(others), side.take(judged), apart=_apart(data.group_by), near=_NEAR
    )
    return tuple(report.lines())


def _apart(group_by: str) -> tuple[str, ...]:
    return tuple({"recording", _UNITS.get(group_by, "recording")})


def _side(data: TrainingSet) -> SplitSide:
    windows = data.windows
    names, keys = windows.texts("name"), windows.texts("content_key")
    # Copies of one file are one recording, under the name of the first.
    first = dict(zip(reversed(keys.tolist()), reversed(names.tolist()), strict=True))
    days = windows.time.astype("datetime64[D]")
    sites = windows.texts("site")
    known = [None if np.isnat(day) else str(day) for day in days]
    return SplitSide(
        ids=[f"{name} at {start:g} s" for name, start in zip(names, windows.start_s, strict=True)],
        recordings=[first[key] for key in keys],
        sources=[data.group_names[group] for group in data.groups]
        if data.group_by == "source"
        else None,
        sites=list(sites) if any(site is not None for site in sites) else None,
        days=known if any(day is not None for day in known) else None,
        embeddings=data.embeddings,
    )

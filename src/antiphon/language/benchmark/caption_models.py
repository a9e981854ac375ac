"""Caption measures that need other programs: BERTScore, and SPICE through Java."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec

import numpy as np
import numpy.typing as npt

Float64 = npt.NDArray[np.float64]
Outcome = Float64 | str
"""Values ``(n,)``, or why there are none."""


def bert_score(captions: Sequence[str], references: Sequence[Sequence[str]]) -> Outcome:
    """Return BERTScore's F1 of each caption (Zhang et al. 2020), or why it is not computed.

    The package ``bert_score`` computes it with its default model for English, which it fetches
    once.
    """
    if not _installed("bert_score"):
        return "the package bert_score is not installed (pip install bert-score)"

    def compute() -> Float64:
        score = import_module("bert_score").score
        _, _, f1 = score(list(captions), [list(r) for r in references], lang="en", verbose=False)
        return np.asarray([float(v) for v in f1], np.float64)

    return _tried(compute)


def spice(captions: Sequence[str], references: Sequence[Sequence[str]]) -> Outcome:
    """Return SPICE of each caption (Anderson et al. 2016), or why it is not computed.

    The package ``pycocoevalcap`` computes it with its own Java program.
    """
    if shutil.which("java") is None:
        return "there is no Java on this machine"
    if not _installed("pycocoevalcap"):
        return "the package pycocoevalcap is not installed (pip install pycocoevalcap)"

    def compute() -> Float64:
        spice = import_module("pycocoevalcap.spice.spice").Spice()
        true = {i: list(mine) for i, mine in enumerate(references)}
        said = {i: [caption] for i, caption in enumerate(captions)}
        _, each = spice.compute_score(true, said)
        return np.asarray([float(one["All"]["f"]) for one in each], np.float64)

    return _tried(compute)


MEASURES: Mapping[str, Callable[[Sequence[str], Sequence[Sequence[str]]], Outcome]] = {
    "bertscore_f1": bert_score,
    "spice": spice,
}


def _installed(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except (ImportError, ValueError):
        return False


def _tried(compute: Callable[[], Float64]) -> Outcome:
    # Other people's programs fail in their own ways: no model, no network, another Java.
    try:
        return compute()
    except Exception as error:
        said = (str(error).splitlines() or [""])[0]
        return f"it failed ({type(error).__name__}: {said})"

"""Score files with known truth: models of different strength whose errors are correlated.

A world has recordings at sites and hours, classes of several taxa of which most are rare, and
models that score every window. Part of what a model gets wrong it shares with the others, part of
it is one thing for a whole recording, and one model may have been trained on the recordings that
judge it. So a test or a procedure can be tried where the right answer is known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from antiphon.errors import UserError

Float64 = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]
Index = npt.NDArray[np.intp]

WINDOW_S = 5
"""Length of a window, s."""

# Taxon, share of the classes, and the hour around which it is heard most.
_TAXA = (
    ("Aves", 0.62, 7.0),
    ("Amphibia", 0.18, 22.0),
    ("Insecta", 0.12, 20.0),
    ("Mammalia", 0.05, 18.0),
    ("Reptilia", 0.03, 19.0),
)
# How far the preference of a site or an hour moves the log-odds that a class is present.
_SITE_SPREAD, _HOUR_SPREAD = 1.0, 1.2
# Chance that a class that is heard in a window is heard in the next.
_STAY = 0.75


@dataclass(frozen=True, slots=True)
class ModelRecipe:
    """One simulated model.

    Parameters
    ----------
    name
        Of its score file.
    strength
        By how many standard deviations of its noise a present class stands out, on average.
    shared
        Share of the variance of its errors that all models have in common, 0 to 1.
    scale, offset
        Its logits are multiplied and moved by these: calibration, which a rank does not see.
    leak
        Logits added to the classes that are present, in the labelled recordings only: what a
        model remembers that was trained on them.
    """

    name: str
    strength: float = 2.0
    shared: float = 0.5
    scale: float = 1.0
    offset: float = -3.0
    leak: float = 0.0


DEFAULT_MODELS = (
    ModelRecipe("effnet-b0", 1.9, scale=1.2, offset=-3.0),
    ModelRecipe("effnet-b3", 2.1, scale=1.0, offset=-3.5),
    ModelRecipe("perch-probe", 2.0, shared=0.25, scale=0.7, offset=-2.0),
    ModelRecipe("convnext-s", 1.7, shared=0.6, scale=1.5, offset=-5.0),
)


@dataclass(frozen=True, slots=True)
class World:
    """What :func:`simulate` makes.

    Parameters
    ----------
    models, classes, taxa, files, sites, hours
        Names; ``taxa`` one for each class, ``sites`` and ``hours`` one for each recording.
    labelled
        ``(n_files,)``, whether a recording has truth; those that have come first.
    file, end_s
        ``(n,)`` recording of each window, and where the window ends, s.
    truth
        ``(n, n_classes)``, of the unlabelled recordings too.
    scores
        ``(n_models, n, n_classes)`` probabilities.
    canaries
        Classes that no honest model has had audio of.
    """

    models: tuple[str, ...]
    classes: tuple[str, ...]
    taxa: tuple[str, ...]
    files: tuple[str, ...]
    sites: tuple[str, ...]
    hours: tuple[int, ...]
    labelled: Bool
    file: Index
    end_s: Index
    truth: Bool
    scores: Float64
    canaries: tuple[str, ...] = ()
    trained_on: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def rows(self) -> tuple[str, ...]:
        """Return the ``row_id`` of each window, ``<recording>_<end second>``."""
        return tuple(
            f"{self.files[f]}_{e}" for f, e in zip(self.file.tolist(), self.end_s, strict=True)
        )

    @property
    def judged(self) -> Bool:
        """Return which windows belong to labelled recordings, ``(n,)``."""
        return self.labelled[self.file]


def simulate(
    models: tuple[ModelRecipe, ...] = DEFAULT_MODELS,
    *,
    seed: int = 0,
    n_files: int = 66,
    n_unlabelled: int = 132,
    n_classes: int = 75,
    n_sites: int = 8,
    windows: int = 12,
    n_canaries: int = 0,
    richer: float = 0.0,
) -> World:
    """Make recordings, truth and scores.

    Parameters
    ----------
    models
        What to simulate; one with ``leak`` declares in ``trained_on`` what it was trained on.
    seed
        Of everything random: equal seeds, equal worlds.
    n_files, n_unlabelled
        Recordings with truth, and without.
    n_classes
        Each has a positive window in a labelled recording.
    windows
        Windows of each recording, of 5 s.
    n_canaries
        Classes, the last ones, that only a model with ``leak`` knows anything about.
    richer
        Log-odds by which classes are more often present in labelled recordings: people like to
        label those in which there is something.

    Raises
    ------
    UserError
        If a number is out of range or a name is doubled.
    """
    _check(models, n_files, n_unlabelled, n_classes, n_sites, windows, n_canaries)
    rng = np.random.default_rng(seed)
    total = n_files + n_unlabelled
    labelled = np.arange(total) < n_files
    taxa, peak = _classes(n_classes, rng)
    site = rng.integers(n_sites, size=total)
    hour = rng.choice(24, size=total)
    odds = _occupancy(n_classes, site, hour, peak, n_sites, rng)
    odds[:n_files] += richer
    present = rng.random(odds.shape) < 1.0 / (1.0 + np.exp(-odds))
    heard = _activity(present, windows, rng)
    _fill_empty(heard, n_files, rng)
    truth = heard.reshape(total * windows, n_classes)
    scores = _scores(models, heard, odds, labelled, n_canaries, rng)
    number = [*range(n_files), *range(n_unlabelled)]
    parts = ["Train" if known else "Test" for known in labelled]
    files = tuple(
        f"BC2026_{part}_{k + 1:04d}_S{s + 1:02d}_{_date(k)}_{h:02d}0002"
        for part, k, s, h in zip(parts, number, site.tolist(), hour.tolist(), strict=True)
    )
    classes = tuple(f"{taxon[:3].lower()}{k:03d}" for k, taxon in enumerate(taxa))
    return World(
        models=tuple(m.name for m in models),
        classes=classes,
        taxa=taxa,
        files=files,
        sites=tuple(f"S{s + 1:02d}" for s in site),
        hours=tuple(hour.tolist()),
        labelled=labelled,
        file=np.repeat(np.arange(total), windows),
        end_s=np.tile(np.arange(1, windows + 1) * WINDOW_S, total),
        truth=truth,
        scores=scores,
        canaries=classes[n_classes - n_canaries :] if n_canaries else (),
        trained_on={m.name: files[:n_files] for m in models if m.leak > 0},
    )


def _check(models: tuple[ModelRecipe, ...], *numbers: int) -> None:
    n_files, n_unlabelled, n_classes, n_sites, windows, n_canaries = numbers
    if len({m.name for m in models}) < max(1, len(models)):
        raise UserError("Simulated models need names, each its own.")
    if min(n_files, n_classes, n_sites, windows) < 1 or min(n_unlabelled, n_canaries) < 0:
        raise UserError("A simulated world needs at least one recording, class, site and window.")
    if n_canaries > n_classes:
        raise UserError(f"There cannot be {n_canaries} canary classes among {n_classes}.")


def _classes(n: int, rng: np.random.Generator) -> tuple[tuple[str, ...], Float64]:
    """Return the taxon of each class, and its hour."""
    names = [name for name, _, _ in _TAXA]
    drawn = rng.choice(len(names), size=n, p=[share for _, share, _ in _TAXA])
    peak = np.array([hour for _, _, hour in _TAXA])[drawn] + rng.normal(0.0, 2.0, n)
    return tuple(names[k] for k in drawn), peak


def _occupancy(
    n_classes: int,
    site: Index,
    hour: Index,
    peak: Float64,
    n_sites: int,
    rng: np.random.Generator,
) -> Float64:
    """Return log-odds that a class is in a recording, ``(n_files, n_classes)``.

    Shares of recordings fall like 1 / rank, as in field data: few classes are everywhere.
    """
    rank = rng.permutation(n_classes) + 1.0
    share = np.clip(0.5 / rank**0.75, 0.012, 0.5)
    base = np.log(share / (1.0 - share))
    of_site = rng.normal(0.0, _SITE_SPREAD, (n_sites, n_classes))
    of_hour = _HOUR_SPREAD * np.cos((hour[:, None] - peak[None, :]) * np.pi / 12.0)
    return np.asarray(base + of_site[site] + of_hour)


def _activity(present: Bool, windows: int, rng: np.random.Generator) -> Bool:
    """Return in which windows a class is heard, ``(n_files, windows, n_classes)``."""
    n_files, n_classes = present.shape
    rate = rng.beta(1.2, 2.0, (n_files, n_classes))
    now = rng.random((n_files, n_classes)) < rate
    heard = np.empty((n_files, windows, n_classes), bool)
    for w in range(windows):
        again = rng.random((n_files, n_classes)) < rate
        now = np.where(rng.random((n_files, n_classes)) < _STAY, now, again)
        heard[:, w] = now & present
    return heard


def _fill_empty(heard: Bool, n_files: int, rng: np.random.Generator) -> None:
    """Let each class be heard at least once in a labelled recording."""
    for c in np.flatnonzero(~heard[:n_files].any(axis=(0, 1))):
        heard[rng.integers(n_files), rng.integers(heard.shape[1]), c] = True


def _scores(
    models: tuple[ModelRecipe, ...],
    heard: Bool,
    odds: Float64,
    labelled: Bool,
    n_canaries: int,
    rng: np.random.Generator,
) -> Float64:
    n_files, windows, n_classes = heard.shape
    easy = rng.lognormal(0.0, 0.35, n_classes)
    # All models know a little of where and when a class lives.
    place = 0.35 * (odds - odds.mean(axis=0)) / np.maximum(odds.std(axis=0), 1e-9)
    # How loud a call is, the same for all: faint ones are missed by every model.
    loud = rng.gamma(3.0, 1.0 / 3.0, heard.shape)
    common = _noise(heard.shape, rng)
    knows = np.ones(n_classes)
    knows[n_classes - n_canaries :] = 0.0
    out = np.empty((len(models), n_files * windows, n_classes))
    for k, model in enumerate(models):
        own = _noise(heard.shape, rng)
        error = np.sqrt(model.shared) * common + np.sqrt(1.0 - model.shared) * own
        skill = model.strength * easy * rng.lognormal(0.0, 0.15, n_classes) * knows
        evidence = skill * loud * heard + knows * place[:, None, :] + error
        logit = model.scale * evidence + model.offset + rng.normal(0.0, 0.5, n_classes)
        logit += model.leak * (heard & labelled[:, None, None])
        out[k] = (1.0 / (1.0 + np.exp(-logit))).reshape(-1, n_classes)
    return out


def _noise(shape: tuple[int, ...], rng: np.random.Generator) -> Float64:
    """Return noise of unit variance, a third of it the same for all windows of a recording."""
    of_file = rng.standard_normal((shape[0], 1, shape[2]))
    noise: Float64 = np.sqrt(1 / 3) * of_file + np.sqrt(2 / 3) * rng.standard_normal(shape)
    return noise


def _date(k: int) -> str:
    return f"2025{2 + k % 3:02d}{1 + (k * 7) % 28:02d}"

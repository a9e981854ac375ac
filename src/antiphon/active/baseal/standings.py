"""Figures of a leaderboard out of many results files."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy.stats

from antiphon.active.baseal.folders import ATBFL, BIRDSET, ENDING
from antiphon.active.baseal.results import Submission, running_area
from antiphon.errors import UserError

INTERVALS = """\
The files give a mean m and a standard deviation s (divided by n) over n independent runs. The
interval of one set is m plus or minus t(n - 1) s / sqrt(n - 1), with Student's 97.5 % quantile t.
A mean over k sets has the variance (v1 + ... + vk) / k^2, where v = s^2 / (n - 1), and as degrees
of freedom (v1 + ... + vk)^2 / (v1^2 / (n1 - 1) + ... + vk^2 / (nk - 1)) (Welch and Satterthwaite).
It says how much the mean would vary with other random heads on the same sets, not on other sets.
Training cost, seconds of selection and annotation cost are those of whole runs, also where a curve
was cut."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean with the variance of that mean and its degrees of freedom; NaN where not known."""

    mean: float
    variance: float = math.nan
    freedom: float = math.nan

    @property
    def half_width(self) -> float:
        """Half the 95 % interval; NaN if the deviation is not known."""
        if not (self.freedom > 0 and self.variance >= 0):
            return math.nan
        return float(scipy.stats.t.ppf(0.975, self.freedom)) * math.sqrt(self.variance)


def mean_of(parts: Sequence[Estimate]) -> Estimate:
    """Return the mean of independent estimates with its variance and degrees of freedom."""
    k = len(parts)
    total = sum(p.variance for p in parts)
    below = sum(p.variance**2 / p.freedom if p.freedom else math.nan for p in parts)
    # Without any deviation at all, the degrees of freedom do not matter.
    freedom = total**2 / below if below else sum(p.freedom for p in parts)
    return Estimate(sum(p.mean for p in parts) / k, total / k**2, freedom)


@dataclass(frozen=True, slots=True)
class Result:
    """One method on one set.

    Parameters
    ----------
    set
        As ``HSN``; a site-year of ATBFL has its own.
    domain
        The set whose mean it enters: ``ATBFL`` for a site-year, else the set itself.
    area
        Area under the curve up to the budget, by trapezoids from (0, 0).
    page_area
        The task page's form: the mean over n = 1..budget of the interpolated curve.
    n_labelled, quality
        Where the curve was cut, and the mAP there.
    """

    set: str
    domain: str
    submission: Submission
    area: Estimate
    page_area: float
    n_labelled: int
    quality: float


@dataclass(frozen=True, slots=True)
class Entry:
    """One method: its results, and their means over domains; ``title`` is what charts call it."""

    method: str
    author: str
    results: tuple[Result, ...]
    domains: dict[str, Estimate]
    overall: Estimate
    page_overall: float
    relative_cost: float
    sampling_s: float
    annotation_cost: float
    title: str


@dataclass(frozen=True, slots=True)
class Standings:
    """All methods, the best first; those that lack a domain come after the others."""

    entries: tuple[Entry, ...]
    domains: tuple[str, ...]
    budget: int | None
    notes: tuple[str, ...]


def set_of(dataset: str) -> tuple[str, str]:
    """Return set and domain by the field ``dataset``: ``BirdSet_BASEAL/HSN_BASEAL`` is HSN.

    A site-year of ATBFL belongs to the domain ATBFL; every other set is a domain of its own.
    """
    name = ENDING.sub("", dataset.replace("\\", "/").rstrip("/").split("/")[-1])
    upper = {known.upper(): known for known in BIRDSET}
    if name.upper() in upper:
        return upper[name.upper()], upper[name.upper()]
    if name.casefold() in ATBFL:
        return name.casefold(), "ATBFL"
    if name.upper() == "ATBFL":
        return "ATBFL", "ATBFL"
    return name, name


def compile_standings(files: Sequence[Submission], budget: int | None = 500) -> Standings:
    """Rank methods by their mean area over domains.

    Parameters
    ----------
    files
        Results of any number of methods and sets.
    budget
        Labels at which curves are cut, so that longer runs compare; None takes each whole. A
        curve that ends before is taken whole, and noted.

    Notes
    -----
    A domain's figure is the mean over its sets; overall is the mean over domains. Where a method
    has ATBFL as a whole and site-years of it, the whole counts.

    Raises
    ------
    UserError
        If there are no files.
    """
    if not files:
        raise UserError("There are no results to compare.")
    notes = [note for file in files for note in file.notes]
    grouped: dict[tuple[str, str], dict[str, Submission]] = defaultdict(dict)
    for file in sorted(files, key=lambda f: (f.timestamp, str(f.path))):
        name = set_of(file.dataset)[0]
        mine = grouped[file.strategy, file.author]
        if name in mine:
            notes.append(
                f"{mine[name].path.name} and {file.path.name} are both {file.strategy} on {name}; "
                "the later one counts."
            )
        mine[name] = file
    entries = []
    authors = {author for _, author in grouped}
    for (method, author), mine in grouped.items():
        results = [_result(name, file, budget, notes) for name, file in sorted(mine.items())]
        title = f"{method} ({author})" if len(authors) > 1 and author else method
        entries.append(_entry(method, author, title, results, notes))
    domains = sorted({domain for entry in entries for domain in entry.domains}, key=_order)
    for entry in entries:
        lacking = [domain for domain in domains if domain not in entry.domains]
        if lacking:
            notes.append(f"{entry.title} lacks {', '.join(lacking)} and is ranked after the rest.")
    entries.sort(key=lambda e: (len(e.domains) < len(domains), -e.overall.mean, e.title))
    return Standings(tuple(entries), tuple(domains), budget, tuple(dict.fromkeys(notes)))


def _order(domain: str) -> tuple[int, str]:
    known = (*BIRDSET, "ATBFL")
    return (known.index(domain) if domain in known else len(known), domain)


def _result(name: str, file: Submission, budget: int | None, notes: list[str]) -> Result:
    last = file.curve[-1].n_labelled
    end = last if budget is None else min(budget, last)
    if budget is not None and last < budget:
        notes.append(f"{file.path.name}: the curve ends at {last} labels, before {budget}.")
    mean, sd = area_at(file, end)
    freedom = float(file.repeats - 1)
    known = math.isfinite(sd) and freedom > 0
    area = Estimate(mean, sd**2 / freedom, freedom) if known else Estimate(mean)
    x, y = [p.n_labelled for p in file.curve], [p.mAP for p in file.curve]
    quality = float(np.interp(end, x, y))
    return Result(name, set_of(file.dataset)[1], file, area, page_area(file, end), end, quality)


def area_at(file: Submission, labels: int) -> tuple[float, float]:
    """Return mean and SD of the area up to a number of labels, the curve cut between points.

    The SD is that of the first point at or after it.
    """
    x = [p.n_labelled for p in file.curve]
    y = [p.mAP for p in file.curve]
    at = next(i for i, n in enumerate(x) if n >= labels)
    cut = float(np.interp(labels, [0, *x], [0.0, *y]))
    area = running_area([*x[:at], labels], [*y[:at], cut])[-1]
    return area, file.curve[at].aulc_sd


def page_area(file: Submission, labels: int) -> float:
    """Return the mean over n = 1..labels of the mAP, interpolated from (0, 0)."""
    x = [0, *(p.n_labelled for p in file.curve)]
    y = [0.0, *(p.mAP for p in file.curve)]
    return float(np.interp(np.arange(1, labels + 1), x, y).mean())


def _entry(method: str, author: str, title: str, results: list[Result], notes: list[str]) -> Entry:
    of_domain: dict[str, list[Result]] = defaultdict(list)
    for result in results:
        of_domain[result.domain].append(result)
    for domain, found in of_domain.items():
        whole = [r for r in found if r.set == domain]
        if whole and len(found) > 1:
            notes.append(f"{method}: {domain} as a whole counts, not its {len(found) - 1} parts.")
            of_domain[domain] = whole
    names = sorted(of_domain, key=_order)
    domains = {name: mean_of([r.area for r in of_domain[name]]) for name in names}

    def averaged(value: dict[str, list[float]]) -> float:
        return float(np.mean([np.mean(value[name]) for name in names]))

    files = {name: [r.submission for r in of_domain[name]] for name in names}
    costs = {
        n: [math.nan if f.relative_cost is None else f.relative_cost for f in files[n]]
        for n in names
    }
    return Entry(
        method=method,
        author=author,
        title=title,
        results=tuple(results),
        domains=domains,
        overall=mean_of(list(domains.values())),
        page_overall=averaged({n: [r.page_area for r in of_domain[n]] for n in names}),
        relative_cost=averaged(costs),
        sampling_s=averaged({n: [f.sampling_s / len(f.curve) for f in files[n]] for n in names}),
        annotation_cost=averaged({n: [f.annotation_cost for f in files[n]] for n in names}),
    )


def find_results(folder: Path) -> list[Path]:
    """Return all ``.yaml`` and ``.yml`` files under a folder, sorted."""
    return sorted(p for p in folder.rglob("*") if p.suffix.lower() in (".yaml", ".yml"))

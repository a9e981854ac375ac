"""Which models may take part: provenance, membership and canaries brought together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from antiphon.errors import UserError
from antiphon.evaluation.blending.files.intake import Windows
from antiphon.evaluation.blending.files.sites import site_and_hour
from antiphon.evaluation.blending.problem import Problem
from antiphon.evaluation.blending.trust.canaries import Canary, canary_test
from antiphon.evaluation.blending.trust.membership import Membership, membership_test
from antiphon.evaluation.blending.trust.provenance import Declaration, Provenance, check_provenance
from antiphon.evaluation.blending.trust.strata import match_strata
from antiphon.evaluation.leakage.check import check_split
from antiphon.evaluation.leakage.sides import SplitSide

Standing = Literal["judged", "suspected", "not evaluable"]


@dataclass(frozen=True, slots=True)
class Component:
    """One model: what is known of its training, and whether it takes part.

    Parameters
    ----------
    name
        Of the model.
    provenance, membership, canary
        The findings; None where a test was not made.
    warnings
        Sites and days that its training shares with the recordings that judge it.
    standing
        ``not evaluable`` by what is declared, ``suspected`` by a test where nothing is declared.
    kept
        Whether it takes part because that was asked for.
    """

    name: str
    provenance: Provenance
    membership: Membership | None
    canary: Canary | None
    warnings: tuple[str, ...]
    standing: Standing
    kept: bool

    @property
    def takes_part(self) -> bool:
        """Whether it is in blends and searches."""
        return self.standing == "judged" or self.kept

    @property
    def reasons(self) -> tuple[str, ...]:
        """Return sentences: what is declared, what the tests say, what was decided."""
        said = [self.provenance.reason]
        m, c = self.membership, self.canary
        if m is not None and m.suspected:
            said.append(
                f"It is surer on the recordings that judge it than the other models explain "
                f"(by {m.effect:.2f} standard deviations, p = {m.p_holm:.3g})."
            )
        if c is not None and c.suspected:
            said.append(
                f"It knows classes without training audio (mean AUC {c.auc:.3f} over "
                f"{c.n_classes}, {c.expected:.3f} expected, p = {c.p_holm:.3g})."
            )
        tested = (m is not None and m.suspected) or (c is not None and c.suspected)
        if tested and self.standing == "judged":
            said.append("Test and declaration disagree; the declaration was followed.")
        if self.kept:
            said.append("It takes part because that was asked for: every figure it is in flatters.")
        return (*said, *self.warnings)

    def to_json(self) -> dict[str, Any]:
        """Return the fields as plain values."""
        return {
            "name": self.name,
            "standing": self.standing,
            "takes_part": self.takes_part,
            "kept": self.kept,
            "provenance": self.provenance.to_json(),
            "membership": None if self.membership is None else self.membership.to_json(),
            "canary": None if self.canary is None else self.canary.to_json(),
            "warnings": list(self.warnings),
        }


def check_components(
    problem: Problem,
    windows: Windows,
    declared: Mapping[str, Declaration],
    *,
    keep: Sequence[str] = (),
    canaries: Sequence[str] = (),
    site_pattern: str | None = None,
    rng: np.random.Generator,
) -> tuple[tuple[Component, ...], str]:
    """Return the standing of each model, and what recordings were matched by.

    Parameters
    ----------
    problem, windows
        What judges, and all windows.
    declared
        By model.
    keep
        Models that take part whatever is found.
    canaries
        Classes without training audio.

    Raises
    ------
    UserError
        If a name is unknown.
    """
    unknown = sorted(set(keep) - set(problem.models))
    if unknown:
        raise UserError(
            f"To be kept is {', '.join(unknown)}, but the models are {', '.join(problem.models)}."
        )
    found = check_provenance(problem.models, problem.files, declared)
    membership: tuple[Membership | None, ...] = (None,) * len(found)
    matched_by = ""
    if windows.n_unlabelled:
        strata, matched_by = match_strata(windows.sites, windows.hours, windows.judged)
        membership = membership_test(
            windows.models, windows.scores, windows.file, windows.judged, strata, rng=rng
        )
    canary: tuple[Canary | None, ...] = (None,) * len(found)
    if canaries:
        strata = np.zeros(len(problem.files), np.intp)
        if problem.site is not None or problem.hour is not None:
            strata, _ = match_strata(problem.site, problem.hour)
        canary = canary_test(
            problem.models,
            problem.scores,
            problem.truth,
            problem.file,
            strata,
            problem.classes,
            canaries,
            rng=rng,
        )
    components = []
    for p, m, c in zip(found, membership, canary, strict=True):
        suspected = (m is not None and m.suspected) or (c is not None and c.suspected)
        standing: Standing = "judged"
        if not p.evaluable:
            standing = "not evaluable"
        elif suspected and p.status == "undeclared":
            standing = "suspected"
        kept = standing != "judged" and p.model in keep
        warnings = _shared_places(p.model, declared.get(p.model), problem, site_pattern)
        components.append(Component(p.model, p, m, c, warnings, standing, kept))
    return tuple(components), matched_by


def _shared_places(
    model: str, said: Declaration | None, problem: Problem, pattern: str | None
) -> tuple[str, ...]:
    """Return what a leakage check says of sites and days of the declared recordings."""
    if said is None or not said.trained_on:
        return ()
    others = sorted(said.trained_on - set(problem.files))
    if not others:
        return ()
    report = check_split(_side(others, pattern), _side(problem.files, pattern), apart=())
    return tuple(
        f"{f.count} of {f.of} recordings that judge it are from a {f.kind} that it was trained on "
        "(other recordings)."
        for f in report.findings
        if f.kind == "site and day"
    )


def _side(files: Sequence[str], pattern: str | None) -> SplitSide:
    import re

    days = [re.search(r"(?<!\d)(?:19|20)\d{6}(?!\d)", name) for name in files]
    return SplitSide(
        ids=list(files),
        sites=[site_and_hour(name, pattern)[0] for name in files],
        days=[None if day is None else day[0] for day in days],
    )

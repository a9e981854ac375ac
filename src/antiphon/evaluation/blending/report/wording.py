"""Sentences of the report and of the terminal."""

from __future__ import annotations

from dataclasses import dataclass

from antiphon.evaluation.blending.evaluate import Evaluation
from antiphon.evaluation.blending.report.number_text import (
    NOTHING,
    area,
    area_interval,
    signed_interval,
)
from antiphon.evaluation.blending.resampling.deltas import Delta
from antiphon.evaluation.blending.trust.suspects import Component

STANDINGS = {
    "judged": "judged",
    "suspected": "SUSPECTED: left out",
    "not evaluable": "NOT EVALUABLE: left out",
}


def delta_text(delta: Delta | None) -> str:
    """Return a difference with its interval; a dash for none."""
    return NOTHING if delta is None else signed_interval(delta.value, delta.low, delta.high)


def standing(component: Component) -> str:
    """Return whether a model takes part, in capitals where it should worry."""
    if component.kept:
        return f"{component.standing.upper()}: kept, as asked"
    return STANDINGS[component.standing]


@dataclass(frozen=True, slots=True)
class Verdict:
    """A main finding.

    Parameters
    ----------
    text
        Sentences.
    lead
        What stands before them and is to be seen first; empty for most.
    warning
        Whether it is a reason to worry.
    """

    text: str
    lead: str = ""
    warning: bool = False

    def __str__(self) -> str:
        return f"{self.lead} {self.text}".strip()


def verdicts(found: Evaluation) -> list[Verdict]:
    """Return the main findings, what models may have seen first."""
    said = [_component(c) for c in found.components if _worrying(c)]
    said += _undeclared(found)
    chosen = found.chosen
    text = f"{area_interval(chosen.auc, chosen.low, chosen.high)}"
    if chosen.delta is not None:
        text += (
            f", {delta_text(chosen.delta)} against {chosen.delta.reference}; true differences "
            f"below {area(chosen.delta.detectable)} would mostly go unseen"
        )
    said.append(Verdict(f"{text}.", f"{chosen.name}:"))
    if found.search is not None:
        said.append(Verdict(found.search.reason))
    said += [
        Verdict(_stage(s.step, s.delta, first=k == 0), warning=s.delta.high < 0)
        for k, s in enumerate(found.stages)
    ]
    said.append(Verdict(split_sentence(found)))
    single = sum(row.n_files == 1 for row in found.breakdown.classes)
    if single:
        said.append(
            Verdict(
                f"{single} of {len(found.breakdown.classes)} scored classes have all their "
                "positives in one recording: what they say of other recordings is not estimable."
            )
        )
    return said


def _component(c: Component) -> Verdict:
    lead = {
        "judged": f"{c.name}:",
        "suspected": f"{c.name} is suspected of a leak and left out of every blend and search.",
        "not evaluable": f"{c.name} is not evaluable and left out of every blend and search.",
    }[c.standing]
    if c.kept:
        lead = f"{c.name} is {c.standing} and kept all the same."
    return Verdict(" ".join(c.reasons), lead, warning=True)


def _undeclared(found: Evaluation) -> list[Verdict]:
    unknown = [c for c in found.components if c.provenance.status == "undeclared"]
    if not unknown:
        return []
    tested = all(c.membership is not None and not c.membership.note for c in unknown)
    names = ", ".join(c.name for c in unknown)
    said = (
        "the membership test stands in for it."
        if tested
        else "and no membership test could be made: a leak would not be seen."
    )
    return [Verdict(f"What {names} saw in training is not declared; {said}", warning=not tested)]


def split_sentence(found: Evaluation) -> str:
    """Return what the simulated public and private boards say."""
    s = found.splits
    spread = float(s.gap_sd[s.names.index(found.chosen.name)])
    text = (
        f"With {s.n_public} public and {s.n_private} private recordings, public minus private has "
        f"a standard deviation of {spread:.4f}"
    )
    if len(s.names) == 1:
        return f"{text}."
    if s.leader_changes == 0:
        return f"{text}; the public leader leads the private part in every split."
    return (
        f"{text}; the public leader is not the private one in {s.leader_changes:.0%} of the "
        f"splits, at a cost of {s.regret_mean:.4f} on average."
    )


def _worrying(component: Component) -> bool:
    m, c = component.membership, component.canary
    tested = (m is not None and m.suspected) or (c is not None and c.suspected)
    return component.standing != "judged" or tested or bool(component.warnings)


def _stage(step: str, delta: Delta, *, first: bool) -> str:
    said = "helps" if delta.low > 0 else "hurts" if delta.high < 0 else "changes nothing for sure"
    before = "the blend" if first else delta.reference
    return f"Step {step} {said}: {delta_text(delta)} against {before}."

"""An ensemble in words: its blends, and what each member weighs in the end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from antiphon.soundscape.ensemble.config import DEFAULT, ROOT, EnsembleConfig, MemberConfig
from antiphon.soundscape.ensemble.nodes import NEEDS_REFERENCE

EVERY = "weight"
"""Name of the only column where no weight is by class or taxon."""


@dataclass(frozen=True, slots=True)
class MemberWeight:
    """What a member weighs in the last blend.

    Parameters
    ----------
    member
        Its name.
    weights
        Share of the last blend, by class or taxon where weights are by those (``default`` for the
        others), else under ``weight``. None where a class or taxon has no weight in some blend.
    branch
        Blends from the last one down to the member.
    """

    member: str
    weights: Mapping[str, float | None]
    branch: tuple[str, ...]


def effective_weights(config: EnsembleConfig) -> tuple[MemberWeight, ...]:
    """Return what each member weighs in the last blend when all of them are there.

    The products of the weights along the branch, each divided by the sum in its blend; for every
    class or taxon that has a weight of its own. No file is opened.
    """
    found: dict[str, tuple[dict[str, float | None], tuple[str, ...]]] = {}

    def share(name: str, whole: Mapping[str, float | None], branch: tuple[str, ...]) -> None:
        if name not in config.nodes:
            found[name] = (dict(whole), branch)
            return
        of = config.nodes[name].of
        for child in of:
            part = {key: _times(one, _share(of, child, key)) for key, one in whole.items()}
            share(child, part, (*branch, name))

    share(ROOT, dict.fromkeys(_keys(config), 1.0), ())
    return tuple(MemberWeight(m.name, *found[m.name]) for m in config.members)


def describe(config: EnsembleConfig) -> str:
    """Return the ensemble as text: a table of members, the tree, and what follows."""
    window = config.window
    members = _count(len(config.members), "member")
    lines = [
        f"{config.name}: {members}, windows of {window.length_s:g} s every {window.hop_s:g} s",
        "",
        *_table(config),
        "",
        *_branch(config, ROOT, 0),
        "",
        f"ranks: {_ranks(config)}",
        f"steps: {', '.join(config.postprocess) or 'none'}",
        f"where no member spoke: {_filling(config)}",
    ]
    return "\n".join(lines)


def _keys(config: EnsembleConfig) -> tuple[str, ...]:
    tables = [w for node in config.nodes.values() for w in node.of.values() if isinstance(w, dict)]
    if not tables:
        return (EVERY,)
    return tuple(dict.fromkeys((*(k for t in tables for k in t if k != DEFAULT), DEFAULT)))


def _share(of: Mapping[str, float | dict[str, float]], child: str, key: str) -> float | None:
    """Return a child's part of a blend for a class or taxon; None where it is not known."""
    weights = {name: _at(weight, key) for name, weight in of.items()}
    known = [weight for weight in weights.values() if weight is not None]
    total = sum(known)
    if len(known) < len(weights) or total == 0:
        return None
    return (weights[child] or 0.0) / total


def _at(weight: float | dict[str, float], key: str) -> float | None:
    if not isinstance(weight, dict):
        return weight
    return weight.get(key, weight.get(DEFAULT))


def _times(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one * other


def _table(config: EnsembleConfig) -> list[str]:
    keys = _keys(config)
    rows = [["member", *keys, "priority", "scored by", "runtime"]]
    for member, one in zip(config.members, effective_weights(config), strict=True):
        weights = ["-" if (w := one.weights[key]) is None else f"{w:.4f}" for key in keys]
        rows.append(
            [member.name, *weights, str(member.priority), _source(member), _runtime(member)]
        )
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return ["  ".join(c.ljust(w) for c, w in zip(r, widths, strict=True)).rstrip() for r in rows]


def _source(member: MemberConfig) -> str:
    if member.model is not None:
        return member.model.name
    return f"{member.encoder} + {member.head.name if member.head is not None else '?'}"


def _runtime(member: MemberConfig) -> str:
    stride = "" if member.stride == 1 else f", 1 context in {member.stride}"
    return f"{member.runtime} {member.precision}{stride}"


def _branch(config: EnsembleConfig, name: str, depth: int) -> list[str]:
    node = config.nodes[name]
    lines = [f"{name} ({node.kind})"] if depth == 0 else []
    for child, weight in node.of.items():
        told = (
            ", ".join(f"{key} {value:g}" for key, value in weight.items())
            if isinstance(weight, dict)
            else f"{weight:g}"
        )
        kind = f" ({config.nodes[child].kind})" if child in config.nodes else ""
        lines.append(f"{'  ' * (depth + 1)}{child}{kind}: {told}")
        if child in config.nodes:
            lines += _branch(config, child, depth + 1)
    return lines


def _ranks(config: EnsembleConfig) -> str:
    if not any(node.kind in NEEDS_REFERENCE for node in config.nodes.values()):
        return "none; no blend compares windows"
    if config.reference is None:
        return "over all windows of the run, when it has ended (no reference)"
    return f"among the windows of the reference {config.reference.name}"


def _filling(config: EnsembleConfig) -> str:
    prior = config.prior if isinstance(config.prior, float | int) else f"as in {config.prior.name}"
    if config.unreached == "prior":
        return f"the prior ({prior})"
    return f"the mean of the recording, of the run, else the prior ({prior})"


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"

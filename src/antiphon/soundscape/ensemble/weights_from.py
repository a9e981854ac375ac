"""Weights that ``antiphon blend`` chose, taken into the file of an ensemble."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import yaml

from antiphon.encoders.checking import check_file, nearest, read_yaml
from antiphon.errors import FormatError, UserError
from antiphon.evaluation.blending.scoring.blends import Kind
from antiphon.replacing import write_whole
from antiphon.soundscape.ensemble.config import ROOT, EnsembleConfig, read_ensemble
from antiphon.soundscape.ensemble.reference import recipes

_PATHS = ("classes", "taxonomy", "reference", "prior")
_MEMBER_PATHS = ("model", "head", "class_map")


@dataclass(frozen=True, slots=True)
class BlendReport:
    """What ``antiphon blend`` decided.

    Parameters
    ----------
    path
        Its ``report.json``.
    kind
        Of the blend.
    weights
        Share of each model that took part.
    steps
        After the blend.
    standing
        Of every model: ``judged``, ``suspected`` or ``not evaluable``.
    kept
        Models that took part although they were suspected or not evaluable.
    """

    path: Path
    kind: Kind
    weights: Mapping[str, float]
    steps: tuple[str, ...]
    standing: Mapping[str, str]
    kept: tuple[str, ...]


def read_blend_report(path: Path | str) -> BlendReport:
    """Read the ``report.json`` of ``antiphon blend --out``, or what it prints with ``--json``.

    Raises
    ------
    FormatError
        If it cannot be read, is no such report, or a weight in it is none.
    """
    path = Path(path)
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        report = BlendReport(
            path=path,
            kind=data["kind"],
            weights={str(name): float(weight) for name, weight in data["weights"].items()},
            steps=tuple(str(step["step"]) for step in data["steps"]),
            standing={str(c["name"]): str(c["standing"]) for c in data["components"]},
            kept=tuple(str(c["name"]) for c in data["components"] if c["kept"]),
        )
    except OSError as error:
        raise FormatError(path, f"it cannot be read: {error.strerror or error}") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise FormatError(
            path,
            "it is no report of antiphon blend",
            "Write one with: antiphon blend ... --out FOLDER, and give FOLDER/report.json",
        ) from None
    if report.kind not in get_args(Kind):
        raise FormatError(path, f"the blend {report.kind!r} is not known")
    odd = {name: w for name, w in report.weights.items() if not 0 <= w < float("inf")}
    if odd or not any(report.weights.values()):
        raise FormatError(path, f"its weights are none: {odd or dict(report.weights)}")
    return report


def take_weights(
    ensemble: Path | str,
    report: Path | str,
    out: Path | str,
    *,
    node: str = ROOT,
    steps: bool = False,
) -> list[str]:
    """Write an ensemble with the weights that ``antiphon blend`` chose.

    Kind and weights of one blend are replaced. A member or group with weight 0 is taken out, with
    all that only it uses. Paths stay those of the same files, seen from ``out``; comments are lost.

    Parameters
    ----------
    ensemble
        File of the ensemble.
    report
        Of ``antiphon blend`` on score files that have the names of the members and groups of the
        blend.
    out
        File to write; may be ``ensemble``.
    node
        The blend: a group, or ``blend`` for the last one.
    steps
        Take the steps after the blend as well.

    Returns
    -------
    list of str
        What a reader must know, in sentences.

    Raises
    ------
    FileError
        If a file cannot be used or written.
    UserError
        If there is no such blend, or the report is of other models.
    """
    ensemble, out = Path(ensemble), Path(out)
    config, found = read_ensemble(ensemble), read_blend_report(report)
    if node not in config.nodes:
        raise UserError(
            f"{ensemble}: there is no blend {node!r}; there are {', '.join(config.nodes)}."
            + nearest(node, config.nodes)
        )
    children = list(config.nodes[node].of)
    _check_models(found, node, children)
    data = read_yaml(ensemble)
    dropped = [child for child in children if not found.weights[child]]
    _replace(data, node, found, [child for child in children if child not in dropped])
    for child in dropped:
        _take_out(data, config, child)
    if steps:
        data["postprocess"] = list(found.steps)
    _move_paths(data, ensemble.parent, out.parent)
    new = check_file(EnsembleConfig, data, out)
    write_whole(out, yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=100))
    return _notes(config, new, found, node, dropped, steps)


def _check_models(report: BlendReport, node: str, children: list[str]) -> None:
    for name in children:
        if name not in report.weights:
            why = report.standing.get(name)
            raise UserError(
                f"{report.path} gives no weight to {name!r} of the blend {node!r}: "
                + (f"it was {why}." if why else "it was not judged.")
                + " Judge it out of fold, keep it by name, or take it out of the ensemble."
            )
    for name, weight in report.weights.items():
        if name not in children and weight > 0:
            raise UserError(
                f"{report.path} gives a weight to {name!r}, which the blend {node!r} does not "
                f"have.{nearest(name, children)} Name score files as the members: NAME=FILE."
            )


def _replace(data: dict[str, Any], node: str, report: BlendReport, kept: list[str]) -> None:
    place = data.setdefault("blend", {}) if node == ROOT else data["groups"][node]
    place["kind"] = report.kind
    place["of"] = {child: report.weights[child] for child in kept}


def _take_out(data: dict[str, Any], config: EnsembleConfig, name: str) -> None:
    if name in config.groups:
        for child in config.groups[name].of:
            _take_out(data, config, child)
        del data["groups"][name]
    else:
        data["members"] = [one for one in data["members"] if one["name"] != name]


def _move_paths(data: dict[str, Any], old: Path, new: Path) -> None:
    def moved(path: str) -> str:
        if Path(path).is_absolute() or old.resolve() == new.resolve():
            return path
        return Path(os.path.relpath(old.resolve() / path, new.resolve())).as_posix()

    for key in _PATHS:
        if isinstance(data.get(key), str):
            data[key] = moved(data[key])
    for member in data["members"]:
        for key in _MEMBER_PATHS:
            if isinstance(member.get(key), str):
                member[key] = moved(member[key])
        if str(member.get("encoder", "")).endswith((".yaml", ".yml")):
            member["encoder"] = moved(member["encoder"])


def _notes(
    old: EnsembleConfig,
    new: EnsembleConfig,
    report: BlendReport,
    node: str,
    dropped: list[str],
    steps: bool,
) -> list[str]:
    notes = [f"{name!r} has weight 0 and was taken out." for name in dropped]
    if new.reference is not None and recipes(old) != recipes(new):
        notes.append(
            f"The reference {new.reference.name} was made for other weights: make it again with "
            "antiphon soundscape fit."
        )
    if report.steps and not steps:
        notes.append(f"The steps of the report were not taken: {', '.join(report.steps)}.")
    notes += [
        f"{name!r} has its weight although it was {report.standing[name]}: it may be flattered."
        for name in report.kept
        if report.weights.get(name)
    ]
    if any(isinstance(weight, dict) for weight in old.nodes[node].of.values()):
        notes.append(f"The weights by class or taxon of {node!r} were replaced by one each.")
    return notes

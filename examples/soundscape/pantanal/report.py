"""The table of the example: what was judged, what helped, what was caught, and what was true."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def write_report(work: Path, took: dict[str, tuple[float, float]]) -> str:
    """Write ``results.md`` in the work folder and return it."""
    lines = ["# A synthetic Pantanal, from end to end", ""]
    lines += _helped(_json(work / "evaluation/report.json"))
    lines += _rounds(work)
    lines += _leak(work)
    lines += _board(_json(work / "evaluation/report.json"), _json(work / "board/report.json"))
    lines += ["", "## Time", "", "| command | s | CPU-s |", "|---|---:|---:|"]
    took = {**took, "all": (sum(t[0] for t in took.values()), sum(t[1] for t in took.values()))}
    lines += [f"| {name} | {clock:.0f} | {cpu:.0f} |" for name, (clock, cpu) in took.items()]
    lines.append("")
    text = "\n".join(lines)
    (work / "results.md").write_text(text, encoding="utf-8")
    return text


def _helped(report: dict[str, Any]) -> list[str]:
    lines = [
        "## What helped, on the labelled soundscapes",
        "",
        "Differences are paired, with 95 % intervals over recordings; a step is against the stage",
        "before it, all else against the equal rank blend.",
        "",
        "| what | macro AUC | difference | 95 % | verdict |",
        "|---|---:|---:|---:|---|",
    ]
    for row in (*report["systems"], *report["steps"]):
        delta = row.get("delta")
        name = row.get("name") or f"then {row['step']}"
        if delta is None:
            lines.append(f"| {name} | {row['auc']:.3f} | - | - | reference |")
            continue
        lines.append(
            f"| {name} | {row['auc']:.3f} | {delta['value']:+.4f} | "
            f"{delta['low']:+.4f} to {delta['high']:+.4f} | {_verdict(delta)} |"
        )
    search = report["search"]
    if search is not None:
        kept = "kept" if not search["keep_equal"] else "equal weights stay"
        lines += ["", f"Searched weights: {kept}. {search['reason']}"]
    return lines


def _verdict(delta: dict[str, Any]) -> str:
    if delta["low"] > 0:
        return "helped"
    return "hurt" if delta["high"] < 0 else "not shown"


def _rounds(work: Path) -> list[str]:
    found = _json(work / "pseudo/rounds.json")
    lines = ["", "## Rounds of pseudo-labels", ""]
    lines += ["| round | power | macro AUC | against the best before | 95 % | verdict |"]
    lines += ["|---:|---:|---:|---:|---:|---|"]
    for row in found["rounds"]:
        gain = row["comparison"]
        cells = ["-", "-"]
        if gain is not None:
            cells = [f"{gain['value']:+.4f}", f"{gain['low']:+.4f} to {gain['high']:+.4f}"]
        power = "-" if row["gamma"] is None else f"{row['gamma']:g}"
        lines.append(
            f"| {row['number']} | {power} | {row['score']['value']:.3f} | {' | '.join(cells)} | "
            f"{row['verdict']} |"
        )
    return [*lines, "", f"{found['stopped'] or 'All rounds were run'}."]


def _leak(work: Path) -> list[str]:
    lines = ["", "## The planted leak: a probe fitted to the recordings that judge it", ""]
    for name, told in (("undeclared", "Nothing is declared"), ("declared", "Declared honestly")):
        parts = _json(work / f"audit-{name}/report.json")["components"]
        leak = next(part for part in parts if part["name"] == "probe_leak")
        test = leak["membership"] or {}
        p = test.get("p_holm")
        found = f"membership test p = {p:.2g}" if p is not None else "no membership test"
        others = [c["name"] for c in parts if c["standing"] == "suspected"]
        wrong = ", ".join(one for one in others if one != "probe_leak") or "none"
        lines.append(f"- {told}: {leak['standing']} ({found}); wrongly suspected: {wrong}.")
    return lines


def _board(offline: dict[str, Any], board: dict[str, Any]) -> list[str]:
    guess = {row["name"]: row["auc"] for row in offline["systems"]}
    blend = "weighted rank" if "weighted rank" in guess else "equal rank"
    lines = [
        "",
        "## The hidden test",
        "",
        "| what | offline | hidden truth | 95 % |",
        "|---|---:|---:|---:|",
    ]
    for row in board["systems"]:
        if row["sort"] != "model":
            continue
        name = blend if row["name"] == "ensemble" else row["name"]
        before = f"{guess[name]:.3f}" if name in guess else "-"
        interval = f"{row['low']:.3f} to {row['high']:.3f}"
        lines.append(f"| {row['name']} | {before} | {row['auc']:.3f} | {interval} |")
    return lines


def _json(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found

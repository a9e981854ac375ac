"""Small benchmarks and answers, written by hand."""

from __future__ import annotations

import json
from pathlib import Path

from antiphon.language.benchmark.predictions import Prediction, Predictions
from antiphon.language.benchmark.reference_rows import RawReference
from antiphon.language.benchmark.references import References, assemble


def references(
    rows: list[tuple[str, object]],
    component: str = "enabirds",
    task: str = "",
    groups: list[str] | None = None,
) -> References:
    """Return one component of ``(id, truth)`` rows."""
    raws = []
    for i, (name, truth) in enumerate(rows):
        facts = {"id": name, **({"group": groups[i]} if groups else {})}
        raws.append(RawReference(f"row {i}", component, name, task, truth, facts))  # type: ignore[arg-type]
    return assemble(raws, [], {}, Path("made"))


def said(answers: dict[str, object], component: str = "enabirds") -> dict[str, Prediction]:
    """Return predictions: a text, or a dictionary of scores."""
    out = {}
    for name, value in answers.items():
        text = value if isinstance(value, str) or value is None else None
        scores = value if isinstance(value, dict) else None
        out[name] = Prediction("line", name, component, text, scores, {})
    return out


def model(name: str, answers: dict[str, object], component: str = "enabirds") -> Predictions:
    """Return the answers of a model."""
    mine = tuple(said(answers, component).values())
    return Predictions(name, Path(f"{name}.jsonl"), mine)


def write_jsonl(path: Path, rows: list[dict[str, object]]) -> Path:
    """Write rows, one JSON object a line."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path

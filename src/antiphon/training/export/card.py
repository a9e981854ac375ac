"""The model card of an export, from what is known of it and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from antiphon.training.export.facts import ModelFacts, describe_sources, settings_text
from antiphon.training.export.manifest import Words
from antiphon.training.export.report import (
    PARITY_COLUMNS,
    SPEED_COLUMNS,
    ExportReport,
    parity_rows,
    speed_rows,
)

UNKNOWN = "unknown"

_STAGES = {
    "eat": "self-supervision (EAT-style, masked latents)",
    "beats": "self-supervision (BEATs-style, masked token prediction)",
    "supervised": "supervised training with labels",
    "finetune": "fine-tuning of an earlier encoder with labels",
    "distill": "distillation from the embeddings of another encoder",
    "detector": "supervised training with labels, of a head that scores frames",
}
_SHOWN_CLASSES = 20


def model_card(report: ExportReport, facts: ModelFacts, words: Words) -> str:
    """Return the card as Markdown; what is not known is said to be unknown.

    Parameters
    ----------
    report
        Of the export.
    facts
        Of the model.
    words
        Of the manifest.
    """
    parts = [
        f"# {report.name}",
        words.description,
        _table(("", ""), _summary(report, facts, words)),
        *_usage(report),
        *_training(facts),
        *_parity(report),
        *_speed(report),
        "## Versions",
        _table(("", ""), _versions(report, facts)),
    ]
    if report.notes:
        parts += ["## Notes", "\n".join(f"- {note}" for note in report.notes)]
    if facts.run:
        parts += ["## Settings of the training run", f"```yaml\n{settings_text(facts.run)}\n```"]
    return "\n\n".join(parts) + "\n"


def _summary(report: ExportReport, facts: ModelFacts, words: Words) -> list[tuple[str, str]]:
    model = report.model
    precision: str = report.precision
    if report.quantisation is not None:
        precision += f", {report.quantisation} quantisation"
    return [
        ("licence", words.licence or UNKNOWN),
        ("source", words.source or UNKNOWN),
        ("precision", precision),
        ("backbone", f"{model['backbone']}, {model['parameters']:,} parameters"),
        ("front end", _front_end(report, facts)),
        ("input", f"{model['sample_rate']} Hz, {model['window_s']:g} s"),
        ("embedding", f"{model['dim']} numbers"),
        ("classes", _classes(facts.settings.classes)),
        ("SHA-256 of the trained weights", str(model.get("weights_sha256") or UNKNOWN)),
    ]


def _front_end(report: ExportReport, facts: ModelFacts) -> str:
    kind = facts.settings.front_end.kind
    if report.model.get("front_end") == "outside":
        return f"{kind}, before the file, as the manifest says"
    return f"{kind}, inside the file, float32"


def _classes(classes: Sequence[str]) -> str:
    if not classes:
        return "none"
    shown = ", ".join(classes[:_SHOWN_CLASSES])
    more = len(classes) - _SHOWN_CLASSES
    return f"{len(classes):,}: {shown}" + (f" and {more:,} more" if more > 0 else "")


def _usage(report: ExportReport) -> Iterator[str]:
    model = report.model
    yield "## How to use it"
    yield f"```\nantiphon embed PROJECT --encoder {report.name}.yaml\n```"
    yield (
        "or `antiphon.encoders.registry.create_encoder` with the path of that file. It takes mono "
        f"audio of {model['sample_rate']} Hz in windows of {model['window_s']:g} s; padding of a "
        "shorter window is masked inside the network."
    )
    yield "## Intended use and limits"
    yield "\n".join(f"- {line}" for line in _limits(report))


def _limits(report: ExportReport) -> Iterator[str]:
    yield (
        "Embeddings of windows of sound, for search, maps, active learning and detectors that are "
        "trained on them."
    )
    yield (
        "Nothing is known of its quality on recordings unlike those it was trained on: judge it "
        "on labelled recordings of your own, as by `antiphon bench encoders`."
    )
    if report.model["classes"]:
        yield (
            "Its class scores are not calibrated, and a class it was not trained on has none: they "
            "are no evidence of absence."
        )
    if report.quantisation == "dynamic":
        yield (
            "Activations are scaled by the content of what is computed at once: give one window at "
            "a time, as antiphon does, or results depend slightly on the batch."
        )


def _training(facts: ModelFacts) -> Iterator[str]:
    run = facts.run
    stage = run.get("stage")
    loop = run.get("loop") if isinstance(run.get("loop"), dict) else {}
    rows = [
        ("stage", _STAGES.get(str(stage), str(stage)) if stage else UNKNOWN),
        ("data", "; ".join(describe_sources(run)) or UNKNOWN),
        *_pairs(facts.validation.get("data")),
        ("started from", _origin(run)),
        ("steps", str(loop.get("steps", UNKNOWN) if loop else UNKNOWN)),
        ("seed", str(run.get("seed", UNKNOWN))),
        ("trained", str(facts.environment.get("begun") or UNKNOWN)),
    ]
    last = facts.validation.get("last")
    values = last.get("values", {}) if isinstance(last, dict) else {}
    held_out = ", ".join(f"{k} {v:.4g}" for k, v in values.items() if isinstance(v, int | float))
    rows.append(("held-out clips at the end", held_out or UNKNOWN))
    yield "## What it was trained on"
    yield _table(("", ""), rows)


def _parity(report: ExportReport) -> Iterator[str]:
    yield "## Parity with the trained model"
    yield (
        f"Cosine distance of embeddings and largest difference of scores, on {report.audio}. "
        f"Bound of this export: {report.bounds}."
    )
    yield _table(PARITY_COLUMNS, parity_rows(report))
    worst = report.parity[report.precision].worst
    yield "Worst windows: " + "; ".join(f"{name} ({value:.1e})" for name, value in worst) + "."


def _speed(report: ExportReport) -> Iterator[str]:
    machine = report.environment.get("processor") or UNKNOWN
    yield "## Speed"
    yield (
        f"One thread's time, one window after the other, front end included, on {machine} "
        f"({report.environment.get('date') or UNKNOWN})."
    )
    yield _table(SPEED_COLUMNS, speed_rows(report))


def _origin(run: dict[str, Any]) -> str:
    if not run:
        return UNKNOWN
    origin = run.get("init_from")
    return settings_text({"from": origin}).removeprefix("from: ") if origin else "fresh weights"


def _versions(report: ExportReport, facts: ModelFacts) -> list[tuple[str, str]]:
    trained = facts.environment
    packages = trained.get("packages") if isinstance(trained.get("packages"), dict) else {}
    training = [f"antiphon {trained['antiphon']}"] if trained.get("antiphon") else []
    training += [f"{name} {version}" for name, version in (packages or {}).items()]
    export = [f"{k} {v}" for k, v in report.environment.get("packages", {}).items()]
    return [
        ("training", ", ".join(training) or UNKNOWN),
        ("export", ", ".join(export) or UNKNOWN),
    ]


def _pairs(value: Any) -> Iterable[tuple[str, str]]:
    return [(str(k), str(v)) for k, v in value.items()] if isinstance(value, dict) else []


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")

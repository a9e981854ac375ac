"""Verbs of detectors: train, detect, evaluate, forecast."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from antiphon.cli.options import AsJson, EncoderName, ProjectPath, Seed
from antiphon.errors import PartialError

GroupBy = Annotated[
    str | None,
    typer.Option(
        "--group-by",
        help="What is never split between training and judging: recording, site, date, or a "
        "column of the metadata table. The project's setting by default (recording).",
    ),
]
HeadKind = Annotated[str, typer.Option("--head", help="linear or mlp.")]
Precision = Annotated[
    float | None,
    typer.Option(
        "--precision", min=0.01, max=1.0, help="What the thresholds aim at; 0.9 by default."
    ),
]
Folds = Annotated[int, typer.Option("--folds", min=2, help="Folds of the cross-validation.")]


def register(app: typer.Typer) -> None:
    """Add this file's verbs."""
    app.command()(train)
    app.command()(detect)
    app.command()(evaluate)
    app.command()(forecast)


def train(
    project: ProjectPath,
    head: HeadKind = "linear",
    group_by: GroupBy = None,
    precision: Precision = None,
    folds: Folds = 5,
    name: Annotated[str | None, typer.Option("--name", help="Name of the detector.")] = None,
    encoder: EncoderName = None,
    seed: Seed = 0,
) -> None:
    """Learn a detector from all labels: head, calibration, thresholds, in one file."""
    from antiphon.api import Project
    from antiphon.cli.show import RichReporter, say, table, warn_together

    report = Project(project).train(
        head=head,
        group_by=group_by,
        precision=precision,
        folds=folds,
        name=name,
        encoder=encoder,
        seed=seed,
        reporter=RichReporter(),
    )
    labels = report.detector.labels
    say(
        f"Detector {report.path}: {report.windows:,} labelled windows from {report.groups} groups "
        f"(by {report.group_by}), {report.seconds:.1f} CPU-s."
    )
    table(
        ["label", "positives", "threshold", "precision", "recall", "more clips"],
        [
            [
                label,
                report.positives[label],
                t.value,
                interval(t.precision, t.precision_low, t.precision_high),
                interval(t.recall, t.recall_low, t.recall_high),
                t.more_clips_needed,
            ]
            for label, t in zip(labels, report.detector.thresholds, strict=True)
        ],
        title="At each label's threshold, on held-out folds (95 % interval); "
        "more clips: to know the precision to +-0.05",
    )
    say(
        "Threshold, calibration and L2 were chosen on these same windows, so the figures flatter "
        f"a little; the honest ones: antiphon evaluate {project}"
    )
    warn_together((label, f"Not learnt: {why}.") for label, why in report.untrained.items())
    warn_together((n, t.note) for n, t in zip(labels, report.detector.thresholds, strict=True))


def detect(
    project: ProjectPath,
    audio: Annotated[
        Path | None,
        typer.Option("--audio", metavar="NEW_DIR", help="Only new recordings, added from here."),
    ] = None,
    detector: Annotated[
        str | None, typer.Option("--detector", help="Its name; the newest by default.")
    ] = None,
    threshold: Annotated[
        float | None,
        typer.Option("--threshold", help="One for all labels, in place of the detector's own."),
    ] = None,
    encoder: EncoderName = None,
) -> None:
    """Run the detector over everything, or over new recordings."""
    from antiphon.api import Project
    from antiphon.cli.show import RichReporter, say, table, warn

    report = Project(project).detect(
        audio=audio,
        detector=detector,
        threshold=threshold,
        encoder=encoder,
        reporter=RichReporter(),
    )
    table(
        ["label", "threshold", "windows over it"],
        [[name, report.thresholds[name], n] for name, n in report.counts.items()],
    )
    say(f"{report.windows:,} windows looked at with {report.detector}; detections in {report.path}")
    if report.embedded is not None and not report.embedded.complete:
        for failure in (*report.embedded.run.failed, *report.embedded.failed_before):
            warn(f"{failure.item}: not looked at: {failure.reason}")
        for path, why in (*report.embedded.intake.unreadable, *report.embedded.intake.partial):
            warn(f"{path}: {why}")
        for place in report.embedded.intake.absent:
            warn(f"{place}: this audio folder is not there now")
        raise PartialError("Some recordings were not looked at in full (named above).")


def evaluate(
    project: ProjectPath,
    head: Annotated[
        str | None, typer.Option("--head", help="linear or mlp; the detector's by default.")
    ] = None,
    group_by: Annotated[
        str | None,
        typer.Option("--group-by", help="As for train; the detector's by default."),
    ] = None,
    precision: Precision = None,
    folds: Folds = 5,
    encoder: EncoderName = None,
    seed: Seed = 0,
    json: AsJson = False,
) -> None:
    """Honest numbers with intervals: nested cross-validation, and labels the detector never saw."""
    from antiphon.api import Project
    from antiphon.cli.show import RichReporter, as_json, say, table, warn_together
    from antiphon.pipeline.evaluate import text
    from antiphon.pipeline.report.values import to_json

    results = Project(project).evaluate(
        head=head,
        group_by=group_by,
        precision=precision,
        folds=folds,
        encoder=encoder,
        seed=seed,
        reporter=RichReporter(),
    )
    if json:
        as_json(to_json(results))
        return
    for result in results:
        say(
            f"{result.title}: {result.windows:,} labelled windows, {result.groups} groups"
            + (f", {result.folds} folds" if result.folds else "")
            + (f". {result.how}." if result.how else ".")
        )
        for line in result.leakage:
            say(line)
        say(f"Macro average precision {text(result.macro_average_precision)}")
        table(
            ["label", "positives", "groups", "AP", "ROC-AUC", "threshold", "precision", "recall"],
            [
                [
                    c.label,
                    c.positives,
                    c.groups,
                    text(c.average_precision),
                    text(c.roc_auc),
                    c.threshold,
                    text(c.precision),
                    text(c.recall),
                ]
                for c in result.classes
            ],
        )
        warn_together((c.label, c.note) for c in result.classes)
        say("")


def forecast(
    project: ProjectPath,
    target: Annotated[
        float | None,
        typer.Option("--target", min=0.01, max=1.0, help="Macro average precision that is wanted."),
    ] = None,
    min_gain: Annotated[
        float | None,
        typer.Option("--min-gain", min=1e-6, help="Gain below which more labels are not worth it."),
    ] = None,
    per: Annotated[
        int, typer.Option("--per", metavar="N", min=1, help="Labels that --min-gain speaks of.")
    ] = 50,
    encoder: EncoderName = None,
    seed: Seed = 0,
) -> None:
    """Predict the learning curve: how many more labels, how long, and whether to stop."""
    from antiphon.api import Project
    from antiphon.cli.show import say, table

    found = Project(project).forecast(
        target=target, min_gain=min_gain, per_labels=per, encoder=encoder, seed=seed
    )
    last = found.spent[-1]
    ahead = [last + k * per for k in (1, 2, 4, 8)]
    value, low, high = found.curve.predict(ahead)
    table(
        ["labels", "macro average precision"],
        [[n, f"{v:.2f}"] for n, v in zip(found.spent, found.reached, strict=True)]
        + [
            [f"{n} (predicted)", interval(v, a, b)]
            for n, v, a, b in zip(ahead, value.tolist(), low.tolist(), high.tolist(), strict=True)
        ],
        title="Evaluations so far, and what more labels are predicted to bring (90 % interval)",
    )
    if found.reach is not None:
        say(str(found.reach))
    if found.effort is not None:
        hours = [seconds / 3600 for seconds in (found.effort.low, found.effort.high)]
        said = f"Labelling them takes {hours[0]:.1f} to {hours[1]:.1f} hours."
        say(f"{said} {found.effort_note}".strip())
    if found.advice is not None:
        say(str(found.advice))


def interval(value: float | None, low: float | None, high: float | None) -> str | None:
    """Return ``0.91 [0.84, 0.96]``; None where there is no value."""
    if value is None or value != value:
        return None
    if low is None or high is None or low != low or high != high:
        return f"{value:.2f}"
    return f"{value:.2f} [{low:.2f}, {high:.2f}]"

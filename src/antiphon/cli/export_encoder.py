"""The verb that makes an encoder of a trained model: export-encoder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from antiphon.cli.options import AsJson
from antiphon.errors import UserError

if TYPE_CHECKING:
    from antiphon.training.export.report import ExportReport


def register(app: typer.Typer) -> None:
    """Add this file's verb."""
    app.command("export-encoder")(export_encoder)


def export_encoder(
    model: Annotated[
        Path,
        typer.Argument(
            metavar="MODEL", help="Folder of a model or of a training run.", show_default=False
        ),
    ],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder to make.")],
    precision: Annotated[
        str,
        typer.Option(
            "--precision", help="Of the weights: fp32, fp16 (half the size) or int8 (a quarter)."
        ),
    ] = "fp32",
    audio: Annotated[
        Path | None,
        typer.Option(
            "--audio",
            metavar="DIR",
            help="Recordings to judge and calibrate on; synthesised soundscapes by default.",
        ),
    ] = None,
    windows: Annotated[
        int, typer.Option("--windows", min=4, help="Windows of them to judge on.")
    ] = 64,
    quantisation: Annotated[
        str,
        typer.Option(
            "--quantisation", help="Of int8: auto, weights, dynamic or static (calibrated)."
        ),
    ] = "auto",
    allow: Annotated[
        list[str] | None,
        typer.Option(
            "--allow",
            metavar="max=D",
            help="Cosine distance above which the export is refused, as max=0.02 or mean=0.005, "
            "or difference of class scores, as score=0.1; repeatable. By default max 1e-5 for "
            "fp32, max 1e-3 for fp16, mean 0.01, max 0.05 and score 0.1 for int8.",
        ),
    ] = None,
    compare: Annotated[
        bool, typer.Option("--compare", help="Report on the other precisions as well.")
    ] = False,
    front_end: Annotated[
        str,
        typer.Option(
            "--front-end",
            help="inside the ONNX file, which then takes samples, or outside: a smaller file, and "
            "members of an ensemble share it. auto is outside for detectors.",
        ),
    ] = "auto",
    scores: Annotated[
        bool,
        typer.Option("--scores/--no-scores", help="Scores of the model's classes, if it has any."),
    ] = True,
    name: Annotated[
        str | None, typer.Option("--name", help="Of the encoder; the model's by default.")
    ] = None,
    description: Annotated[
        str | None, typer.Option("--description", help="One line for lists of encoders.")
    ] = None,
    licence: Annotated[
        str | None, typer.Option("--licence", help="Of the weights, as in CC0-1.0.")
    ] = None,
    hop: Annotated[
        float | None,
        typer.Option("--hop", metavar="S", help="Default step between windows; the window."),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace an earlier export in DIR.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Make an encoder of a trained model: an ONNX file with front end, manifest and model card.

    It is held against the model on real audio and refused if it differs. Use it as any other
    encoder, by the path of its manifest: antiphon embed PROJECT --encoder DIR/NAME.yaml
    """
    from antiphon.encoders.checking import check_parameters
    from antiphon.training.export.config import ExportConfig, parse_bounds
    from antiphon.training.needs import need

    values = {
        "precision": precision,
        "quantisation": quantisation,
        "compare": compare,
        "windows": windows,
        "bounds": parse_bounds(allow or []),
        "front_end": front_end,
        "scores": scores,
        "name": name,
        "description": description,
        "licence": licence,
        "hop_s": hop,
        "overwrite": overwrite,
    }
    try:
        config = check_parameters(ExportConfig, values, "export")
    except UserError as error:
        raise UserError(str(error).removeprefix("Encoder 'export': ")) from error
    for package in ("torch", "onnx"):
        need(package, "export encoders")

    from antiphon.cli.show import RichReporter, as_json, say, warn
    from antiphon.training.export.errors import ParityError
    from antiphon.training.export.exporting import export_encoder as export

    try:
        report = export(model, out, config, audio=audio, reporter=RichReporter())
    except ParityError as error:
        if not json:
            _show(error.report)
        raise
    if json:
        as_json(report.to_json())
        return
    _show(report)
    for note in report.notes:
        warn(note)
    say(f"Encoder {report.name}: antiphon embed PROJECT --encoder {report.manifest}")


def _show(report: ExportReport) -> None:
    from antiphon.cli.show import say, table
    from antiphon.training.export.report import (
        PARITY_COLUMNS,
        SPEED_COLUMNS,
        parity_rows,
        speed_rows,
    )

    say(f"Cosine distance of embeddings and difference of scores, on {report.audio}:")
    table(PARITY_COLUMNS, parity_rows(report))
    say("One thread's time, one window after the other, front end included:")
    table(SPEED_COLUMNS, speed_rows(report))

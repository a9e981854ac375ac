"""Arguments and options that several verbs share, so that they read the same everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from antiphon.errors import UserError

ProjectPath = Annotated[
    Path, typer.Argument(metavar="PROJECT", help="The project's folder.", show_default=False)
]
EncoderName = Annotated[
    str | None,
    typer.Option(
        "--encoder",
        "-e",
        metavar="NAME",
        help="Which table of embeddings to use, by its encoder or name; the newest by default.",
    ),
]
Sites = Annotated[
    list[str] | None, typer.Option("--site", metavar="SITE", help="Only this site; repeatable.")
]
Hour = Annotated[
    str | None,
    typer.Option("--hour", metavar="4-7", help="Only these hours of the day; 22-4 is the night."),
]
Dates = Annotated[
    str | None,
    typer.Option(
        "--date", metavar="DAY[..DAY]", help="Only this day or these days, both included."
    ),
]
Labels = Annotated[
    list[str] | None,
    typer.Option("--label", metavar="LABEL", help="Only windows annotated with it; repeatable."),
]
Unlabelled = Annotated[
    bool, typer.Option("--unlabelled", help="Only windows that no annotation speaks about.")
]
Detected = Annotated[
    list[str] | None,
    typer.Option(
        "--detected", metavar="LABEL", help="Only windows the detector finds it in; repeatable."
    ),
]
MinScore = Annotated[
    float | None,
    typer.Option(
        "--min-score", min=0.0, max=1.0, help="With --detected: probability at least this."
    ),
]
MaxScore = Annotated[
    float | None,
    typer.Option(
        "--max-score", min=0.0, max=1.0, help="With --detected: probability at most this."
    ),
]
QueueFormat = Annotated[
    str | None,
    typer.Option("--format", help="Of --out: csv (by default), raven or audacity."),
]
Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="Replace what --out names, answers included.")
]
Seed = Annotated[int, typer.Option("--seed", help="Seed of everything random.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="A parameter of the encoder; repeatable."),
]


def queue_format(given: str | None, out: Path | None) -> str:
    """Return the format of a queue.

    Raises
    ------
    UserError
        If it is unknown, or given without a place to write to.
    """
    kinds = ("csv", "raven", "audacity")
    if given is not None and given not in kinds:
        raise UserError(f"--format {given!r} is not known. There are: {', '.join(kinds)}.")
    if given is not None and out is None:
        raise UserError(f"--format {given} is of the files that --out writes; add --out FILE|DIR.")
    return given or "csv"


def parse_settings(given: list[str] | None) -> dict[str, Any]:
    """Parse ``key=value`` pairs; values are read as YAML scalars (numbers, true, text).

    Raises
    ------
    UserError
        If a pair has no ``=``.
    """
    import yaml

    settings: dict[str, Any] = {}
    for pair in given or []:
        key, equals, value = pair.partition("=")
        if not equals or not key.strip():
            raise UserError(f"--set {pair!r} is not KEY=VALUE, as in --set window_s=3")
        settings[key.strip()] = yaml.safe_load(value)
    return settings


def parse_span(text: str | None, option: str) -> tuple[float, float] | None:
    """Parse ``12.5-15`` as a span of seconds.

    Raises
    ------
    UserError
        If it is not two numbers, the second after the first.
    """
    if text is None:
        return None
    first, _, last = text.partition("-")
    try:
        span = float(first), float(last)
    except ValueError:
        raise UserError(f"{option} {text!r} is not a span of seconds such as 12.5-15.") from None
    if span[1] <= span[0]:
        raise UserError(f"{option} {text!r} ends before it begins.")
    return span

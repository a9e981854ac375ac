"""The verbs that train networks: pretrain, train-encoder, finetune, train-detector."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from antiphon.errors import UserError

Config = Annotated[
    str | None,
    typer.Argument(
        metavar="[CONFIG]",
        help="A YAML file, or the name of a preset such as eat-tiny; left out with --resume.",
        show_default=False,
    ),
]
Out = Annotated[
    Path | None,
    typer.Option("--out", metavar="RUN", help="Folder of the run; runs/NAME by default."),
]
Data = Annotated[
    list[Path] | None,
    typer.Option(
        "--data", metavar="DIR", help="A folder of audio, in place of data.sources; repeatable."
    ),
]
Resume = Annotated[
    bool,
    typer.Option("--resume", help="Go on with RUN; without CONFIG by the settings kept in RUN."),
]
Changes = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=VALUE", help="A setting, as in optimiser.lr=1e-4; repeatable."
    ),
]
Steps = Annotated[int | None, typer.Option("--steps", min=1, help="The same as loop.steps.")]
Workers = Annotated[int | None, typer.Option("--workers", min=0, help="As data.workers.")]
Device = Annotated[
    str | None, typer.Option("--device", metavar="NAME", help="auto, cpu or gpu; as loop.device.")
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Print the plan: data, parameters, steps, memory.")
]

_STAGES = {
    "pretrain": ("eat", "beats"),
    "train-encoder": ("supervised", "distill"),
    "finetune": ("finetune",),
    "train-detector": ("detector",),
}


def register(app: typer.Typer) -> None:
    """Add this file's verbs."""
    app.command("pretrain")(pretrain)
    app.command("train-encoder")(train_encoder)
    app.command("finetune")(finetune)
    app.command("train-detector")(train_detector)


def pretrain(
    config: Config = None,
    out: Out = None,
    data: Data = None,
    resume: Resume = False,
    settings: Changes = None,
    steps: Steps = None,
    workers: Workers = None,
    device: Device = None,
    dry_run: DryRun = False,
) -> None:
    """Train an encoder on audio without labels (stage eat or beats).

    Paths in CONFIG are relative to CONFIG, those of options to the working folder. The same
    command goes on with a run that was stopped.
    """
    asked = _Asked(config, out, data, resume, settings, steps, workers, device)
    _run("pretrain", asked, dry_run)


def train_encoder(
    config: Config = None,
    out: Out = None,
    data: Data = None,
    resume: Resume = False,
    settings: Changes = None,
    steps: Steps = None,
    workers: Workers = None,
    device: Device = None,
    dry_run: DryRun = False,
) -> None:
    """Train an encoder with labels, from scratch or from a pre-trained one, or from a teacher.

    Stage supervised or distill; otherwise as antiphon pretrain.
    """
    asked = _Asked(config, out, data, resume, settings, steps, workers, device)
    _run("train-encoder", asked, dry_run)


def finetune(
    config: Config = None,
    out: Out = None,
    data: Data = None,
    resume: Resume = False,
    settings: Changes = None,
    steps: Steps = None,
    workers: Workers = None,
    device: Device = None,
    dry_run: DryRun = False,
) -> None:
    """Adapt a trained encoder to new classes from few labels (stage finetune).

    Give the encoder as init_from in CONFIG or by --set init_from=FOLDER; otherwise as antiphon
    pretrain.
    """
    asked = _Asked(config, out, data, resume, settings, steps, workers, device)
    _run("finetune", asked, dry_run)


def train_detector(
    config: Config = None,
    out: Out = None,
    data: Data = None,
    resume: Resume = False,
    settings: Changes = None,
    steps: Steps = None,
    workers: Workers = None,
    device: Device = None,
    folds: Annotated[
        bool,
        typer.Option(
            "--folds", help="Train one for each fold of data.folds, and score what it left out."
        ),
    ] = False,
    fold: Annotated[
        int | None,
        typer.Option("--fold", metavar="K", min=0, help="Train that fold only, from 0."),
    ] = None,
    dry_run: DryRun = False,
) -> None:
    """Train a network that says which classes sound in a clip, and when (stage detector).

    With --folds each recording is held out once, and out_of_fold.parquet in RUN has its scores,
    for antiphon blend. Otherwise as antiphon pretrain.
    """
    asked = _Asked(config, out, data, resume, settings, steps, workers, device)
    if not folds and fold is None:
        _run("train-detector", asked, dry_run)
        return
    if folds and fold is not None:
        raise UserError("Give --folds for all folds, or --fold for one of them.")
    if resume and config is None:
        raise UserError("Folds need CONFIG; the same command goes on where it was stopped.")
    _run_folds(asked, None if fold is None else [fold], dry_run)


class _Asked:
    """What the options say."""

    def __init__(
        self,
        config: str | None,
        out: Path | None,
        data: list[Path] | None,
        resume: bool,
        settings: list[str] | None,
        steps: int | None,
        workers: int | None,
        device: str | None,
    ) -> None:
        from antiphon.cli.options import parse_settings

        self.config = config
        self.out = out
        self.data = data or []
        self.resume = resume
        self.overrides = parse_settings(settings)
        named = {"loop.steps": steps, "data.workers": workers, "loop.device": device}
        for key, value in named.items():
            if value is not None:
                self.overrides[key] = value

    def source(self) -> str | Path:
        """Return where the settings are.

        Raises
        ------
        UserError
            They are nowhere.
        """
        if self.config is not None:
            return self.config
        if not self.resume:
            raise UserError("Which settings? Give a YAML file or the name of a preset.")
        if self.out is None:
            raise UserError("--resume without CONFIG needs --out RUN, the run to go on with.")
        if self.data:
            raise UserError("--resume without CONFIG takes the data of the run; take out --data.")
        path = self.out / "config.yaml"
        if not path.is_file():
            raise UserError(f"{self.out} holds no training run to go on with.")
        return path


def _load(verb: str, asked: _Asked) -> Any:
    from antiphon.training.config import load_run_config

    config = load_run_config(asked.source(), asked.overrides, folders=asked.data)
    if config.stage not in _STAGES[verb]:
        right = next(name for name, stages in _STAGES.items() if config.stage in stages)
        raise UserError(f"The stage {config.stage} is trained by: antiphon {right}.")
    from antiphon.training.needs import need

    need("torch")
    return config


def _run_folds(asked: _Asked, folds: list[int] | None, dry_run: bool) -> None:
    config = _load("train-detector", asked)
    from antiphon.training.needs import need

    if dry_run:
        from antiphon.training.data.fold_config import FoldsConfig
        from antiphon.training.detection.folds import fold_config

        first = folds[0] if folds else 0
        _print_plan(fold_config(config, config.data.folds or FoldsConfig(), first))
        return
    need("lightning")
    from antiphon.cli.show import RichReporter, say, table, warn
    from antiphon.training.detection.folds import train_folds
    from antiphon.training.detection.measures import COLUMNS, table_rows

    out = asked.out or Path("runs") / config.name
    report = train_folds(config, out, folds, reporter=RichReporter())
    if report.folds:
        table(list(COLUMNS), table_rows(report.folds))
    if report.stopped is not None:
        warn(
            f"Stopped in fold {report.stopped}, after step {report.done:,} of {report.steps:,}; a "
            "checkpoint is kept. The same command goes on."
        )
        raise KeyboardInterrupt
    if report.missing:
        say(f"Folds to come: {', '.join(map(str, report.missing))}.")
        return
    from antiphon.training.detection.files import TRUTH
    from antiphon.training.detection.folds import FOLDS

    say(
        f"Scores: antiphon blend {config.name}={report.scores} --truth {out / TRUTH} "
        f"--out-of-fold {config.name}={out / FOLDS}"
    )


def _run(verb: str, asked: _Asked, dry_run: bool) -> None:
    config = _load(verb, asked)
    from antiphon.training.needs import need

    if dry_run:
        _print_plan(config)
        return
    need("lightning")
    from antiphon.cli.show import RichReporter, say, warn
    from antiphon.training.loop.run import run_stage

    out = asked.out or Path("runs") / config.name
    report = run_stage(config, out, resume=asked.resume, reporter=RichReporter())
    if not report.main:
        return
    if not report.finished:
        warn(
            f"Stopped after step {report.done:,} of {report.steps:,}; a checkpoint is kept. To go "
            f"on: antiphon {verb} --resume --out {out}"
        )
        raise KeyboardInterrupt
    _tell(report, say)


def _tell(report: Any, say: Any) -> None:
    from antiphon.cli.show import table
    from antiphon.training.loop.recorder import SHOWN, duration_text

    if report.now:
        say(f"{report.steps:,} steps in {duration_text(report.seconds)}.")
    else:
        say(f"This run is finished already: {report.steps:,} steps. Nothing was done.")
    rows = [
        [name, report.first.get(key), report.last[key]]
        for key, name in SHOWN.items()
        if key in report.last
    ]
    if rows:
        table(["held-out clips", "before", "after"], rows)
    say(f"Encoder: {report.folder / 'model'}")
    say(f"Report: {report.folder / 'report.html'}")


def _print_plan(config: Any) -> None:
    from antiphon.cli.show import table
    from antiphon.training.loop.plan import make_plan

    table(["plan", ""], make_plan(config))

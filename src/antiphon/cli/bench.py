"""The verbs that measure: bench al (strategies), bench encoders and bench language."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from antiphon.cli import bench_encoders, bench_language, bench_tools
from antiphon.cli.options import Seed
from antiphon.errors import PartialError, UserError

bench = typer.Typer(
    no_args_is_help=True, help="Measure strategies, encoders and answers on labelled sets."
)
al = typer.Typer(invoke_without_command=True)


def register(app: typer.Typer) -> None:
    """Add this file's verbs."""
    app.add_typer(bench, name="bench")


@al.callback()
def run(
    context: typer.Context,
    data: Annotated[
        list[Path] | None,
        typer.Option(
            "--data", metavar="DIR", help="A BaseAL folder, or one that holds some; repeatable."
        ),
    ] = None,
    preset: Annotated[
        list[str] | None,
        typer.Option(
            "--preset",
            metavar="NAME[:VARIANT[:SEED]]",
            help="A simulated set, as hsn:3; repeatable.",
        ),
    ] = None,
    strategy: Annotated[
        list[str] | None,
        typer.Option("--strategy", metavar="NAME", help="See bench al strategies; repeatable."),
    ] = None,
    sampling: Annotated[
        list[Path] | None,
        typer.Option(
            "--sampling",
            metavar="FILE.py",
            help="A strategy written for BaseAL; its code is executed. Repeatable.",
        ),
    ] = None,
    method: Annotated[
        str, typer.Option("--method", help="Of --sampling: its sampling_strategy.")
    ] = "custom",
    config: Annotated[
        Path | None,
        typer.Option(
            "--config",
            metavar="config.yml",
            help="BaseAL's settings; its sets and strategies too, unless given here.",
        ),
    ] = None,
    repeats: Annotated[
        int, typer.Option("--repeats", min=1, help="Runs of each from different random heads.")
    ] = 5,
    budget: Annotated[int, typer.Option("--budget", min=1, help="Labels in all.")] = 500,
    batch: Annotated[
        int | None, typer.Option("--batch", min=1, help="Labels of each cycle; 50 by default.")
    ] = None,
    schedule: Annotated[
        str | None,
        typer.Option(
            "--schedule",
            metavar="25x4,50x5,75x2",
            help="Batches one by one; 'suggested': as each strategy was published.",
        ),
    ] = None,
    warmup: Annotated[
        str | None, typer.Option("--warmup", metavar="NAME", help="Strategy of the first batch.")
    ] = None,
    model: Annotated[
        str | None, typer.Option("--model", help="Which vectors, where a folder has several.")
    ] = None,
    by_deployment: Annotated[
        bool,
        typer.Option("--by-deployment", help="Each prefix of file names (name__) is a set."),
    ] = False,
    compat: Annotated[
        bool, typer.Option("--compat", help="Read and run as BaseAL does, its faults included.")
    ] = False,
    exact: Annotated[
        bool, typer.Option("--exact", help="Adam step by step as in torch; slower.")
    ] = False,
    seed: Seed = 0,
    jobs: Annotated[
        int | None, typer.Option("--jobs", "-j", min=1, help="Processes; one a core by default.")
    ] = None,
    time_limit: Annotated[
        float, typer.Option("--time-limit", metavar="S", min=0.1, help="Of one selection.")
    ] = 600.0,
    redo: Annotated[bool, typer.Option("--redo", help="Run again what is there already.")] = False,
    package: Annotated[
        bool, typer.Option("--package", help="Write the challenge's files and zip as well.")
    ] = False,
    lastname: Annotated[str | None, typer.Option("--lastname", help="With --package.")] = None,
    institute: Annotated[str | None, typer.Option("--institute", help="With --package.")] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="RUN", help="Folder of the benchmark.")
    ] = None,
) -> None:
    """Run strategies on labelled sets: choose, reveal, train, judge, until the budget is spent.

    Each finished run is kept in RUN; the same command does only what is missing, and with --out
    alone all that RUN still lacks.
    """
    if context.invoked_subcommand is not None:
        if data or preset or strategy or sampling or config or out:
            raise UserError(
                f"Options of bench al {context.invoked_subcommand} are written after its name."
            )
        return
    if out is None:
        if data or preset or strategy or sampling or config:
            raise UserError("Where to? Give --out RUN, a folder for the results.")
        typer.echo(context.get_help())
        raise typer.Exit(2)
    if package and not (lastname and institute):
        raise UserError("A package is named by its author: give --lastname and --institute.")
    if batch is not None and schedule is not None:
        raise UserError("Give --batch or --schedule, not both.")
    from antiphon.active.benchmark.asking import Asked, groups_of
    from antiphon.active.benchmark.folder import BenchmarkFolder
    from antiphon.active.benchmark.runner import run_benchmark
    from antiphon.cli.show import RichReporter

    folder = BenchmarkFolder(out)
    asked = Asked(
        data=tuple(data or ()),
        presets=tuple(preset or ()),
        strategies=tuple(strategy or ()),
        sampling=tuple(sampling or ()),
        method=method,
        config=config,
        repeats=repeats,
        budget=budget,
        schedule=schedule or (None if batch is None else str(batch)),
        warmup=warmup,
        model=model,
        by_deployment=by_deployment,
        compat=compat,
        exact=exact,
        seed=seed,
        time_limit_s=time_limit,
    )
    again = package and not (data or preset or config)
    groups = folder.groups() if again or not asked.anything() else groups_of(asked)
    report = run_benchmark(groups, folder, jobs=jobs, redo=redo, reporter=RichReporter())
    _tell(folder, report)
    if report.interrupted:
        raise KeyboardInterrupt
    if package:
        _package(folder, lastname or "", institute or "", model, strategy or [])
    if report.failed:
        raise PartialError(
            f"{len(report.failed)} could not be run (named above); the rest is finished and kept."
        )


bench_tools.register(al)
bench.add_typer(al, name="al")
bench_encoders.register(bench)
bench_language.register(bench)


def _tell(folder: Any, report: Any) -> None:
    """Print what was run, and the standings so far."""
    from antiphon.active.benchmark.compute import compute_figures
    from antiphon.active.benchmark.words import plus_minus
    from antiphon.cli.show import say, table, warn

    say(f"{report.done} runs now, {report.kept} kept from before.")
    if report.other_code:
        warn(
            f"{report.other_code} of those kept were made by another version of the code; "
            "--redo runs them again."
        )
    results, broken = folder.results()
    for note in broken:
        warn(note)
    if results:
        figures = compute_figures(results)
        overall = [(s, figures.standings[s.key].overall) for s in figures.systems]
        table(
            ["system", "AULC", "equal grid", "final mAP", "sets"],
            [
                [
                    s.label,
                    *(
                        None if (whole := scores[name]) is None else plus_minus(whole)
                        for name in ("aulc", "aulc_grid", "final")
                    ),
                    figures.standings[s.key].n_sets,
                ]
                for s, scores in overall
            ],
            title="Mean over sub-domains, with half of the 95 % interval over repeats",
        )
        say(f"Report: antiphon bench al report {folder.path}")
    for failure in report.failed:
        warn(f"{failure.what}: {failure.reason}")


def _package(
    folder: Any, lastname: str, institute: str, model: str | None, strategies: list[str]
) -> None:
    from antiphon.active.benchmark.packing import write_packages
    from antiphon.cli.show import say, warn

    packages = write_packages(
        folder.results()[0],
        folder.path / "submission",
        lastname=lastname,
        institute=institute,
        model=model,
        strategies=strategies,
    )
    for one in packages:
        say(f"Package: {one.path} ({', '.join(one.names)})")
        for warning in one.warnings:
            warn(warning)

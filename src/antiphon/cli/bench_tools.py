"""Verbs beside bench al: its report, simulated sets, and exchange with the challenge."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from antiphon.cli.options import AsJson, Seed

RunFolder = Annotated[
    Path, typer.Argument(metavar="RUN", help="Folder of a benchmark.", show_default=False)
]


def register(al: typer.Typer) -> None:
    """Add this file's verbs."""
    for verb in (report, strategies, simulate, export, leaderboard):
        al.command()(verb)


def report(
    run: RunFolder,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE.html", help="In RUN by default.")
    ] = None,
    against: Annotated[
        str | None,
        typer.Option("--against", metavar="NAME", help="What to test others against."),
    ] = None,
    csv: Annotated[
        bool, typer.Option("--csv", help="Write runs.csv and cycles.csv beside it as well.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Write one HTML file: curves, tables with intervals, paired tests, cost."""
    from antiphon.active.benchmark.comparing import reference_of
    from antiphon.active.benchmark.compute import compute_figures
    from antiphon.active.benchmark.folder import BenchmarkFolder
    from antiphon.active.benchmark.page import benchmark_page
    from antiphon.active.benchmark.tables import figures_json, write_tables
    from antiphon.cli.show import as_json, say, warn
    from antiphon.replacing import write_whole

    folder = BenchmarkFolder(run)
    folder.check()
    results, broken = folder.results()
    figures = compute_figures(results)
    failures = folder.failures()
    for note in (*broken, *figures.notes):
        warn(note)
    reference_of(figures, against)
    place = out or folder.path / "report.html"
    if csv:
        for path in write_tables(results, figures, place.parent):
            (warn if json else say)(f"Table: {path}")
    if json:
        as_json(figures_json(figures, failures, against))
        if out is None:
            return
    page = benchmark_page(
        figures,
        results,
        failures=failures,
        missing=folder.missing(),
        reference=against,
    )
    write_whole(place, page)
    (warn if json else say)(f"Report: {place}")


def strategies(json: AsJson = False) -> None:
    """List all strategies with what they do and where they come from."""
    from antiphon.active.registry import list_strategies
    from antiphon.active.schedules import SUGGESTED
    from antiphon.cli.show import as_json, table

    rows = [
        {
            "name": card.name,
            "summary": card.summary,
            "source": card.source,
            "needs_head": card.needs_head,
            "suggested_schedule": SUGGESTED.get(card.name),
        }
        for card in list_strategies()
    ]
    if json:
        as_json(rows)
        return
    table(
        ["strategy", "what it does", "source", "batches"],
        [[r["name"], r["summary"], r["source"], r["suggested_schedule"]] for r in rows],
    )


def simulate(
    preset: Annotated[str, typer.Option("--preset", metavar="NAME", help="As hsn, pow or uhh.")],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="A new or empty folder.")],
    variant: Annotated[int, typer.Option("--variant", min=0, help="Which of its recipes.")] = 0,
    seed: Seed = 0,
) -> None:
    """Write a simulated set, shaped like one of the challenge's, as a BaseAL folder."""
    from antiphon.active.simulate.generate import generate
    from antiphon.active.simulate.presets import preset as recipe_of
    from antiphon.active.simulate.write import write_baseal
    from antiphon.cli.show import say

    recipe = recipe_of(preset, variant)
    data = generate(recipe, seed)
    write_baseal(data, out)
    say(
        f"{out}: {recipe.name}, {recipe.n_pool:,} segments to choose from and "
        f"{recipe.n_validation:,} that judge, {recipe.n_classes} classes."
    )


def export(
    strategy: Annotated[str, typer.Argument(metavar="STRATEGY", show_default=False)],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="A folder.")],
    warmup: Annotated[
        str | None, typer.Option("--warmup", metavar="NAME", help="Strategy of the first batch.")
    ] = None,
    schedule: Annotated[
        str | None,
        typer.Option("--schedule", metavar="25x4,50x5,75x2", help="As published by default."),
    ] = None,
    budget: Annotated[int, typer.Option("--budget", min=1, help="Labels in all.")] = 500,
) -> None:
    """Write a strategy as sampling.py for BaseAL, with its requirements and a notebook."""
    from antiphon.active.baseal.export import export_sampling
    from antiphon.active.learner.schedule import Schedule
    from antiphon.cli.show import say

    batches = None if schedule is None else Schedule.parse(schedule)
    for path in export_sampling(strategy, out, warm_up=warmup, schedule=batches, budget=budget):
        say(f"{path}")


def leaderboard(
    results: Annotated[
        list[Path],
        typer.Argument(metavar="YAML...", help="Results files, or folders.", show_default=False),
    ],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="A folder.")],
    budget: Annotated[
        int, typer.Option("--budget", min=0, help="Labels where curves are cut; 0 for whole.")
    ] = 500,
) -> None:
    """Rank results files of the challenge: one HTML page and two tables."""
    from antiphon.active.baseal.leaderboard import write_leaderboard
    from antiphon.cli.show import say

    for path in write_leaderboard(results, out, budget=budget or None):
        say(f"{path}")

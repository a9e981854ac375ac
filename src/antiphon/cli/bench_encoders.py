"""The verb that compares encoders: bench encoders."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from antiphon.cli.options import AsJson, Seed
from antiphon.errors import PartialError, UserError

encoders = typer.Typer(invoke_without_command=True)

RunFolder = Annotated[
    Path, typer.Argument(metavar="RUN", help="Folder of a run.", show_default=False)
]


def register(bench: typer.Typer) -> None:
    """Add this file's verbs below ``bench``."""
    bench.add_typer(encoders, name="encoders")


@encoders.callback()
def run(
    context: typer.Context,
    suite: Annotated[
        list[str] | None,
        typer.Option(
            "--suite",
            metavar="NAME",
            help="beans, birdset, individual, repertoire, all, one data set, or local: your own "
            "labelled folders. Repeatable; see bench encoders sets.",
        ),
    ] = None,
    encoder: Annotated[
        list[str] | None,
        typer.Option(
            "--encoder",
            "-e",
            metavar="NAME[,KEY=VALUE]",
            help="As in antiphon encoders, or a manifest; repeatable. spectral,window_s=1 sets a "
            "parameter.",
        ),
    ] = None,
    data: Annotated[
        list[Path] | None,
        typer.Option(
            "--data",
            metavar="DIR",
            help="Folder that holds the data sets; with --suite local your labelled folder, "
            "repeatable.",
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="RUN", help="Folder of the run.")
    ] = None,
    download: Annotated[
        bool, typer.Option("--download", help="Get what is missing, where that is allowed.")
    ] = False,
    labels: Annotated[
        Path | None,
        typer.Option("--labels", metavar="FILE", help="Of --suite local: the table of labels."),
    ] = None,
    family: Annotated[
        list[str] | None,
        typer.Option(
            "--family",
            metavar="NAME",
            help="Of --suite local: only classification, detection, individual or repertoire.",
        ),
    ] = None,
    window: Annotated[
        float, typer.Option("--window", min=0.01, metavar="S", help="Of local detection.")
    ] = 2.0,
    shift: Annotated[
        float, typer.Option("--shift", min=0.01, metavar="S", help="Between those windows.")
    ] = 1.0,
    each_individual: Annotated[
        bool,
        typer.Option(
            "--each-individual", help="Of --suite local: each individual's repertoire is its own."
        ),
    ] = False,
    cache: Annotated[
        Path | None,
        typer.Option(
            "--cache", metavar="DIR", help="Embeddings, shared by several runs; in RUN by default."
        ),
    ] = None,
    published: Annotated[
        bool, typer.Option("--published", help="Show published rows beside, marked as such.")
    ] = False,
    resamples: Annotated[
        int, typer.Option("--resamples", min=10, help="Of the bootstrap behind intervals.")
    ] = 1000,
    seed: Seed = 0,
    jobs: Annotated[
        int,
        typer.Option("--jobs", "-j", min=1, help="Processes, one for each data set and encoder."),
    ] = 1,
    redo: Annotated[
        bool, typer.Option("--redo", help="Judge again what is there; embeddings are kept.")
    ] = False,
) -> None:
    """Judge encoders on labelled data sets: probe, retrieval, clustering, detection.

    Embeddings and results are kept in RUN; the same command does only what is missing.
    """
    if context.invoked_subcommand is not None:
        if suite or encoder or data or out:
            raise UserError(
                f"Options of bench encoders {context.invoked_subcommand} are written after its "
                "name."
            )
        return
    if not (suite or encoder or data or out):
        typer.echo(context.get_help())
        raise typer.Exit(2)
    for given, option in ((suite, "--suite"), (encoder, "--encoder"), (data, "--data")):
        if not given:
            raise UserError(f"{option} is missing. See: antiphon bench encoders --help")
    if out is None:
        raise UserError("Where to? Give --out RUN, a folder for the results.")
    from antiphon.cli.show import RichReporter
    from antiphon.evaluation.benchmarks.embedding.encoder_refs import parse_encoders
    from antiphon.evaluation.benchmarks.judging.families import Settings
    from antiphon.evaluation.benchmarks.processes import run_in_processes
    from antiphon.evaluation.benchmarks.runner import Asked

    local = {
        "labels": labels,
        "families": family or [],
        "window_s": window,
        "shift_s": shift,
        "each_individual": each_individual,
    }
    sources, missing = _sources(suite or [], data or [], local, download=download)
    asked = Asked(
        tuple(sources),
        parse_encoders(encoder or []),
        out,
        cache=cache,
        settings=Settings(seed=seed, n_resamples=resamples),
        redo=redo,
    )
    report = run_in_processes(asked, jobs, reporter=RichReporter())
    report.failed = [*missing, *report.failed]
    _tell(out, report, published=published)
    if report.interrupted:
        raise KeyboardInterrupt
    if report.failed:
        if not report.done and not report.kept:
            raise UserError("Nothing could be judged; the reasons are named above.")
        raise PartialError(
            f"{len(report.failed)} could not be judged (named above); the rest is finished and "
            "kept."
        )


@encoders.command()
def report(
    run: RunFolder,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE.html", help="In RUN by default.")
    ] = None,
    published: Annotated[
        bool, typer.Option("--published", help="Show published rows beside, marked as such.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Write one HTML file, and the table as CSV, LaTeX, Markdown and SVG beside it."""
    from antiphon.cli.show import as_json, say, warn

    paths, results = _write(run, out, published=published)
    if json:
        as_json([result.to_json() for result in results])
    for path in paths:
        (warn if json else say)(f"{path}")


@encoders.command()
def sets(json: AsJson = False) -> None:
    """List the published data sets: family, folder, licence, and how to get each."""
    from antiphon.cli.show import as_json, table
    from antiphon.evaluation.benchmarks.sets.recipe import all_recipes

    recipes = all_recipes()
    if json:
        as_json([recipe.model_dump(mode="json") for recipe in recipes])
        return
    table(
        ["name", "suite", "family", "classes", "folder", "layout", "licence", "to get it"],
        [
            [
                r.name,
                r.suite,
                r.family,
                r.classes,
                r.folder,
                r.layout,
                r.licence,
                "by hand" if r.refused else "--download",
            ]
            for r in recipes
        ],
    )


def _sources(
    suites: list[str], data: list[Path], local: dict[str, Any], *, download: bool
) -> tuple[list[Any], list[Any]]:
    """Return the data sets that are asked for, and what could not be got or read."""
    from antiphon.cli.show import warn
    from antiphon.evaluation.benchmarks.folder import Failure
    from antiphon.evaluation.benchmarks.sets.judged_sets import local_sources, sources_of

    published = [name for name in suites if name != "local"]
    if published and len(data) > 1:
        raise UserError("Published data sets lie in one folder; give one --data.")
    if published and (local["labels"] or local["families"]):
        raise UserError("--labels and --family go with --suite local.")
    sources = sources_of(published, data[0]) if published else []
    failed: list[Failure] = []
    if download:
        failed += _download(sources)
    if "local" in suites:
        for folder in data:
            try:
                found, left_out = local_sources([folder], **local)
            except UserError as error:
                warn(str(error))
                failed.append(Failure(str(folder), str(error)))
                continue
            sources += found
            for why in left_out:
                warn(f"Left out: {why}.")
    if not sources:
        reasons = "; ".join(one.reason for one in failed)
        raise UserError(reasons or "There is no data set to judge.")
    return sources, failed


def _download(sources: list[Any]) -> list[Any]:
    from antiphon.cli.show import RichReporter, warn
    from antiphon.evaluation.benchmarks.folder import Failure
    from antiphon.evaluation.benchmarks.sets.dataset import BenchmarkDataset
    from antiphon.evaluation.benchmarks.sets.download import download_dataset
    from antiphon.evaluation.benchmarks.sets.recipe import recipes_of

    failed = []
    for source in sources:
        recipe = recipes_of(source.name)[0]
        dataset = BenchmarkDataset(recipe, source.data)
        if recipe.refused and dataset.is_there():
            continue
        try:
            download_dataset(dataset, reporter=RichReporter())
        except UserError as error:
            warn(str(error))
            failed.append(Failure(f"download of {recipe.name}", str(error)))
    return failed


def _write(run: Path, out: Path | None, *, published: bool) -> tuple[list[Path], list[Any]]:
    """Write the page and the tables of a run."""
    from antiphon.evaluation.benchmarks.folder import ResultFolder
    from antiphon.evaluation.benchmarks.output.exports import write_exports
    from antiphon.evaluation.benchmarks.output.published import published as all_published
    from antiphon.evaluation.benchmarks.output.report import report_page
    from antiphon.evaluation.benchmarks.output.table import make_table
    from antiphon.replacing import write_whole

    folder = ResultFolder(run)
    results, notes = folder.results()
    beside = all_published() if published else ()
    place = out or run / "report.html"
    page = report_page(results, failures=folder.failures(), published=beside, notes=notes)
    write_whole(place, page)
    return [place, *write_exports(place.parent, make_table(results), results, beside)], results


def _tell(run: Path, report: Any, *, published: bool) -> None:
    """Print what was done, the table, what has to be known, and what leaks."""
    from antiphon.cli.show import say, table, warn
    from antiphon.evaluation.benchmarks.folder import ResultFolder
    from antiphon.evaluation.benchmarks.output.published import MARK
    from antiphon.evaluation.benchmarks.output.published import published as all_published
    from antiphon.evaluation.benchmarks.output.table import NAMES, make_table

    say(f"{report.done} results now, {report.kept} kept from before.")
    folder = ResultFolder(run)
    if not (run / "results").is_dir():
        return
    results, broken = folder.results()
    for note in broken:
        warn(f"{note}.")
    made = make_table(results)
    if made.rows:
        table(
            ["family", "measure", "sets", *made.encoders],
            [
                [NAMES[row.family], row.title, len(row.sets), *(m.text() for m in row.means)]
                for row in made.rows
            ],
            title="Means over data sets, with 95 % intervals",
        )
    if published:
        table(
            ["published", "family", "protocol", "measure", "value"],
            [
                [f"{p.encoder} ({MARK})", NAMES[p.family], p.protocol, p.measure, p.value]
                for p in all_published()
            ],
        )
    said: set[tuple[str, ...]] = set()
    for result in results:
        lines = (result.name, result.family, *result.leakage)
        if lines not in said:
            said.add(lines)
            # What was compared and what could not be is in the report.
            for line in result.leakage[: 1 + sum(result.leaks)]:
                warn(f"{result.name} ({result.family}, {result.encoder.label}): {line}")
        for item, reason in result.failed:
            warn(f"{result.name}, {result.encoder.label}: {item}: {reason}")
        assumed = [n for n in result.notes if n.startswith("its layout is assumed")]
        if assumed and (result.name, "assumed") not in said:
            said.add((result.name, "assumed"))
            warn(f"{result.name}: {assumed[0]}.")
    for path in _write(run, None, published=published)[0][:1]:
        say(f"Report: {path}")

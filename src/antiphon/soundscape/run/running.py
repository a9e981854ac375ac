"""Run an ensemble over a folder of recordings, within a budget, with a complete file throughout."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from antiphon.encoders.network import usable_cores
from antiphon.engine.progress import Reporter, Silent
from antiphon.errors import FileError, UserError
from antiphon.evaluation.blending.files.rows import counted, first_few
from antiphon.soundscape.ensemble.config import EnsembleConfig, read_ensemble
from antiphon.soundscape.run.assembling import Assembler
from antiphon.soundscape.run.job import MEMBERS, Job, MemberSpec, member_specs
from antiphon.soundscape.run.journal import LOG, SCORES
from antiphon.soundscape.run.recordings import Recording, recordings_in
from antiphon.soundscape.run.report import RunFacts, exit_code, make_report, write_report
from antiphon.soundscape.run.results import Results
from antiphon.soundscape.run.rows import Rows, pieces_of, rows_from_recordings, rows_from_sample
from antiphon.soundscape.run.submission import Sample, read_sample
from antiphon.soundscape.run.supervise import Limits, Supervisor, Watched
from antiphon.store.faults import writing
from antiphon.store.locks import try_lock

MOST_CORES = 1024


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """What became of a run.

    Parameters
    ----------
    out
        The submission.
    report_file
        Where the report is.
    report
        Its content; see :func:`antiphon.soundscape.run.report.make_report`.
    exit_code
        One of :data:`antiphon.soundscape.run.report.EXIT_CODES`.
    """

    out: Path
    report_file: Path
    report: dict[str, Any]
    exit_code: int


def run_soundscapes(
    directory: Path | str,
    ensemble: Path | str,
    out: Path | str,
    *,
    budget_s: float | None = None,
    sample: Path | str | None = None,
    workers: int | None = None,
    member_scores: Path | str | None = None,
    fresh: bool = False,
    limits: Limits | None = None,
    members: str = MEMBERS,
    reporter: Reporter | None = None,
) -> RunOutcome:
    """Score every window of the recordings in a folder.

    A complete file of priors is written before anything is scored, and again whenever there is
    more to say; the last whole file is in its place at every moment. Members run in a process of
    their own: one that kills it, hangs or keeps failing is given up, and the others go on. Scores
    are kept in ``OUT.run`` as they come, so that the same call after a crash, a kill or Ctrl-C
    goes on where it was.

    Parameters
    ----------
    directory
        Folder of recordings.
    ensemble
        File of an ensemble.
    out
        Submission to write: ``.csv``, ``.csv.gz`` or ``.parquet``. The report is written beside
        it.
    budget_s
        Seconds for everything, from this call on; None for no limit.
    sample
        Sample submission: order of classes, and the rows where it names these recordings.
    workers
        Cores to use; all that this process may use when not given.
    member_scores
        Folder for a score file of each member, as ``antiphon blend`` reads them.
    fresh
        Forget what an earlier call scored.
    limits
        How long one step may take before it counts as hanging.
    members
        ``module:function`` that makes members of the ensemble's file, for members of one's own.
    reporter
        Told of the progress.

    Raises
    ------
    UserError
        The ensemble, the sample or an option is wrong, or there is nothing to write rows for.
    DiskFullError
        No space is left; the last whole file stays.
    """
    begin = time.monotonic()
    directory, ensemble, out = Path(directory), Path(ensemble), Path(out)
    _check(out, budget_s, workers)
    config = read_ensemble(ensemble)
    wanted = None if sample is None else read_sample(sample)
    specs = member_specs(members, ensemble)
    recordings = recordings_in(directory)
    rows = _rows(config, recordings, wanted, directory)
    assembler = Assembler(config, rows, out, wanted)
    cores = workers or usable_cores(MOST_CORES)
    folder = out.with_name(out.name + ".run")
    report_file = out.with_name(out.name + ".report.json")
    lock = _lock(folder, out)
    try:
        # That of an earlier call would say of this one's file what is not so.
        with writing(report_file):
            report_file.unlink(missing_ok=True)
        if member_scores is not None:
            with writing(Path(member_scores)):
                Path(member_scores).mkdir(parents=True, exist_ok=True)
        if fresh:
            _forget(folder)
        results = Results(folder, pieces_of(rows), specs, config.window.length_s)
        results.update(earlier=True)
        before = {i for member in results.members.values() for i in member.blocks}
        if not before:
            assembler.write_priors()
        else:
            assembler.write_before(results)
        job = Job(
            members=members,
            ensemble=ensemble.absolute(),
            journal=folder.absolute(),
            board=folder.absolute() / "activity.bin",
            pieces=results.pieces,
            window_s=rows.window_s,
            workers=cores,
        )
        end = None if budget_s is None else begin + budget_s
        cells = len(rows) * len(assembler.classes) * (len(specs) + 2)
        watched = _supervised(
            job, specs, results, assembler, end, reserve_s(budget_s, cells), limits, reporter
        )
        found = assembler.write(results)
        if member_scores is not None:
            assembler.write_member_scores(results, Path(member_scores))
        facts = RunFacts(
            directory,
            ensemble,
            out,
            budget_s,
            cores,
            time.monotonic() - begin,
            len(before),
            _notes(rows, wanted, directory),
        )
        report = make_report(facts, rows, specs, results, found, watched, assembler.unusable)
        write_report(report_file, report)
        return RunOutcome(out, report_file, report, exit_code(found, watched))
    finally:
        lock.release()


def reserve_s(budget_s: float | None, cells: int) -> float:
    """Return the seconds kept for the last file.

    Parameters
    ----------
    budget_s
        Of the whole run.
    cells
        Numbers to blend and write: rows times classes times members, and two more.
    """
    if budget_s is None:
        return 0.0
    # Blending and writing take about 0.2 us a number; four times that, on a machine that is busy.
    return min(0.25 * budget_s, max(1.0, 8e-7 * cells) + min(20.0, 0.01 * budget_s))


def _supervised(
    job: Job,
    specs: list[MemberSpec],
    results: Results,
    assembler: Assembler,
    end: float | None,
    reserve: float,
    limits: Limits | None,
    reporter: Reporter | None,
) -> Watched:
    """Have a job done, and the file rewritten meanwhile."""
    reporter = reporter or Silent()
    if end is not None:
        job = replace(job, deadline=end - reserve)

    def rewrite() -> None:
        assembler.write(results)

    def kill_at(cost: float) -> float:
        return math.inf if end is None else end - max(0.6 * reserve, 1.5 * cost)

    if not job.pieces:
        return Watched()
    reporter.start("Scoring", float(sum(map(len, job.pieces))), "windows")
    try:
        return Supervisor(job, specs, results, rewrite, limits or Limits(), kill_at, reporter).run()
    finally:
        reporter.finish()


def _check(out: Path, budget_s: float | None, workers: int | None) -> None:
    if not out.name.lower().endswith((".csv", ".csv.gz", ".parquet")):
        raise FileError(out, "it is none of .csv, .csv.gz, .parquet", "Name the file by its kind")
    if budget_s is not None and not budget_s > 0:
        raise UserError(f"A budget of {budget_s:g} s: give a time above 0, or none.")
    if workers is not None and workers < 1:
        raise UserError(f"{workers} workers: use at least 1.")


def _rows(
    config: EnsembleConfig,
    recordings: dict[str, Recording],
    sample: Sample | None,
    directory: Path,
) -> Rows:
    length, hop = config.window.length_s, config.window.hop_s
    if sample is not None and sample.rows:
        return rows_from_sample(sample.rows, recordings, length, hop)
    if not recordings:
        raise UserError(
            f"{directory}: there are no recordings, so there is no row to write. Give the sample "
            "submission (--sample), whose rows are written then."
        )
    return rows_from_recordings(recordings, length, hop)


def _notes(rows: Rows, sample: Sample | None, directory: Path) -> tuple[str, ...]:
    notes = []
    if not rows.recordings and rows.source == "sample":
        notes.append(
            f"{directory}: none of the sample's recordings is here; its rows hold priors. That is "
            "so where a competition fills the folder only when it runs the notebook itself."
        )
    if sample is not None and sample.rows and rows.source == "recordings":
        notes.append(
            f"{sample.path.name} names no recording of {directory}: rows are those of the "
            "recordings, and only the order of classes is the sample's."
        )
    if rows.unused:
        notes.append(
            f"{counted(len(rows.unused), 'recordings')} not in the sample, and not scored: "
            f"{first_few(rows.unused)}."
        )
    return tuple(notes)


def _lock(folder: Path, out: Path) -> Any:
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    lock = try_lock(folder / "run.lock")
    if lock is None:
        raise UserError(f"{out}: another run is writing it. Wait for it, or stop it.")
    return lock


def _forget(folder: Path) -> None:
    with writing(folder):
        for name in (LOG, SCORES):
            (folder / name).unlink(missing_ok=True)

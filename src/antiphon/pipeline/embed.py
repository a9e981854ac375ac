"""Embed a project's recordings: decode, features and inference overlap; killed runs go on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from antiphon.audio.windows import WindowBatch, WindowSpec, stream_windows
from antiphon.encoders.base import Encoder
from antiphon.engine.items import ItemFailure, RunReport
from antiphon.engine.local import LocalRunner, Runner
from antiphon.engine.progress import Reporter, Silent
from antiphon.errors import StoreError, UserError
from antiphon.pipeline.create import parse_channel
from antiphon.pipeline.encoder import encoder_of, make_encoder
from antiphon.pipeline.intake import IntakeReport, scan
from antiphon.pipeline.names import recording_names
from antiphon.store.project import ProjectFolder
from antiphon.store.vectors import VectorTable
from antiphon.threads import few_threads

# A block of windows on its way from a producer to the encoder holds about this much audio.
_BLOCK_BYTES = 6_000_000
_CLAIM = 16


@dataclass(frozen=True, slots=True)
class EmbedReport:
    """What one call of :func:`embed` did.

    Parameters
    ----------
    table
        Name of the table of embeddings.
    encoder
        Name of the encoder.
    intake
        What the scan of the audio folders found.
    run
        Recordings finished and failed in this run.
    already
        Recordings that were embedded before.
    windows, audio_s
        Windows and seconds of audio embedded in this run.
    elsewhere
        Recordings that another process is working on.
    failed_before
        Recordings that failed in an earlier run and were not tried again.
    total_windows
        Windows in the table now.
    """

    table: str
    encoder: str
    intake: IntakeReport
    run: RunReport
    already: int
    windows: int
    audio_s: float
    elsewhere: int
    failed_before: list[ItemFailure] = field(default_factory=list)
    total_windows: int = 0

    @property
    def complete(self) -> bool:
        """Whether every recording is embedded in full."""
        return not (
            self.run.failed
            or self.run.interrupted
            or self.failed_before
            or self.elsewhere
            or self.intake.unreadable
            or self.intake.partial
            or self.intake.absent
        )


@dataclass(frozen=True, slots=True)
class _Job:
    """One recording to embed."""

    recording_id: int
    path: Path
    name: str
    duration_s: float


@dataclass(frozen=True, slots=True)
class _Block:
    """Front-end output for some windows of one recording, with their spans."""

    features: Any
    channel: np.ndarray[Any, np.dtype[np.int16]]
    start_s: np.ndarray[Any, np.dtype[np.float64]]
    end_s: np.ndarray[Any, np.dtype[np.float64]]


def open_table(
    folder: ProjectFolder,
    encoder: Encoder,
    *,
    origin: dict[str, Any] | None = None,
    hop_s: float | None = None,
    channel: str | int | None = None,
) -> tuple[VectorTable, WindowSpec]:
    """Return the table for an encoder and a way to cut windows, made when it is new.

    Parameters
    ----------
    origin
        How to create the encoder again, from :func:`~antiphon.pipeline.encoder.make_encoder`.
    hop_s
        Step between windows; the encoder's own when None.
    channel
        ``mix``, ``each`` or a zero-based number; the project's setting when None.
    """
    spec = encoder.spec
    if hop_s is not None and not 0.0 < hop_s <= spec.window_s:
        raise UserError(
            f"--hop is {hop_s:g} s; it must lie above 0 and be at most the window of the encoder, "
            f"{spec.window_s:g} s, or audio would be left out."
        )
    windows = WindowSpec(
        window_s=spec.window_s,
        hop_s=spec.hop_s if hop_s is None else hop_s,
        sample_rate=spec.sample_rate,
        channel=parse_channel(folder.config.channel if channel is None else channel),
    )
    table = folder.open_vectors(
        spec.name,
        spec.fingerprint,
        spec.to_json(),
        {"window_s": windows.window_s, "hop_s": windows.hop_s, "channel": windows.channel},
        spec.dim,
        origin=origin or {},
    )
    return table, windows


def embed(
    folder: ProjectFolder,
    encoder: Encoder | str | None = None,
    *,
    parameters: Mapping[str, Any] | None = None,
    hop_s: float | None = None,
    channel: str | int | None = None,
    retry_failed: bool = False,
    workers: int = 2,
    table: VectorTable | None = None,
    roots: Sequence[str] | None = None,
    reporter: Reporter | None = None,
    runner: Runner | None = None,
) -> EmbedReport:
    """Embed every recording of the project that is not embedded yet.

    Several processes may do this to one project at once; a killed one loses the recording it was
    working on and nothing else.

    Parameters
    ----------
    encoder
        An encoder, or what :func:`~antiphon.encoders.registry.create_encoder` takes; that of the
        newest table when None, and ``spectral`` in a project without embeddings.
    parameters
        Of an encoder given by name.
    hop_s, channel
        See :func:`open_table`.
    retry_failed
        Try again what failed in an earlier run.
    workers
        Threads that decode and compute features ahead of the encoder.
    table
        Add to this table, whose encoder ``encoder`` must be; ``hop_s`` and ``channel`` are then
        the table's. Found or made from the other arguments when None.
    roots
        Names of the audio folders to embed; all that are there when None.

    Raises
    ------
    StoreError
        If the disk is full or the project cannot be written; what was finished is kept.
    """
    reporter = reporter or Silent()
    if table is not None:
        encoder, spec = _of_table(table, encoder)
        intake = scan(folder, roots=roots, reporter=reporter)
    else:
        encoder, origin, hop_s, channel = _choose(folder, encoder, parameters or {}, hop_s, channel)
        intake = scan(folder, roots=roots, reporter=reporter)
        table, spec = open_table(folder, encoder, origin=origin, hop_s=hop_s, channel=channel)
    runner = runner or LocalRunner(workers=workers)
    jobs = _jobs(folder, roots)
    if not jobs:
        raise UserError(
            f"There is no readable recording in {folder.root}: "
            f"{', '.join(str(folder.audio_root(r.name)) for r in folder.config.audio)}. "
            "Add a folder with: antiphon init PROJECT --audio DIR"
        )
    with table.session(folder.catalogue, retry_failed=retry_failed) as session:
        done = session.done()
        todo = [job for job in jobs.values() if job.recording_id not in done]
        already = len(jobs) - len(todo)
        reporter.start(
            f"Embedding with {encoder.spec.name}", sum(j.duration_s for j in todo), "s of audio"
        )
        windows = 0
        audio_s = 0.0

        def claimed() -> Iterator[_Job]:
            # The second pass takes what another process had claimed and did not live to finish.
            for again in (False, True):
                if again:
                    table.recover()
                left = [job.recording_id for job in todo]
                while mine := session.claim(left, _CLAIM):
                    yield from (jobs[i] for i in mine)
                    left = left[left.index(mine[-1]) + 1 :]

        def consume(job: _Job, blocks: Iterator[_Block]) -> None:
            nonlocal windows, audio_s
            count = 0
            session.begin(job.recording_id)
            for block in blocks:
                encoded = encoder.encode(block.features)
                session.append(
                    job.recording_id,
                    block.channel,
                    block.start_s,
                    block.end_s,
                    encoded.embeddings,
                )
                count += len(block.start_s)
                reporter.advance(_step(block, spec))
            session.finish(job.recording_id)
            windows += count
            audio_s += job.duration_s

        def given_up(job: _Job, failure: ItemFailure) -> None:
            session.fail(job.recording_id, failure.reason)
            reporter.note(f"{job.name}: not embedded: {failure.reason}")

        # Producers are threads already; a BLAS with threads of its own would only get in the way.
        with few_threads(0):
            run = runner.run(
                claimed(),
                lambda job: _blocks(job, spec, encoder),
                consume,
                name=lambda job: job.name,
                on_failure=given_up,
                fatal=(StoreError, MemoryError),
            )
        reporter.finish()
        session.flush()
        now_done = session.done()
        failures = folder.catalogue.failures(table.id)
        now_failed = {f.item for f in run.failed}
        before = [
            ItemFailure(jobs[i].name, f.reason, f.attempts)
            for i, f in failures.items()
            if i in jobs and i not in now_done and jobs[i].name not in now_failed
        ]
        left = set(jobs) - now_done - set(failures)
    table.tidy()
    return EmbedReport(
        table=table.name,
        encoder=encoder.spec.name,
        intake=intake,
        run=run,
        already=already,
        windows=windows,
        audio_s=audio_s,
        elsewhere=0 if run.interrupted else len(left),
        failed_before=before,
        total_windows=table.count(),
    )


def _of_table(table: VectorTable, encoder: Encoder | str | None) -> tuple[Encoder, WindowSpec]:
    """Return the encoder of a table, checked, and how the table's windows are cut."""
    if encoder is None or isinstance(encoder, str):
        encoder = encoder_of(table)
    if encoder.spec.fingerprint != table.fingerprint:
        raise UserError(
            f"The embeddings {table.name!r} are of another encoder than {encoder.spec.name!r}, or "
            "of another version of it."
        )
    rule = table.windows_spec
    spec = WindowSpec(
        window_s=rule["window_s"],
        hop_s=rule["hop_s"],
        sample_rate=encoder.spec.sample_rate,
        channel=rule["channel"],
    )
    return encoder, spec


def _choose(
    folder: ProjectFolder,
    encoder: Encoder | str | None,
    parameters: Mapping[str, Any],
    hop_s: float | None,
    channel: str | int | None,
) -> tuple[Encoder, dict[str, Any] | None, float | None, str | int | None]:
    """Return the encoder to use, how to make it again, and the hop and channel."""
    if encoder is None and not parameters and (tables := folder.tables()):
        table = tables[-1]
        rule = table.windows_spec
        return (
            encoder_of(table),
            None,
            rule["hop_s"] if hop_s is None else hop_s,
            rule["channel"] if channel is None else channel,
        )
    if encoder is None or isinstance(encoder, str):
        made, origin = make_encoder(encoder or "spectral", parameters)
        return made, origin, hop_s, channel
    if parameters:
        raise UserError("Parameters go with an encoder's name; this encoder is made already.")
    return encoder, None, hop_s, channel


def _jobs(folder: ProjectFolder, roots: Sequence[str] | None) -> dict[int, _Job]:
    """Return the readable recordings of audio folders that are there, by id."""
    wanted = {root.name for root in folder.config.audio} if roots is None else set(roots)
    there = {name for name in wanted if folder.audio_root(name).is_dir()}
    rows = folder.catalogue.recordings()
    columns = (rows.column(name).to_pylist() for name in ("id", "root", "path", "duration_s"))
    return {
        i: _Job(i, folder.recording_path(root, path), name, duration or 0.0)
        for i, root, path, duration, status, name in zip(
            *columns, rows.column("status").to_pylist(), recording_names(rows), strict=True
        )
        if status in ("ok", "partial") and root in there
    }


def _blocks(job: _Job, spec: WindowSpec, encoder: Encoder) -> Iterator[_Block]:
    """Decode a recording, cut it into windows and run the front end, block by block."""
    samples = round(spec.window_s * spec.sample_rate)
    batch = int(np.clip(_BLOCK_BYTES // (4 * samples), 1, 64))
    for windows in stream_windows(job.path, spec, batch):
        start_s, end_s = spans(windows, spec)
        features = encoder.prepare(windows.audio, windows.valid)
        yield _Block(features, windows.channel, start_s, end_s)


def spans(
    windows: WindowBatch, spec: WindowSpec
) -> tuple[np.ndarray[Any, np.dtype[np.float64]], np.ndarray[Any, np.dtype[np.float64]]]:
    """Return the start and end of windows in seconds; padding does not count."""
    rate = float(spec.sample_rate)
    return windows.start / rate, (windows.start + windows.valid) / rate


def _step(block: _Block, spec: WindowSpec) -> float:
    """Return the seconds of new audio in a block, for the progress bar."""
    fresh = np.unique(block.start_s)
    return float(len(fresh) * spec.hop_s)

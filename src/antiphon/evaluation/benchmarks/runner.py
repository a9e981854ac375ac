"""Judge encoders on data sets: what is done is kept, what fails is named, the rest goes on."""

from __future__ import annotations

import datetime
import hashlib
import platform
import re
import time
from dataclasses import dataclass, field
from pathlib import Path

from antiphon._version import __version__
from antiphon.encoders.base import Encoder
from antiphon.engine.local import describe
from antiphon.engine.progress import Reporter, Silent
from antiphon.errors import UserError
from antiphon.evaluation.benchmarks.embedding import features as feature_code
from antiphon.evaluation.benchmarks.embedding.cache import AudioHashes, CacheError, FeatureCache
from antiphon.evaluation.benchmarks.embedding.encoder_refs import EncoderRef
from antiphon.evaluation.benchmarks.embedding.features import cache_folder, extract
from antiphon.evaluation.benchmarks.folder import Failure, ResultFolder
from antiphon.evaluation.benchmarks.judging import families as judging_code
from antiphon.evaluation.benchmarks.judging.families import Judged, Settings, judge
from antiphon.evaluation.benchmarks.judging.results import EncoderFacts, Result, Value
from antiphon.evaluation.benchmarks.sets.judged_sets import JudgedSet, SetSource

_ENCODER = "encoder"
_SET = "set"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a run is to do, plain enough to be handed to another process.

    Parameters
    ----------
    sources
        Data sets.
    encoders
        Encoders.
    out
        Folder of the run.
    cache
        Folder of embeddings; ``out/cache`` when None.
    settings
        How sets are judged.
    redo
        Judge again what is there already; embeddings are kept.
    workers
        Threads that decode ahead of each encoder.
    """

    sources: tuple[SetSource, ...]
    encoders: tuple[EncoderRef, ...]
    out: Path
    cache: Path | None = None
    settings: Settings = field(default_factory=Settings)
    redo: bool = False
    workers: int = 2


@dataclass(slots=True)
class SuiteReport:
    """What one run did.

    Parameters
    ----------
    done, kept
        Results made now, and kept from before.
    failed
        What could not be judged.
    interrupted
        Whether it was stopped before its end.
    """

    done: int = 0
    kept: int = 0
    failed: list[Failure] = field(default_factory=list)
    interrupted: bool = False


def run_suite(asked: Asked, *, reporter: Reporter | None = None) -> SuiteReport:
    """Judge every encoder on every data set, one after the other, in this process.

    A result is kept and not computed again while audio, labels, encoder and settings stay the same.

    Raises
    ------
    UserError
        If no data set or no encoder was asked for.
    CacheError, FileError
        If results cannot be written.
    """
    if not asked.sources or not asked.encoders:
        raise UserError("Name at least one data set and one encoder.")
    reporter = reporter or Silent()
    folder = ResultFolder(asked.out)
    folder.clean()
    report = SuiteReport()
    encoders: dict[str, Encoder] = {}
    for ref in asked.encoders:
        try:
            encoders[ref.text] = ref.create()
            folder.forget_failure(_ENCODER, ref.text)
        except Exception as error:
            _fail(report, folder, (_ENCODER, ref.text), f"encoder {ref.text}", error, reporter)
    caches: dict[str, FeatureCache] = {}
    hashes = AudioHashes((asked.cache or folder.cache) / "audio-hashes.jsonl")
    try:
        for source in asked.sources:
            try:
                data = source.load()
                folder.forget_failure(_SET, source.label)
            except Exception as error:
                _fail(report, folder, (_SET, source.label), source.label, error, reporter)
                continue
            for text, encoder in encoders.items():
                _one(asked, folder, data, text, encoder, caches, hashes, report, reporter)
                if report.interrupted:
                    return report
    except KeyboardInterrupt:
        report.interrupted = True
    return report


def _one(
    asked: Asked,
    folder: ResultFolder,
    data: JudgedSet,
    text: str,
    encoder: Encoder,
    caches: dict[str, FeatureCache],
    hashes: AudioHashes,
    report: SuiteReport,
    reporter: Reporter,
) -> None:
    """Judge one encoder on one data set, unless that was done."""
    group = f"{data.name}-{data.family}"
    try:
        key = result_key(data, encoder, asked.settings, hashes)
        before = folder.read(folder.place(data.name, data.family, text))
        if before is not None and before.key == key and not asked.redo:
            report.kept += 1
            return
        began = time.perf_counter()
        cache = caches.get(text)
        if cache is None:
            cache = FeatureCache(cache_folder(asked.cache or folder.cache, encoder))
            caches[text] = cache
            for name in cache.damaged:
                reporter.note(f"{name} was damaged; its embeddings are made again")
        found = extract(
            data.labelled.items,
            encoder,
            data.rule,
            cache,
            hashes,
            workers=asked.workers,
            reporter=reporter,
        )
        if found.interrupted:
            report.interrupted = True
            return
        judged = judge(data, found, asked.settings)
        failed = tuple((one.item, one.reason) for one in found.failed)
        seconds = time.perf_counter() - began
        rows = len(found.vectors)
        result = _result(data, text, encoder, key, judged, failed, rows, seconds)
        folder.write(result)
        report.done += 1
    except CacheError:
        raise
    except Exception as error:
        _fail(report, folder, (group, text), f"{text} on {data.name}", error, reporter)


def result_key(data: JudgedSet, encoder: Encoder, settings: Settings, hashes: AudioHashes) -> str:
    """Return a digest of all that a result depends on, the code's versions included."""
    facts = (
        data.key(hashes),
        encoder.spec.fingerprint,
        settings,
        feature_code.ALGORITHM,
        judging_code.ALGORITHM,
    )
    return hashlib.blake2b(repr(facts).encode(), digest_size=16).hexdigest()


def _result(
    data: JudgedSet,
    text: str,
    encoder: Encoder,
    key: str,
    judged: Judged,
    failed: tuple[tuple[str, str], ...],
    rows: int,
    seconds: float,
) -> Result:
    spec = encoder.spec
    values = tuple(
        Value(protocol, m.name, m.value, m.low, m.high, m.n, m.note)
        for protocol, result in judged.results.items()
        for m in result.measures
    )
    if not values:
        raise UserError("nothing could be judged: " + "; ".join(judged.notes))
    notes = [*data.labelled.notes, *judged.notes]
    if failed:
        notes.insert(0, f"{len(failed)} items have no embedding and take no part")
    leak = judged.leakage
    lines = ["Nothing is trained here, so there are no sides that could share anything."]
    return Result(
        name=data.name,
        title=data.title,
        suite=data.suite,
        family=data.family,
        encoder=EncoderFacts(text, spec.fingerprint, spec.dim, spec.sample_rate, spec.window_s),
        key=key,
        values=values,
        counts=data.labelled.counts(),
        classes=len(data.labelled.classes),
        rows=rows,
        notes=tuple(dict.fromkeys(notes)),
        leakage=tuple(lines if leak is None else leak.lines()),
        leaks=(0, 0) if leak is None else (len(leak.errors), len(leak.warnings)),
        failed=failed,
        per_item=judged.per_item,
        licence=data.licence,
        page=data.page,
        seconds=round(seconds, 2),
        made={
            "antiphon": __version__,
            "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            "machine": platform.machine(),
            "python": platform.python_version(),
        },
    )


def _fail(
    report: SuiteReport,
    folder: ResultFolder,
    place: tuple[str, str],
    what: str,
    error: Exception,
    reporter: Reporter,
) -> None:
    reason = re.sub(r"\s+", " ", describe(error))
    failure = Failure(what, reason)
    report.failed.append(failure)
    folder.note_failure(*place, failure)
    reporter.note(f"{what}: {reason}")

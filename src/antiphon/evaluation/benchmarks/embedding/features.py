"""Embeddings of items: any length, masked by valid audio, kept in a cache, failures by name."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from antiphon.encoders.base import Encoder
from antiphon.engine.items import ItemFailure
from antiphon.engine.local import LocalRunner
from antiphon.engine.progress import Reporter, Silent
from antiphon.errors import FileError
from antiphon.evaluation.benchmarks.embedding.cache import (
    AudioHashes,
    CacheError,
    FeatureCache,
    Record,
)
from antiphon.evaluation.benchmarks.embedding.windowing import (
    FeatureError,
    WindowBlock,
    WindowRule,
    blocks,
)
from antiphon.evaluation.benchmarks.sets.items import Item
from antiphon.threads import few_threads

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

# Raised with every change to what is stored for the same audio, encoder and rule.
ALGORITHM = 1

_SILENT = (
    "the encoder gives nothing but zeros for it, which has no direction to compare; is it silent?"
)


@dataclass(slots=True)
class Features:
    """Embeddings of a list of items.

    Parameters
    ----------
    vectors
        ``(n, dim)`` float32: the mean of a row's windows, weighted by their valid audio.
    item
        ``(n,)`` int64: the item of each row.
    start_s, end_s
        ``(n,)`` span of each row, in seconds from the start of its item.
    frames, frame_item, frame_row
        ``(m, dim)`` windows before pooling, and the item and the row of each.
    failed
        Items without embeddings, and why.
    embedded, kept
        Items embedded now, and taken from the cache.
    interrupted
        Whether the run was stopped before its end.
    """

    vectors: Float32
    item: Int64
    start_s: Float64
    end_s: Float64
    frames: Float32
    frame_item: Int64
    frame_row: Int64
    failed: list[ItemFailure] = field(default_factory=list)
    embedded: int = 0
    kept: int = 0
    interrupted: bool = False

    @classmethod
    def empty(cls, dim: int) -> Features:
        """Return features of no item."""
        nothing, none = np.empty((0, dim), np.float32), np.empty(0, np.int64)
        seconds = np.empty(0, np.float64)
        return cls(nothing, none, seconds, seconds, nothing, none, none)


@dataclass(frozen=True, slots=True)
class _Job:
    item: Item
    key: str


def extract(
    items: Sequence[Item],
    encoder: Encoder,
    rule: WindowRule,
    cache: FeatureCache,
    hashes: AudioHashes,
    *,
    workers: int = 2,
    reporter: Reporter | None = None,
) -> Features:
    """Embed items, or take their embeddings from the cache.

    Clips that are longer than the encoder's window become several windows, the last of which may
    be short; each window counts by its seconds of audio, so padding never enters a mean.

    Parameters
    ----------
    items
        Clips or stretches.
    encoder
        From :mod:`antiphon.encoders`.
    rule
        Which rows an item gives.
    cache, hashes
        Where embeddings and hashes of files are kept.
    workers
        Threads that decode and compute front ends ahead of the encoder.

    Returns
    -------
    Features
        Rows in the order of the items. Items that failed have no row and are named in ``failed``;
        ``interrupted`` is set after Ctrl-C, with what was embedded so far in the cache.

    Raises
    ------
    CacheError
        If the cache cannot be written.
    """
    reporter = reporter or Silent()
    failed: list[ItemFailure] = []
    keys: list[str] = []
    jobs: dict[str, _Job] = {}
    for item in items:
        try:
            key = _key(item, encoder, rule, hashes)
        except FileError as error:
            failed.append(ItemFailure(item.name, str(error), 1))
            key = ""
        keys.append(key)
        if key and key not in cache:
            jobs.setdefault(key, _Job(item, key))
    reporter.start(f"Embedding with {encoder.spec.name}", float(len(jobs)), "items")
    reasons: dict[str, ItemFailure] = {}

    def consume(job: _Job, found: Iterator[WindowBlock]) -> None:
        vectors: list[Float32] = []
        row: list[Int64] = []
        valid: list[Float64] = []
        for block in found:
            vectors.append(np.asarray(encoder.encode(block.features).embeddings, np.float32))
            row.append(block.row)
            valid.append(block.valid_s)
        if not vectors:
            raise FeatureError("it holds no audio")
        record = Record(np.concatenate(vectors), np.concatenate(row), np.concatenate(valid))
        if not np.isfinite(record.vectors).all():
            raise FeatureError("the encoder gives NaN or infinity for it")
        cache.add(job.key, record)
        reporter.advance(1.0)

    def give_up(job: _Job, failure: ItemFailure) -> None:
        reasons[job.key] = failure
        reporter.note(f"{job.item.name}: not embedded: {failure.reason}")

    with few_threads(0):
        run = LocalRunner(workers=workers).run(
            jobs.values(),
            lambda job: blocks(job.item, rule, encoder),
            consume,
            name=lambda job: job.item.name,
            on_failure=give_up,
            fatal=(CacheError, MemoryError),
        )
    reporter.finish()
    cache.flush()
    hashes.save()
    for item, key in zip(items, keys, strict=True):
        if key in reasons:
            failed.append(ItemFailure(item.name, reasons[key].reason, reasons[key].attempts))
    found = _collect(items, keys, rule, cache, encoder.spec.dim)
    found.failed = failed + found.failed
    found.embedded = run.done
    found.kept = len({k for k in keys if k in cache} - set(jobs))
    found.interrupted = run.interrupted
    return found


def pooled(frames: Float32, row: Int64, valid_s: Float64, n_rows: int) -> Float32:
    """Return the mean of each row's frames, weighted by valid audio, ``(n_rows, dim)`` float32."""
    total = np.zeros((n_rows, frames.shape[1]))
    np.add.at(total, row, frames.astype(np.float64) * valid_s[:, None])
    weight = np.bincount(row, valid_s, n_rows)
    return np.asarray(total / weight[:, None], np.float32)


def _key(item: Item, encoder: Encoder, rule: WindowRule, hashes: AudioHashes) -> str:
    end = "" if item.end_s is None else f"{item.end_s:.9g}"
    parts = (
        str(ALGORITHM),
        hashes.of(item.path),
        encoder.spec.fingerprint,
        f"{item.start_s:.9g}|{end}",
        rule.key(),
    )
    return hashlib.blake2b("\n".join(parts).encode(), digest_size=16).hexdigest()


def _collect(
    items: Sequence[Item], keys: Sequence[str], rule: WindowRule, cache: FeatureCache, dim: int
) -> Features:
    """Put records together; rows of nothing but zeros are left out and named."""
    records = cache.get(list(dict.fromkeys(k for k in keys if k)))
    parts = [Features.empty(dim)]
    failed: list[ItemFailure] = []
    count = 0
    for number, (item, key) in enumerate(zip(items, keys, strict=True)):
        record = records.get(key)
        if record is None:
            continue
        rows = int(record.row.max()) + 1
        vectors = pooled(record.vectors, record.row, record.valid_s, rows)
        spans = np.array(rule.nth(rows, float(record.valid_s.sum()))).reshape(-1, 2)
        good = np.asarray(vectors.any(axis=1))
        for row in np.flatnonzero(~good):
            where = f" [{spans[row, 0]:.2f}, {spans[row, 1]:.2f}) s" if rule.window_s else ""
            failed.append(ItemFailure(f"{item.name}{where}", _SILENT, 1))
        new_row = np.cumsum(good) - 1 + count
        kept = good[record.row]
        parts.append(
            Features(
                vectors[good],
                np.full(int(good.sum()), number, np.int64),
                spans[good, 0],
                spans[good, 1],
                record.vectors[kept],
                np.full(int(kept.sum()), number, np.int64),
                new_row[record.row[kept]],
            )
        )
        count += int(good.sum())
    names = ("vectors", "item", "start_s", "end_s", "frames", "frame_item", "frame_row")
    joined = Features(*(np.concatenate([getattr(p, n) for p in parts]) for n in names))  # type: ignore[arg-type]
    joined.failed = failed
    return joined


def cache_folder(root: Path, encoder: Encoder) -> Path:
    """Return where an encoder's embeddings are kept below the folder of all."""
    return root / f"{encoder.spec.name}-{encoder.spec.fingerprint[:12]}"

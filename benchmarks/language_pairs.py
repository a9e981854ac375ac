"""How many rows of a corpus become pairs in a second, on one core and on two.

    python benchmarks/language_pairs.py [--rows 1000000] [--workers 1 2] [--seed 0]

The rows are synthetic metadata of the size and shape of a collection: 8,000 species with a long
tail, background species, call types, sexes, individuals, times and places where such rows have
them, boxes in some, without audio. Each run is a process of its own: rows per second by the clock,
CPU seconds of the process and its workers, and the peak of resident memory of the largest of them.
The bound beside it: reading the same file into Python objects and writing them as they are.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from antiphon.language.schema import SCHEMA
from antiphon.language.tasks.config import TasksConfig
from antiphon.language.tasks.files import write_pairs
from machine import processor

SPECIES = 8_000
BATCH = 50_000
CLASSES = ("Aves", "Amphibia", "Mammalia", "Insecta")
CALLS = ("song", "call", "alarm call", "flight call", "begging call", "drumming")
COUNTRIES = ("Peru", "Kenya", "Germany", "Japan", "Australia", "United States")


def write_rows(path: Path, n: int, seed: int) -> None:
    """Write a table of ``n`` rows, batch by batch."""
    rng = np.random.default_rng(seed)
    rarity = 1.0 / np.arange(1, SPECIES + 1)
    with pq.ParquetWriter(path, SCHEMA, compression="zstd") as writer:
        for first in range(0, n, BATCH):
            size = min(BATCH, n - first)
            number = rng.choice(SPECIES, size, p=rarity / rarity.sum())
            writer.write_batch(make_rows(first, number, rng))


def make_rows(first: int, number: np.ndarray, rng: np.random.Generator) -> pa.RecordBatch:
    """Return rows of the species with these numbers."""
    size = len(number)

    def some(share: float, values: np.ndarray) -> pa.Array:
        return pa.array(values, mask=rng.random(size) >= share)

    def named(word: str, of: int) -> np.ndarray:
        return np.char.add(word, (number // of).astype(str)).astype(object)

    def lists(share: float, most: int, values: list[str]) -> list[list[str]]:
        counts = np.where(rng.random(size) < share, rng.integers(1, most + 1, size), 0)
        picks = rng.integers(0, len(values), counts.sum()).tolist()
        ends = np.cumsum(counts).tolist()
        return [[values[p] for p in picks[b - c : b]] for b, c in zip(ends, counts, strict=True)]

    genus = named("Genus", 5)
    species = np.char.add(np.char.add(genus.astype(str), " species"), number.astype(str))
    everyone = [f"Genus{i // 5} species{i}" for i in range(SPECIES)]
    ids = np.arange(first, first + size).astype(str)
    boxes = [
        [
            {"start_s": 0.5, "end_s": 1.25, "label": name, "kind": "species"},
            {"start_s": 3.0, "end_s": 4.5, "label": name, "kind": "species"},
        ]
        if has
        else []
        for name, has in zip(species.tolist(), (rng.random(size) < 0.05).tolist(), strict=True)
    ]
    clock = [f"{h:02d}:{m:02d}" for h, m in rng.integers(0, (24, 60), (size, 2)).tolist()]
    columns = {
        "id": pa.array(np.char.add("synthetic:", ids)),
        "source": pa.array(["synthetic"] * size),
        "source_id": pa.array(ids),
        "url": pa.array(np.char.add("https://example.org/", ids)),
        "sample_rate": pa.array([44_100] * size, pa.int32()),
        "duration_s": pa.array(rng.uniform(5, 60, size)),
        "scientific_name": pa.array(species),
        "taxon_given": pa.array(species),
        "kingdom": pa.array(["Animalia"] * size),
        "phylum": pa.array(["Chordata"] * size),
        "class_": pa.array([CLASSES[n * len(CLASSES) // SPECIES] for n in number.tolist()]),
        "order": pa.array(named("Order", 400), pa.string()),
        "family": pa.array(named("Family", 40), pa.string()),
        "genus": pa.array(genus, pa.string()),
        "species": pa.array(species),
        "rank": pa.array(["species"] * size),
        "common_names": pa.array(
            [[{"name": f"Common Bird {n}", "lang": "en"}] for n in number.tolist()],
            SCHEMA.field("common_names").type,
        ),
        "call_types": pa.array(lists(0.7, 2, list(CALLS)), pa.list_(pa.string())),
        "life_stage": some(0.2, np.array(["adult"] * size)),
        "sex": some(0.25, rng.choice(["male", "female"], size)),
        "individual": some(0.02, rng.integers(0, 500, size).astype(str)),
        "behaviour": some(0.05, np.array(["foraging in the canopy"] * size)),
        "count": pa.array(rng.integers(1, 5, size), pa.int32(), mask=rng.random(size) > 0.1),
        "background_species": pa.array(lists(0.4, 4, everyone), pa.list_(pa.string())),
        "exhaustive": pa.array(rng.random(size) < 0.3),
        "latitude": pa.array(rng.uniform(-60, 70, size)),
        "longitude": pa.array(rng.uniform(-180, 180, size)),
        "country": some(0.9, rng.choice(list(COUNTRIES), size)),
        "date": some(0.9, np.array(["2021-05-17"] * size)),
        "time": some(0.8, np.array(clock)),
        "recordist": pa.array(np.char.add("Recordist ", rng.integers(0, 3000, size).astype(str))),
        "licence": pa.array(["CC-BY-4.0"] * size),
        "domain": pa.array(["bio"] * size),
        "events": pa.array(boxes, SCHEMA.field("events").type),
    }
    arrays = [
        columns[f.name].cast(f.type) if f.name in columns else pa.nulls(size, f.type)
        for f in SCHEMA
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=SCHEMA)


def one_run(rows: Path, workers: int, seed: int) -> dict[str, float]:
    """Make the pairs of a file; ``workers`` 0 only reads the rows and writes them again."""
    start = time.perf_counter()
    out = rows.with_name(f"out{workers}.parquet")
    pairs = 0
    if workers == 0:
        with pq.ParquetFile(rows) as file, pq.ParquetWriter(out, SCHEMA, compression="zstd") as to:
            for batch in file.iter_batches(batch_size=8192):
                to.write_batch(pa.RecordBatch.from_pylist(batch.to_pylist(), schema=SCHEMA))
    else:
        counts, _ = write_pairs(rows, out, TasksConfig(), seed=seed, workers=workers)
        if not counts.adds_up:
            raise SystemExit(f"the account does not add up: {counts}")
        pairs = counts.pairs
    clock = time.perf_counter() - start
    own, children = (
        resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    cpu = own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime
    size = max(own.ru_maxrss, children.ru_maxrss) / 1024
    return {"clock": clock, "cpu": cpu, "mb": size, "pairs": pairs, "bytes": out.stat().st_size}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--workers", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--one", nargs=2, metavar=("FILE", "WORKERS"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        print(json.dumps(one_run(Path(args.one[0]), int(args.one[1]), args.seed)))
        return
    print(f"{datetime.date.today()}, {processor()}, {os.cpu_count()} cores, Python "
          f"{platform.python_version()}, pyarrow {version('pyarrow')}, load "
          f"{os.getloadavg()[0]:.1f} before the first run")  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        rows = Path(folder) / "rows.parquet"
        write_rows(rows, args.rows, args.seed)
        print(f"{args.rows:,} rows, {rows.stat().st_size / 1e6:.0f} MB\n")
        print(f"{'run':<28}{'rows/s':>9}{'rows/CPU s':>12}{'MB':>7}{'pairs':>12}{'load':>7}")
        for workers in args.workers:
            command = [sys.executable, __file__, "--one", str(rows), str(workers)]
            done = subprocess.run(
                [*command, "--seed", str(args.seed)], capture_output=True, text=True, check=True
            )
            got = json.loads(done.stdout.splitlines()[-1])
            what = (
                f"pairs, {workers} process{'es' * (workers > 1)}"
                if workers
                else "read and write only"
            )
            print(f"{what:<28}{args.rows / got['clock']:>9,.0f}{args.rows / got['cpu']:>12,.0f}"
                  f"{got['mb']:>7,.0f}{got['pairs']:>12,}{os.getloadavg()[0]:>7.1f}")  # fmt: skip


if __name__ == "__main__":
    main()

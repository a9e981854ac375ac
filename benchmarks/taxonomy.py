"""Compiling a made-up backbone and resolving a million names against it, on one core.

    python benchmarks/taxonomy.py [--rows 6000000] [--names 1000000]

The backbone is written in the layout of GBIF's simple table (gzipped): a tree of 8 kingdoms down to
subspecies with made-up Latin names, a fifth of the names synonyms, and a common name for one
species in five. Resolved are different names drawn from it: most as they are written there, some
with authors, in capitals, with underscores, unknown or misspelt. Compiling and resolving run in
processes of their own; rows per second are those of the wall clock, with the CPU time beside it,
memory is the largest resident set, and "own" is that without mapped files (anonymous memory). The
time of resolving includes opening the file and making the whole table of answers; the first run of
a fresh process is the one that is reported.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"]

import argparse
import datetime
import gzip
import json
import platform
import resource
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import pyarrow as pa

from machine import processor

_PARTS = "ba ce di fo gu la me ni ro su ta ve xi zo ar en il or us th ph ch ae ia"
_ENDS = "us a um is ensis ii oides ella alis"
SYLLABLES, ENDINGS = _PARTS.split(), _ENDS.split()
RANKS = ("PHYLUM", "CLASS", "ORDER", "FAMILY", "GENUS")
SIZES = (100, 400, 1500, 10_000)


def words(rng: np.random.Generator, count: int, syllables: tuple[int, int]) -> list[str]:
    """Different made-up words."""
    found: dict[str, None] = {}
    while len(found) < count:
        for size in rng.integers(*syllables, count).tolist():
            picked = rng.integers(0, len(SYLLABLES), size)
            found["".join(SYLLABLES[i] for i in picked)] = None
    return list(found)[:count]


class Writer:
    """Writes lines of the simple table."""

    def __init__(self, path: Path) -> None:
        self.file = gzip.open(path, "wt", compresslevel=1, encoding="utf-8")  # noqa: SIM115
        self.count = 0

    def add(self, parent: int, synonym: bool, rank: str, name: str, author: str, year: int) -> int:
        """Write a name; returns its id."""
        self.count += 1
        status = "SYNONYM" if synonym else "ACCEPTED"
        above = str(parent) if parent else "\\N"
        head = [str(self.count), above, "\\N", "ft"[synonym], status, rank, "{}", "\\N", "SOURCE"]
        full = f"{name} {author}, {year}" if author else name
        tail = [full, name, *["\\N"] * 4, author or "\\N", str(year), "\\N", "\\N", "\\N", "{}"]
        self.file.write("\t".join(head + ["\\N"] * 9 + tail) + "\n")
        return self.count


def make_backbone(folder: Path, rows: int, seed: int) -> None:
    """Write simple.txt.gz, VernacularName.tsv and names to resolve."""
    rng = np.random.default_rng(seed)
    out = Writer(folder / "simple.txt.gz")
    authors = [w.capitalize() for w in words(rng, 5000, (2, 4))]
    above = [out.add(0, False, "KINGDOM", f"Kingdom{i}ia", "", 1758) for i in range(8)]
    for rank, size in zip(RANKS[:-1], SIZES, strict=True):
        names = [w.capitalize() + rank[:3].lower() for w in words(rng, size, (2, 5))]
        above = [
            out.add(above[i % len(above)], False, rank, n, "", 1800) for i, n in enumerate(names)
        ]
    genera = [w.capitalize() for w in words(rng, max(rows // 14, 10), (3, 6))]
    stems = words(rng, 60_000, (2, 5))
    with (
        (folder / "VernacularName.tsv").open("w") as common,
        (folder / "names.txt").open("w") as known,
    ):
        common.write(
            "taxonID\tvernacularName\tlanguage\tcountry\tcountryCode\tsex\tlifeStage\tsource\n"
        )
        for i, genus in enumerate(genera):
            if out.count >= rows:
                break
            author, year = authors[i % 5000], 1758 + i % 260
            parent = out.add(above[i % len(above)], False, "GENUS", genus, author, year)
            size = int(rng.pareto(1.1) * 4) + 1
            last = parent
            for j in rng.integers(0, len(stems), min(size, 2000)).tolist():
                name = f"{genus} {stems[j]}{ENDINGS[j % 9]}"
                synonym = last != parent and rng.random() < 0.22
                key = out.add(last if synonym else parent, synonym, "SPECIES", name, author, year)
                last = last if synonym else key
                known.write(f"{name}\t{author}\t{year}\n")
                if j % 5 == 0:
                    common.write(f"{key}\tcommon {stems[j]} of {genus}\ten\t\t\t\t\t\n")
                if j % 11 == 0:
                    out.add(key, False, "SUBSPECIES", f"{name} {stems[j]}", author, year)
    out.file.close()


def make_names(folder: Path, count: int, seed: int) -> None:
    """Write different names in the ways that data sets write them."""
    rng = np.random.default_rng(seed)
    lines = (folder / "names.txt").read_text().splitlines()
    order = rng.permutation(len(lines))[:count]
    with (folder / "asked.txt").open("w") as file:
        for i, place in enumerate(order.tolist()):
            name, author, year = lines[place].split("\t")
            way = i % 20
            if way == 0:
                name = name[:-3] + name[-2] + name[-3] + name[-1]
            elif way == 1:
                name = f"Nemo {name.split()[1]}"
            elif way == 2:
                name = name.replace(" ", "_").upper()
            elif way in (3, 4, 5):
                name = f"{name} {author}, {year}"
            file.write(name + "\n")


def own_memory() -> int:
    """Anonymous memory of this process, kB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("RssAnon"):
            return int(line.split()[1])
    return 0


class Watch:
    """Time, CPU time and memory of a block."""

    def __enter__(self) -> Watch:
        self.most, self._on = 0, True
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()
        self._wall, self._cpu = time.perf_counter(), time.process_time()
        return self

    def _look(self) -> None:
        while self._on:
            self.most = max(self.most, own_memory())
            time.sleep(0.05)

    def __exit__(self, *_: object) -> None:
        self.wall = time.perf_counter() - self._wall
        self.cpu = time.process_time() - self._cpu
        self._on = False
        self._thread.join()
        self.peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    def report(self, rows: int) -> dict[str, float]:
        """What was measured."""
        return {
            "rows": rows,
            "wall_s": round(self.wall, 2),
            "cpu_s": round(self.cpu, 2),
            "rows_per_s": round(rows / self.wall),
            "peak_mb": round(self.peak / 1024),
            "own_mb": round(self.most / 1024),
        }


def compile_part(folder: Path) -> None:
    """Compile; prints what was measured."""
    from antiphon.language.taxonomy.checklists.detect import open_checklists
    from antiphon.language.taxonomy.compile import compile_taxonomy

    with Watch() as watch:
        readers = open_checklists([folder / "simple.txt.gz"], common=folder / "VernacularName.tsv")
        report = compile_taxonomy(readers, folder / "taxonomy.zip")
    print(json.dumps({**watch.report(report[0].lines), "file_mb": _size(folder / "taxonomy.zip")}))


def resolve_part(folder: Path, suggest: int) -> None:
    """Resolve; prints what was measured."""
    from antiphon.language.taxonomy.lookup import Taxonomy

    names = pa.array((folder / "asked.txt").read_text().splitlines())
    if suggest:
        names = names.take(pa.array(np.arange(0, len(names), 20)[:suggest]))
    with Watch() as watch:
        taxonomy = Taxonomy.open(folder / "taxonomy.zip")
        found = taxonomy.resolve(names, suggest=bool(suggest))
        table = found.table()
    assert table.num_rows == len(names)
    print(json.dumps({**watch.report(len(names)), "counts": found.counts()}))


def _size(path: Path) -> float:
    return round(path.stat().st_size / 1e6, 1)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=6_000_000)
    parser.add_argument("--names", type=int, default=1_000_000)
    parser.add_argument("--suggest", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--part", choices=("compile", "resolve", "suggest"))
    args = parser.parse_args()
    if args.part == "compile":
        compile_part(args.folder)
        return
    if args.part:
        resolve_part(args.folder, args.suggest if args.part == "suggest" else 0)
        return
    with tempfile.TemporaryDirectory() as scratch:
        folder = args.folder or Path(scratch)
        if not (folder / "simple.txt.gz").exists():
            make_backbone(folder, args.rows, args.seed)
        make_names(folder, args.names, args.seed)
        load = os.getloadavg()[0]
        print(f"{datetime.date.today()}, {processor()}, Python {platform.python_version()}, "
              f"pyarrow {pa.__version__}, load {load:.1f} on {os.cpu_count()} cores")  # fmt: skip
        print(f"simple.txt.gz: {_size(folder / 'simple.txt.gz')} MB")
        for part in ("compile", "resolve", "suggest"):
            command = [sys.executable, __file__, "--folder", str(folder), "--part", part]
            ran = subprocess.run(
                [*command, "--suggest", str(args.suggest)],
                check=True,
                capture_output=True,
                text=True,
            )
            print(f"{part:8} {ran.stdout.strip()}")


if __name__ == "__main__":
    main()

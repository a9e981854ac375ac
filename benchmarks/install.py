"""Installed size of the core and the processor time of ``antiphon --help``.

    python benchmarks/install.py

Makes a fresh virtual environment, installs this checkout without extras, sums its files (by their
content, and as the disk holds them), and runs the command repeatedly.
"""

from __future__ import annotations

import datetime
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
RUNS = 15


def main() -> None:
    print(
        f"{platform.processor() or platform.machine()}, load {os.getloadavg()[0]:.1f}, "
        f"Python {platform.python_version()}, {datetime.date.today()}\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "env"
        venv.create(place, with_pip=True)
        python = place / "bin" / "python"
        before = size(place)
        began = time.perf_counter()
        subprocess.run([python, "-m", "pip", "install", "-q", REPOSITORY], check=True)
        took = time.perf_counter() - began
        after = size(place)
        print("| what | figure |")
        print("|---|---:|")
        print(f"| installation, s on the clock (wheels from the registry) | {took:.0f} |")
        print(f"| installed, MB of content (10^6 bytes) | {(after[0] - before[0]) / 1e6:.0f} |")
        print(f"| the same on disk, MB | {(after[1] - before[1]) / 1e6:.0f} |")
        largest = sorted(
            ((size(p)[0], p.name) for p in next(place.glob("lib/python*/site-packages")).iterdir()),
            reverse=True,
        )[:6]
        print(f"| largest | {', '.join(f'{n} {s / 1e6:.0f}' for s, n in largest)} |")
        for name, command in (
            ("python -c pass", [python, "-c", "pass"]),
            ("import antiphon", [python, "-c", "import antiphon"]),
            ("antiphon --help", [place / "bin" / "antiphon", "--help"]),
            ("antiphon encoders", [place / "bin" / "antiphon", "encoders"]),
        ):
            print(f"| {name}, CPU-s (median of {RUNS}) | {cpu(command):.2f} |")
    sys.exit(0)


def size(folder: Path) -> tuple[int, int]:
    stats = [path.lstat() for path in (folder, *folder.rglob("*"))]
    return sum(s.st_size for s in stats), sum(s.st_blocks * 512 for s in stats)


def cpu(command: list[object]) -> float:
    found = []
    for _ in range(RUNS + 1):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([str(c) for c in command], check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        found.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return statistics.median(found[1:])


if __name__ == "__main__":
    main()

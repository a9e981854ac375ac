"""Printing: tables, progress with rate and time left, and JSON for other programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from antiphon.store.filenames import legible

out = Console(highlight=False, soft_wrap=True, emoji=False)
err = Console(stderr=True, highlight=False, soft_wrap=True, emoji=False)


def say(text: str) -> None:
    """Print a line of the answer."""
    out.print(legible(text), markup=False)


def warn(text: str) -> None:
    """Print a line that is not part of the answer (standard error)."""
    err.print(legible(text), markup=False)


def warn_together(notes: Iterable[tuple[str, str]]) -> None:
    """Print notes, one line for all names that share a text; empty ones are left out."""
    names: dict[str, list[str]] = {}
    for name, note in notes:
        if note:
            names.setdefault(note, []).append(name)
    for note, shared in names.items():
        warn(f"{', '.join(shared)}: {note}")


def table(
    header: Sequence[str], rows: Iterable[Sequence[object]], title: str | None = None
) -> None:
    """Print a table; numbers are set to the right. Plain and tab-separated into a pipe."""
    cells = [[_cell(value) for value in row] for row in rows]
    if not out.is_terminal:
        for line in (list(header), *cells):
            typer.echo("\t".join(line))
        return
    grid = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for i, name in enumerate(header):
        numeric = bool(cells) and all(_is_number(row[i]) for row in cells)
        grid.add_column(name, justify="right" if numeric else "left", overflow="fold")
    for row in cells:
        grid.add_row(*(Text(value) for value in row))
    out.print(grid)


def by_count(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """Return names with their counts, the largest first."""
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def as_json(value: Any) -> None:
    """Print a value as JSON."""
    json.dump(value, sys.stdout, indent=2, default=str, allow_nan=False)
    sys.stdout.write("\n")


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.3f}" if abs(value) < 100 else f"{value:.1f}"
    return legible(str(value))


def _is_number(text: str) -> bool:
    try:
        float(text.replace(",", "").rstrip("%"))
    except ValueError:
        return text == "-"
    return True


class _Rate(ProgressColumn):
    """Units done per second, such as ``412x real time`` for seconds of audio."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        if speed is None:
            return Text("")
        unit = task.fields.get("unit", "")
        if unit == "s of audio":
            return Text(f"{speed:,.0f}x real time")
        return Text(f"{speed:,.1f} {unit}/s")


class RichReporter:
    """Draws a run's progress on standard error; silent when that is not a terminal."""

    def __init__(self) -> None:
        self._progress: Progress | None = None
        self._task: TaskID | None = None

    def start(self, what: str, total: float | None, unit: str) -> None:
        """Begin a phase."""
        self.finish()
        if not err.is_terminal:
            return
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
            _Rate(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=err,
            transient=True,
        )
        self._task = self._progress.add_task(what, total=total, unit=unit)
        self._progress.start()

    def advance(self, amount: float) -> None:
        """Move the bar."""
        if self._progress is not None and self._task is not None:
            self._progress.advance(self._task, amount)

    def note(self, message: str) -> None:
        """Print a sentence above the bar."""
        err.print(message, markup=False)

    def finish(self) -> None:
        """Take the bar away."""
        if self._progress is not None:
            self._progress.stop()
        self._progress, self._task = None, None

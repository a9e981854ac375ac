"""A simulated world as the files that an entrant has, or as a problem in memory."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from antiphon.evaluation.blending.files.submission import write_scores
from antiphon.evaluation.blending.problem import Problem
from antiphon.evaluation.blending.simulation.worlds import WINDOW_S, World


@dataclass(frozen=True, slots=True)
class WorldFiles:
    """Where :func:`write_world` wrote.

    Parameters
    ----------
    scores
        One file for each model, labelled and unlabelled recordings together.
    truth
        Labels of the windows of labelled recordings.
    taxonomy
        Taxon of each class.
    trained_on
        By model, a list of recordings; only for models that were trained on some.
    """

    scores: tuple[Path, ...]
    truth: Path
    taxonomy: Path
    trained_on: dict[str, Path]


def write_world(world: World, folder: Path | str) -> WorldFiles:
    """Write a world: scores and labels in the form of BirdCLEF, taxonomy, training lists.

    Raises
    ------
    OSError
        If a file cannot be written.
    """
    out = Path(folder)
    out.mkdir(parents=True, exist_ok=True)
    paths = [out / f"{name}.csv" for name in world.models]
    for path, score in zip(paths, world.scores, strict=True):
        write_scores(path, world.rows, world.classes, score)
    labels = [
        (
            f"{world.files[f]}.ogg",
            end - WINDOW_S,
            end,
            ";".join(c for c, there in zip(world.classes, here, strict=True) if there),
        )
        for f, end, here in zip(world.file.tolist(), world.end_s.tolist(), world.truth, strict=True)
        if world.labelled[f]
    ]
    _write(out / "labels.csv", ("filename", "start", "end", "primary_label"), labels)
    taxa = zip(world.classes, world.taxa, strict=True)
    _write(out / "taxonomy.csv", ("primary_label", "class_name"), list(taxa))
    lists = {}
    for model, files in world.trained_on.items():
        lists[model] = out / f"{model}.trained-on.txt"
        lists[model].write_text("".join(f"{name}.ogg\n" for name in files), encoding="utf-8")
    return WorldFiles(tuple(paths), out / "labels.csv", out / "taxonomy.csv", lists)


def problem_of(world: World) -> Problem:
    """Return the labelled recordings of a world as a problem."""
    judged = world.judged
    kept = np.flatnonzero(world.labelled)
    number = np.cumsum(world.labelled) - 1
    rows = world.rows
    return Problem(
        models=world.models,
        scores=world.scores[:, judged],
        truth=world.truth[judged],
        rows=tuple(rows[i] for i in np.flatnonzero(judged)),
        classes=world.classes,
        file=number[world.file[judged]].astype(np.int64),
        files=tuple(world.files[i] for i in kept),
        site=tuple(world.sites[i] for i in kept),
        hour=tuple(world.hours[i] for i in kept),
    )


def _write(path: Path, header: tuple[str, ...], rows: Sequence[tuple[object, ...]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)

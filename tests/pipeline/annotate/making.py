"""A project with recordings and labels but no sound: answers need no more."""

from __future__ import annotations

from pathlib import Path

from antiphon.pipeline.annotate.said import Said, Span
from antiphon.store.project import ProjectFolder
from tests.store.making import entry

LABELS = ("dove", "finch", "toad")


def make(path: Path, url: str | None = None) -> ProjectFolder:
    """Return a project of ten recordings of 30 s at 48 kHz, in SQLite or in a given database."""
    (path / "audio").mkdir(parents=True, exist_ok=True)
    folder = ProjectFolder.create(path / "project", [path / "audio"])
    if url is not None:
        folder.config.catalogue.url = url
        folder.save_config()
    folder.catalogue.sync_recordings([entry(i) for i in range(10)])
    for name in LABELS:
        folder.catalogue.set_label(name)
    return folder


def span(number: int = 0, recording: int = 1) -> Span:
    return Span(recording, -1, 3.0 * number, 3.0 * number + 3.0)


def said(*present: str, **more: object) -> Said:
    return Said(present=present, **more)  # type: ignore[arg-type]


def derived(folder: ProjectFolder) -> list[tuple[object, ...]]:
    """Return the annotations of answers: who, label or scope, presence, in order."""
    rows = folder.catalogue.annotations().to_pylist()
    return sorted(
        (row["annotator"], row["label"] or ",".join(row["scope"]), row["presence"])
        for row in rows
        if (row["batch"] or "").startswith(("answer ", "settle "))
    )

"""Labelled folders of one's own as questions: a folder for each class, or a project."""

from __future__ import annotations

from pathlib import Path

from antiphon.language.benchmark.reference_rows import Rejection
from antiphon.language.benchmark.references import ComponentReferences, Reference, References


def is_labelled_folder(folder: Path) -> bool:
    """Return whether a folder has its labels in its subfolders' names, or is a project."""
    from antiphon.language.benchmark.rows import tables_in

    return folder.is_dir() and ((folder / "antiphon.toml").is_file() or not tables_in(folder))


def read_labelled_folder(folder: Path) -> References:
    """Read a labelled folder as one component, named as the folder.

    A question is a clip, its id the path below the folder; its group is the recording it was cut
    from. Clips with several labels make it a detection task, others a classification task.

    Raises
    ------
    FileError
        If the folder is missing or holds nothing that can be read.
    UserError
        If no clip has a label.
    """
    from antiphon.evaluation.benchmarks.sets.local import read_local

    (one, *_), left_out = read_local(folder, families=["classification"])
    rows = []
    for item in one.labelled.items:
        name = item.unique_name
        facts = {"id": name, "group": item.group, "audio_path": item.path.as_posix()}
        if item.source:
            facts["source_id"] = item.source
        rows.append(Reference(name, tuple(item.labels), facts))
    several = one.multilabel or any(len(row.truth) != 1 for row in rows)
    component = ComponentReferences(
        one.name,
        "detection" if several else "classification",
        tuple(rows),
        tuple(one.labelled.classes),
        notes=tuple(one.labelled.notes),
        licences={"": len(rows)},
    )
    rejected = tuple(Rejection(folder.name, reason) for reason in left_out)
    return References({one.name: component}, rejected)

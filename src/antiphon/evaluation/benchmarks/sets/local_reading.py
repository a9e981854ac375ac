"""Items of a user's folder: from subfolders, from a table, from a project."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

from antiphon.audio.recording import AUDIO_SUFFIXES
from antiphon.errors import FileError, FormatError
from antiphon.evaluation.benchmarks.sets.items import Item, Split
from antiphon.evaluation.benchmarks.sets.local_tables import LocalTable
from antiphon.evaluation.benchmarks.sets.rows import AudioByName

_SIDES: dict[str, Split] = {
    "train": "train",
    "training": "train",
    "valid": "validation",
    "validation": "validation",
    "val": "validation",
    "dev": "validation",
    "test": "test",
    "testing": "test",
    "eval": "test",
}


def read_class_folders(folder: Path) -> list[Item]:
    """Read a folder with a subfolder for each class."""
    items = []
    for place in sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith(".")):
        items += [
            Item(path, (place.name,))
            for path in sorted(place.rglob("*"))
            if path.suffix.lower() in AUDIO_SUFFIXES and not path.name.startswith(".")
        ]
    if not items:
        raise FileError(
            folder,
            "it holds neither a table of labels (.csv, .tsv), nor subfolders with audio, nor a "
            "project",
            "Put a labels.csv with the columns filename and label into it, or one folder for each "
            "class",
        )
    return items


def read_label_table(folder: Path, path: Path) -> tuple[list[Item], list[Item], list[str]]:
    """Read a table of clips or of segments."""
    table = LocalTable.read(path)
    names = AudioByName([folder], AUDIO_SUFFIXES)
    clips: dict[Path, Item] = {}
    segments: list[Item] = []
    absent: Counter[str] = Counter()
    for row in range(len(table)):
        name = table.cell(row, "file")
        given = folder / name.replace("\\", "/")
        audio = given if _is_file(given) else names.get(name) or names.get_stem(name)
        # A file elsewhere of that name is taken for it, but not one of several.
        if audio is None or (audio != given and names.several(name)):
            absent[name] += 1
            continue
        item = Item(
            audio,
            table.labels(row),
            split=_side(table, row),
            fold=table.fold(row),
            source=table.cell(row, "source"),
            site=table.cell(row, "site"),
            day=table.cell(row, "day"),
            individual=table.cell(row, "individual"),
        )
        if table.timed:
            start, end = table.span(row)
            segments.append(replace(item, start_s=start, end_s=end))
        elif audio in clips:
            both = tuple(dict.fromkeys((*clips[audio].labels, *item.labels)))
            clips[audio] = replace(clips[audio], labels=both)
        else:
            clips[audio] = item
    if not clips and not segments:
        raise FileError(
            path,
            f"none of the {len(absent)} audio files that it names is below {folder}",
            "Check --data, or the column with file names",
        )
    notes = []
    if absent:
        shown = ", ".join(list(absent)[:3]) + (" ..." if len(absent) > 3 else "")
        notes.append(f"{len(absent)} audio files that {path.name} names are not there ({shown})")
    return list(clips.values()), segments, notes


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        # A name that no file can have, such as one that is too long.
        return False


def _side(table: LocalTable, row: int) -> Split:
    text = table.cell(row, "split").lower()
    if text and text not in _SIDES:
        raise FormatError(
            table.path,
            f"line {row + 2}: the split is {text!r}",
            "Use train, validation and test",
        )
    return _SIDES.get(text, "")


def read_project(folder: Path) -> tuple[list[Item], list[Item], list[str]]:
    """Read the annotations of a project: clips are annotated recordings, segments their spans."""
    from antiphon.store.project import ProjectFolder

    project = ProjectFolder.open(folder)
    try:
        rows = project.catalogue.recordings().to_pylist()
        spoken = project.catalogue.annotations(presence=["present"]).to_pylist()
    finally:
        project.close()
    known = {row["id"]: row for row in rows}
    clips: dict[Path, Item] = {}
    segments: list[Item] = []
    for said in spoken:
        row = known.get(said["recording_id"])
        if row is None or not said["label"]:
            continue
        path = project.recording_path(row["root"], row["path"])
        day = str(row["start_time"])[:10] if row.get("start_time") else ""
        item = Item(path, (said["label"],), site=row.get("site") or "", day=day)
        if said["start_s"] is None:
            both = (*(clips[path].labels if path in clips else ()), said["label"])
            clips[path] = replace(item, labels=tuple(dict.fromkeys(both)))
        elif said["end_s"] > said["start_s"]:
            segments.append(replace(item, start_s=said["start_s"], end_s=said["end_s"]))
    if not clips and not segments:
        raise FileError(
            folder,
            "the project has no annotation that says what is present",
            "Import labels with: antiphon labels import",
        )
    notes = []
    if clips and segments:
        notes.append(
            f"{len(clips)} recordings annotated as a whole are left out; its spans are judged"
        )
    return list(clips.values()), segments, notes

"""Pseudo-labels as a Parquet file: one row for each window, with where it all comes from.

Columns: ``recording`` (path relative to the folder of audio), ``site``, ``start_s``, ``end_s``,
``duration_s`` (of the recording), ``teachers`` (names joined by ``+``), ``classes`` and ``targets``
(lists of equal length, targets above 0), ``unknown`` (classes that nothing is said of, as their
target fell to a cap) and ``frames`` (targets of the frames of each listed class, one class after
the other; null where the file has none). A window with empty lists is background: all classes are
absent. The file's metadata hold the rest (:class:`Provenance`) as JSON.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from antiphon.errors import FormatError
from antiphon.replacing import replacing
from antiphon.training.pseudo.transform import Targets

Float64 = npt.NDArray[np.float64]
Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]

VERSION = 1
_KEY = b"antiphon.pseudo_labels"
_AGAIN = "Make it again: antiphon pseudo-label"

SCHEMA = pa.schema(
    [
        pa.field("recording", pa.string(), nullable=False),
        pa.field("site", pa.string()),
        pa.field("start_s", pa.float64(), nullable=False),
        pa.field("end_s", pa.float64(), nullable=False),
        pa.field("duration_s", pa.float64(), nullable=False),
        pa.field("teachers", pa.string(), nullable=False),
        pa.field("classes", pa.list_(pa.int32()), nullable=False),
        pa.field("targets", pa.list_(pa.float32()), nullable=False),
        pa.field("unknown", pa.list_(pa.int32()), nullable=False),
        pa.field("frames", pa.list_(pa.float32())),
    ]
)


@dataclass(frozen=True, slots=True)
class TeacherFacts:
    """What is kept of a teacher: its name, a fingerprint of its model, and where it lay."""

    name: str
    fingerprint: str
    model: str


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where pseudo-labels come from.

    Parameters
    ----------
    classes
        Names by number.
    teachers
        All that scored anything.
    round, gamma, floor, frame_floor, class_windows
        Number of the round, its power, the floors and the cap on windows of a class.
    window_s, frame_s
        Seconds of a window and of a frame, 0 without frames.
    weight
        Of each window where a focal clip has 1, so that the mass stays capped.
    mass
        The masses that it follows from, as :meth:`.mass.MassReport.to_json`; empty where no focal
        clips were named.
    counts
        Recordings and windows, background among them, and what was left out.
    audio
        Folder of the recordings.
    made
        Version and time (UTC, ISO 8601).
    """

    classes: tuple[str, ...]
    teachers: tuple[TeacherFacts, ...]
    round: int
    gamma: float
    floor: float
    frame_floor: float
    class_windows: int | None
    window_s: float
    frame_s: float
    weight: float
    mass: dict[str, Any]
    counts: dict[str, int]
    audio: str
    made: dict[str, str]


@dataclass(frozen=True, slots=True)
class PseudoLabels:
    """Windows and their targets.

    Parameters
    ----------
    provenance
        Where they come from.
    recording, site, teachers
        ``(w,)`` texts; a site may be None.
    start_s, end_s, duration_s
        ``(w,)`` seconds.
    targets
        Entries of the windows, by row.
    unknown
        ``(u, 2)`` window and class of targets that were taken out, sorted.
    """

    provenance: Provenance
    recording: tuple[str, ...]
    site: tuple[str | None, ...]
    teachers: tuple[str, ...]
    start_s: Float64
    end_s: Float64
    duration_s: Float64
    targets: Targets
    unknown: Int64

    def __len__(self) -> int:
        return len(self.recording)


def frames_in(start_s: float, end_s: float, frame_s: float) -> int:
    """Return how many frames a window has; the last one may reach past its end."""
    return max(1, math.ceil((end_s - start_s) / frame_s - 1e-6))


def write_labels(labels: PseudoLabels, path: Path) -> None:
    """Write a file, which appears whole or not at all.

    Raises
    ------
    FileError
        It cannot be written.
    """
    w, targets, step = len(labels), labels.targets, labels.provenance.frame_s
    first = _firsts(targets.window, w)
    frames = None
    if targets.frames is not None:
        size = [frames_in(a, b, step) for a, b in zip(labels.start_s, labels.end_s, strict=True)]
        rows = [targets.frames[first[i] : first[i + 1], : size[i]].ravel() for i in range(w)]
        ends = np.cumsum([0, *map(len, rows)]).astype(np.int32)
        values = np.concatenate([np.empty(0, np.float32), *rows])
        frames = pa.ListArray.from_arrays(pa.array(ends), pa.array(values, pa.float32()))
    columns = {
        "recording": pa.array(labels.recording, pa.string()),
        "site": pa.array(labels.site, pa.string()),
        "start_s": pa.array(labels.start_s),
        "end_s": pa.array(labels.end_s),
        "duration_s": pa.array(labels.duration_s),
        "teachers": pa.array(labels.teachers, pa.string()),
        "classes": _lists(first, targets.label, pa.int32()),
        "targets": _lists(first, targets.target, pa.float32()),
        "unknown": _lists(_firsts(labels.unknown[:, 0], w), labels.unknown[:, 1], pa.int32()),
        "frames": pa.nulls(w, pa.list_(pa.float32())) if frames is None else frames,
    }
    facts = json.dumps({"version": VERSION, **asdict(labels.provenance)}, allow_nan=False)
    schema = SCHEMA.with_metadata({_KEY: facts.encode()})
    table = pa.Table.from_pydict(columns, schema=schema)
    with replacing(path, "it cannot be written", "Check free space and permissions") as part:
        pq.write_table(table, part, compression="zstd", write_page_checksum=True)


def _firsts(window: Int64, n: int) -> Int64:
    return np.concatenate([[0], np.cumsum(np.bincount(window, minlength=n))]).astype(np.int64)


def _lists(first: Int64, values: npt.NDArray[Any], kind: pa.DataType) -> pa.ListArray:
    return pa.ListArray.from_arrays(pa.array(first.astype(np.int32)), pa.array(values, kind))


def read_labels(path: Path) -> PseudoLabels:
    """Read a file and check that it holds together.

    Raises
    ------
    FormatError
        It is no file of pseudo-labels, of a newer version, or damaged.
    """
    if not path.is_file():
        raise FormatError(path, "there is no such file", _AGAIN)
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            facts = (file.schema_arrow.metadata or {}).get(_KEY)
            table = file.read() if facts is not None else None
    except (pa.ArrowException, OSError) as error:
        raise FormatError(
            path,
            f"cannot be read as Parquet ({str(error).splitlines()[0]})",
            f"It is damaged or another kind of file. {_AGAIN}",
        ) from None
    if table is None or facts is None:
        raise FormatError(
            path,
            "is a Parquet file, but not one of pseudo-labels",
            "Give a file that antiphon pseudo-label wrote; labels of people go under labels",
        )
    provenance = _provenance(path, facts)
    if not table.schema.equals(SCHEMA, check_metadata=False):
        missing = sorted(set(SCHEMA.names) - set(table.column_names))
        lacks = f"lacks the columns {', '.join(missing)}"
        raise FormatError(path, lacks if missing else "has columns of other types", _AGAIN)
    try:
        return _unpack(table, provenance)
    except ValueError as error:
        raise FormatError(path, f"does not hold together: {error}", _AGAIN) from None


def _provenance(path: Path, facts: bytes) -> Provenance:
    try:
        value = json.loads(facts)
        version = value.pop("version")
        if version == VERSION:
            value["classes"] = tuple(value["classes"])
            value["teachers"] = tuple(TeacherFacts(**one) for one in value["teachers"])
            return Provenance(**value)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise FormatError(path, f"its metadata are damaged ({error})", _AGAIN) from None
    raise FormatError(
        path,
        f"is of version {version} of this format, and this antiphon reads {VERSION}",
        "Use the version of antiphon that wrote it, or make it again",
    )


def _unpack(table: pa.Table, provenance: Provenance) -> PseudoLabels:
    def column(name: str) -> Any:
        whole = table.column(name).combine_chunks()
        if name != "frames" and name != "site" and whole.null_count:
            raise ValueError(f"{name} has empty cells")
        return whole

    n = len(provenance.classes)
    classes, targets, unknown = column("classes"), column("targets"), column("unknown")
    counts = _lengths(classes)
    if not np.array_equal(counts, _lengths(targets)):
        raise ValueError("classes and targets differ in number")
    window = np.repeat(np.arange(len(table)), counts)
    label = classes.flatten().to_numpy().astype(np.int32)
    target = targets.flatten().to_numpy()
    unsure = unknown.flatten().to_numpy().astype(np.int64)
    for numbers in (label, unsure):
        if len(numbers) and (numbers.min() < 0 or numbers.max() >= n):
            raise ValueError(f"a class is none of the {n}")
    if not ((target > 0) & (target <= 1)).all():
        raise ValueError("a target is not above 0 and at most 1")
    start, end, duration = (column(name).to_numpy() for name in ("start_s", "end_s", "duration_s"))
    if not ((start >= 0) & (end > start) & (end <= duration + 1e-6)).all():
        raise ValueError("a window does not lie in its recording")
    recording = tuple(column("recording").to_pylist())
    _check_order(recording, start, end)
    frames = _frames(column("frames"), counts, start, end, provenance.frame_s)
    return PseudoLabels(
        provenance,
        recording,
        tuple(column("site").to_pylist()),
        tuple(column("teachers").to_pylist()),
        start,
        end,
        duration,
        Targets(window.astype(np.int64), label, target, frames),
        np.stack([np.repeat(np.arange(len(table)), _lengths(unknown)), unsure], axis=1),
    )


def _lengths(lists: Any) -> Int64:
    out: Int64 = np.diff(lists.offsets.to_numpy()).astype(np.int64)
    return out


def _check_order(recording: tuple[str, ...], start: Float64, end: Float64) -> None:
    """Windows of a recording stand together, one after the other."""
    seen: set[str] = set()
    for row, name in enumerate(recording):
        if row and recording[row - 1] == name:
            if start[row] < end[row - 1] - 1e-6:
                raise ValueError(f"windows of {name} overlap or run backwards")
        elif name in seen:
            raise ValueError(f"windows of {name} do not stand together")
        seen.add(name)


def _frames(
    lists: Any, counts: Int64, start: Float64, end: Float64, frame_s: float
) -> npt.NDArray[np.float32] | None:
    if frame_s == 0:
        return None
    if lists.null_count:
        raise ValueError("frames have empty cells")
    size = np.array([frames_in(a, b, frame_s) for a, b in zip(start, end, strict=True)], np.int64)
    if not np.array_equal(_lengths(lists), counts * size):
        raise ValueError("frames do not fit the windows")
    values = lists.flatten().to_numpy()
    if not ((values >= 0) & (values <= 1)).all():
        raise ValueError("a frame's target is not in [0, 1]")
    width = np.repeat(size, counts)
    out = np.zeros((len(width), int(size.max(initial=1))), np.float32)
    out[np.arange(out.shape[1]) < width[:, None]] = values
    return out

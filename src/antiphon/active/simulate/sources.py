"""Single calls and backgrounds to mix, found in folders of open recordings."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from antiphon.audio.recording import find_recordings
from antiphon.errors import FileError, UserError
from antiphon.labels.formats.table import key, read_delimited

# Recordings that a class needs: one for the pool and one for validation.
_LEAST = 2
# Calls of one recording are taken up to this many, so that a long one does not rule its class.
_PER_RECORDING = 20
# Below this, in Hz, a template of a warbler holds nothing but noise.
_WARBLER_HZ = 2000.0
# Added on either side of an annotated call, in seconds.
_MARGIN_S = 0.02


@dataclass(frozen=True, slots=True)
class Call:
    """One sound of a class.

    Parameters
    ----------
    path
        The recording.
    label
        The class.
    source
        Names what it was cut from; calls of one source are never divided between pool and
        validation.
    start_s, end_s
        Where it lies; no end means up to the end.
    low_hz, high_hz
        Its band; what lies outside is taken away. No upper bound means all.
    """

    path: Path
    label: str
    source: str
    start_s: float = 0.0
    end_s: float | None = None
    low_hz: float = 0.0
    high_hz: float | None = None


@dataclass(frozen=True, slots=True)
class Sources:
    """What a mixture is made of.

    Parameters
    ----------
    calls
        Of all classes.
    backgrounds
        Recordings without any of the classes.
    notes
        What was left out and why, as sentences.
    """

    calls: tuple[Call, ...]
    backgrounds: tuple[Path, ...]
    notes: tuple[str, ...] = field(default=())

    def labels(self) -> tuple[str, ...]:
        """Return the classes, sorted."""
        return tuple(sorted({call.label for call in self.calls}))


def find_sources(root: Path) -> Sources:
    """Collect calls and backgrounds from the folders of open recordings under ``root``.

    Read are, where they exist: ``esc10`` (``labels.csv`` with filename, label, source),
    ``bengalese_finch`` (``syllables.csv`` with filename, individual, start_s, end_s, label),
    ``reef_fish`` (all of its clips are one class), ``warbler_survey`` (``survey_annotations.csv``
    and a template of each species) and, as background, ``tropical_day``. A class with fewer than
    two sources is left out, and a note says so.

    Raises
    ------
    FileError
        There is no background, or no class with two sources.
    """
    calls = [*_clips(root), *_syllables(root), *_fish(root), *_warblers(root)]
    backgrounds = root / "tropical_day"
    if not backgrounds.is_dir():
        raise FileError(backgrounds, "there is no such folder", "It has the backgrounds")
    origins: dict[str, set[str]] = defaultdict(set)
    for call in calls:
        origins[call.label].add(call.source)
    few = sorted(label for label, found in origins.items() if len(found) < _LEAST)
    kept = tuple(call for call in calls if call.label not in few)
    if not kept:
        raise FileError(root, "it holds no class with two sources", "Check the folder")
    notes = (f"Left out, for they have one source only: {', '.join(few)}.",) if few else ()
    return Sources(kept, tuple(find_recordings(backgrounds)), notes)


def check_sources(sources: Sources) -> None:
    """Refuse sources that cannot be divided between pool and validation.

    Raises
    ------
    UserError
        A class has fewer than two sources, or there are fewer than two backgrounds.
    """
    if len(sources.backgrounds) < _LEAST:
        raise UserError("A mixture needs two backgrounds, one for the pool, one for validation.")
    for label in sources.labels():
        found = {call.source for call in sources.calls if call.label == label}
        if len(found) < _LEAST:
            raise UserError(
                f"Class {label!r} has one source only, {found.pop()!r}; it needs two, one for the "
                "pool and one for validation. Add one or leave the class out."
            )
    if not sources.calls:
        raise UserError("A mixture needs calls of at least one class.")


def _clips(root: Path) -> list[Call]:
    table = root / "esc10" / "labels.csv"
    if not table.is_file():
        return []
    audio = table.parent / "audio"
    return [
        Call(audio / name, label, f"esc10 {source}")
        for name, label, source in _columns(table, "filename", "label", "source")
    ]


def _syllables(root: Path) -> list[Call]:
    table = root / "bengalese_finch" / "syllables.csv"
    if not table.is_file():
        return []
    taken: dict[tuple[str, str], int] = defaultdict(int)
    calls = []
    rows = _columns(table, "filename", "individual", "start_s", "end_s", "label")
    for name, individual, start, end, label in rows:
        taken[name, label] += 1
        if taken[name, label] <= _PER_RECORDING:
            calls.append(
                Call(
                    table.parent / "audio" / name,
                    f"finch {individual} {label}",
                    f"finch {name}",
                    max(0.0, float(start) - _MARGIN_S),
                    float(end) + _MARGIN_S,
                )
            )
    return calls


def _fish(root: Path) -> list[Call]:
    folder = root / "reef_fish"
    if not folder.is_dir():
        return []
    return [Call(path, "reef fish", f"fish {path.stem}") for path in find_recordings(folder)]


def _warblers(root: Path) -> list[Call]:
    table = root / "warbler_survey" / "survey_annotations.csv"
    if not table.is_file():
        return []
    survey = table.parent / "survey.flac"
    calls = []
    columns = _columns(table, "start.time", "end.time", "min.frq", "max.frq", "name")
    for start, end, low, high, name in columns:
        calls.append(
            Call(
                survey,
                name,
                "warbler survey",
                float(start),
                float(end),
                1000.0 * float(low),
                1000.0 * float(high),
            )
        )
    for label in sorted({call.label for call in calls}):
        template = table.parent / f"{label.lower()}.flac"
        if template.is_file():
            calls.append(Call(template, label, f"warbler {template.stem}", low_hz=_WARBLER_HZ))
    return calls


def _columns(path: Path, *titles: str) -> list[tuple[str, ...]]:
    table = read_delimited(path, {key(title) for title in titles}.__contains__)
    return list(zip(*(table.text(table.find_named(title)) for title in titles), strict=True))

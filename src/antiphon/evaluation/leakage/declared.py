"""Files that a component says it was trained on, found among the items of a side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

from antiphon.evaluation.leakage.report import Finding
from antiphon.evaluation.leakage.sides import SplitSide, text


def declared(
    component: str, files: Sequence[str], name: str, side: SplitSide, examples: int
) -> list[Finding] | None:
    """Return the items that a component says it was trained on, None where nothing has a name."""
    columns = [c for c in (side.files, side.recordings, side.ids) if c is not None]
    if not columns:
        return None
    by_stem: dict[str, list[tuple[str, ...]]] = {}
    for file in files:
        parts = _parts(file)
        if parts:
            by_stem.setdefault(parts[-1], []).append(parts)
    rows = [
        row
        for row in range(len(side))
        if any(_ends_alike(_parts(column[row]), by_stem) for column in columns)
    ]
    if not rows:
        return []
    return [
        Finding(
            "trained on", "error", (component, name), len(rows), len(side),
            tuple(side.name(row) for row in rows[:examples]),
            "Its scores there are not those of unseen data: use out-of-fold scores or leave it out",
            more=len(rows) > examples,
        )
    ]  # fmt: skip


def _parts(name: object) -> tuple[str, ...]:
    from antiphon.audio.recording import AUDIO_SUFFIXES

    said = text(name)
    if said is None:
        return ()
    path = PurePosixPath(said.replace("\\", "/").casefold())
    if path.suffix in AUDIO_SUFFIXES:
        path = path.with_suffix("")
    return tuple(part for part in path.parts if part not in (".", "/"))


def _ends_alike(parts: tuple[str, ...], by_stem: Mapping[str, list[tuple[str, ...]]]) -> bool:
    if not parts:
        return False
    for other in by_stem.get(parts[-1], ()):
        shared = min(len(parts), len(other))
        if parts[-shared:] == other[-shared:]:
            return True
    return False

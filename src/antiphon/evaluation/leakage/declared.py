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
        parts = path_parts(file)
        if parts:
            by_stem.setdefault(parts[-1], []).append(parts)
    rows = [
        row
        for row in range(len(side))
        if any(ends_alike(path_parts(column[row]), by_stem) for column in columns)
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


def path_parts(name: object) -> tuple[str, ...]:
    """Return folders and stem of a name in lower case; nothing for an unknown one."""
    from antiphon.audio.recording import AUDIO_SUFFIXES

    said = text(name)
    if said is None:
        return ()
    path = PurePosixPath(said.replace("\\", "/").casefold())
    if path.suffix in AUDIO_SUFFIXES:
        path = path.with_suffix("")
    return tuple(part for part in path.parts if part not in (".", "/"))


def ends_alike(
    parts: tuple[str, ...], by_stem: Mapping[str, Sequence[tuple[str, ...]]]
) -> tuple[str, ...] | None:
    """Return the first name that ends in the same path, or None.

    Parameters
    ----------
    parts
        From :func:`path_parts`.
    by_stem
        Other names by their last part.
    """
    for other in by_stem.get(parts[-1], ()) if parts else ():
        shared = min(len(parts), len(other))
        if parts[-shared:] == other[-shared:]:
            return other
    return None

"""Where the sets are under a folder, and what they are called."""

from __future__ import annotations

import re
from pathlib import Path

from antiphon.active.baseal.names import PREFIX_END
from antiphon.errors import FileError, UserError

LABELS, METADATA, EMBEDDINGS = "labels.csv", "metadata.csv", "embeddings"

# The sets of BioDCASE 2026 Task 4, by the domain whose score they count for.
BIRDSET = ("HSN", "POW", "UHH")
ATBFL = (
    "elephantisland2014",
    "elephantisland2013",
    "casey2014",
    "kerguelen2014",
    "kerguelen2015",
    "casey2017",
    "maudrise2014",
    "kerguelen2005",
    "ballenyislands2015",
    "greenwich2015",
    "rosssea2014",
)

ENDING = re.compile(r"_BASEAL(_DATA)?$", re.IGNORECASE)


def find_subsets(folder: Path) -> list[Path]:
    """Return the sets under a folder, sorted: itself if it is one, else those at any depth.

    Raises
    ------
    FileError
        If there is none.
    """
    if _is_subset(folder):
        return [folder]
    found = []
    waiting = [folder]
    seen = {folder.resolve()}
    while waiting:
        for inside in sorted(_folders(waiting.pop())):
            # A link may lead back to a folder above.
            place = inside.resolve()
            if place in seen:
                continue
            seen.add(place)
            if _is_subset(inside):
                found.append(inside)
            elif inside.name != EMBEDDINGS:
                waiting.append(inside)
    if not found:
        raise FileError(
            folder,
            f"it holds no set: no folder in it has {LABELS} and {EMBEDDINGS}/",
            "Give the folder of a set, or one that holds sets",
        )
    return sorted(found)


def deployment_of(filename: str) -> str:
    """Return what stands before ``__`` in a file name, or its folder, or nothing."""
    base = filename.replace("\\", "/").split("/")
    if PREFIX_END in base[-1]:
        return base[-1].split(PREFIX_END, 1)[0]
    return base[-2] if len(base) > 1 else ""


def set_name(folder: Path) -> str:
    """Return the name of a set by its folder: ``HSN`` for ``BirdSet_BASEAL/HSN_BASEAL``."""
    return ENDING.sub("", folder.resolve().name)


def set_domain(folder: Path) -> str:
    """Return the domain of a set: as in Task 4, else the folder around it if BaseAL named it."""
    name = set_name(folder)
    if name.upper() in BIRDSET:
        return "BirdSet"
    if name.casefold() in (*ATBFL, "atbfl"):
        return "ATBFL"
    around = folder.resolve().parent.name
    return ENDING.sub("", around) if ENDING.search(around) else ""


def _is_subset(folder: Path) -> bool:
    return (folder / LABELS).is_file() and (folder / EMBEDDINGS).is_dir()


def _folders(folder: Path) -> list[Path]:
    try:
        return [p for p in folder.iterdir() if p.is_dir() and not p.name.startswith(".")]
    except OSError as error:
        raise FileError(folder, f"it cannot be listed: {error.strerror or error}") from error


def vector_folder(folder: Path, model: str | None) -> Path:
    """Return the folder of a set's vectors: of ``model``, or the only one.

    Raises
    ------
    FileError
        If there is none, or none of that model.
    UserError
        If no model is named and there are several.
    """
    inside = folder / EMBEDDINGS
    if not inside.is_dir():
        raise FileError(inside, "there is no such folder", "A set holds embeddings/<model>/*.npy")
    models = sorted(p.name for p in _folders(inside))
    if model:
        if model not in models:
            raise FileError(
                inside, f"it holds no vectors of {model!r}", f"There are: {', '.join(models)}"
            )
        return inside / model
    if not models or any(inside.glob("*.npy")):
        return inside
    if len(models) > 1:
        raise UserError(
            f"{inside}: it holds vectors of {len(models)} models: {', '.join(models)}. Name one."
        )
    return inside / models[0]

"""Reference maps from score files of the members, for rank blends of single recordings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from antiphon.encoders.checking import nearest
from antiphon.errors import FileError, UserError
from antiphon.evaluation.blending.files.rows import counted, first_few, split_row_id
from antiphon.evaluation.blending.files.submission import ScoreFile, read_scores
from antiphon.soundscape.ensemble.classes import (
    ClassAlignment,
    align_classes,
    classes_of,
    read_class_map,
    taxa_of,
)
from antiphon.soundscape.ensemble.config import EnsembleConfig, MemberConfig
from antiphon.soundscape.ensemble.nodes import NEEDS_REFERENCE
from antiphon.soundscape.ensemble.reference import Reference, recipes
from antiphon.soundscape.ensemble.tree import Tree

Float64 = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]

MOST = 1024
"""Scores kept of each member and class; all of them where the reference has no more windows."""


def fit_reference(
    config: EnsembleConfig, files: Mapping[str, ScoreFile | Path | str], *, most: int = MOST
) -> Reference:
    """Return what the rank and zlogit blends of an ensemble keep of a reference set.

    Parameters
    ----------
    config
        The ensemble. A reference that it names is not read.
    files
        Score file of each member on the same windows, with columns named as the ensemble's classes
        or, with a class map, as the member's.
    most
        Scores kept of each member and class. With more distinct ones than that, positions are
        interpolated; :attr:`Reference.bound` is the largest error.

    Raises
    ------
    FileError
        If a file cannot be read, has other windows than the first, no class of the ensemble, or
        scores that are no probabilities.
    UserError
        If a member has no file, a name is not a member's, or no blend needs a reference.
    """
    needing = [name for name, node in config.nodes.items() if node.kind in NEEDS_REFERENCE]
    if not needing:
        raise UserError(f"No blend of {config.name} compares windows: it needs no reference.")
    given = _files_of(config, files)
    classes = classes_of(config)
    tree = Tree.of(config, classes, taxa_of(config, classes))
    rows = next(iter(given.values())).rows
    values, there, unused = {}, {}, {}
    for member in config.members:
        file = given[member.name]
        alignment = _alignment(member, file, classes)
        score = _ordered(file, next(iter(given.values())))
        values[member.name] = np.nan_to_num(alignment.apply(score)).astype(np.float64)
        there[member.name] = np.broadcast_to(alignment.known, (len(score), len(classes)))
        unused[member.name] = len(alignment.unused)
    _, _, fits = tree.evaluate(values, there, most=most)
    stems = {parts[0] for row in rows if (parts := split_row_id(row)) is not None}
    return Reference(
        classes=classes,
        nodes={name: fits[name] for name in needing},
        recipe=recipes(config),
        facts={
            "ensemble": config.name,
            "windows": len(rows),
            "recordings": len(stems),
            "most": most,
            "files": {name: file.path.name for name, file in given.items()},
            "unused_columns": unused,
        },
    )


def _files_of(
    config: EnsembleConfig, files: Mapping[str, ScoreFile | Path | str]
) -> dict[str, ScoreFile]:
    """Return the score file of each member, in their order."""
    names = [member.name for member in config.members]
    if odd := [name for name in files if name not in names]:
        raise UserError(
            f"There is a score file of {odd[0]!r}, but the members are {', '.join(names)}."
            + nearest(odd[0], names)
        )
    if missing := [name for name in names if name not in files]:
        raise UserError(
            f"There is no score file of {counted(len(missing), 'members')}: {first_few(missing)}. "
            "The reference needs one of each member."
        )
    return {
        name: one if isinstance(one := files[name], ScoreFile) else read_scores(one, name=name)
        for name in names
    }


def _alignment(member: MemberConfig, file: ScoreFile, classes: Sequence[str]) -> ClassAlignment:
    other_names = not set(file.classes) <= set(classes)
    mapping = None
    if member.class_map is not None and other_names:
        mapping = read_class_map(member.class_map)
    odd = (file.score < 0) | (file.score > 1)
    if odd.any():
        row, column = np.argwhere(odd)[0]
        raise FileError(
            file.path,
            f"the score of {file.rows[row]}, class {file.classes[column]} is "
            f"{file.score[row, column]:g}, which is no probability; {int(odd.sum())} such in all",
            "Members give probabilities; write the file again from what the member gives",
        )
    try:
        return align_classes(member.name, file.classes, classes, mapping)
    except UserError as error:
        raise FileError(file.path, str(error).rstrip(".")) from None


def _ordered(file: ScoreFile, first: ScoreFile) -> Float64:
    """Return the scores in the order of the first file's windows."""
    place = {row: i for i, row in enumerate(file.rows)}
    missing = [row for row in first.rows if row not in place]
    if missing or len(file.rows) != len(first.rows):
        unlike = missing or sorted(set(file.rows) - set(first.rows))
        raise FileError(
            file.path,
            f"compared with {first.path.name}, {counted(len(unlike), 'windows')} "
            f"{'missing' if missing else 'too many'}: {first_few(unlike)}",
            "All score files of a reference must have the same windows",
        )
    return np.asarray(file.score[[place[row] for row in first.rows]])

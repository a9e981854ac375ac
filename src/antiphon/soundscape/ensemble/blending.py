"""The scores of several members made one, whichever of them are there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt

from antiphon.encoders.checking import nearest
from antiphon.errors import UserError
from antiphon.evaluation.blending.choosing.postprocess import Step, apply_step
from antiphon.evaluation.blending.files.rows import split_row_id
from antiphon.soundscape.ensemble.classes import (
    ClassAlignment,
    align_classes,
    classes_of,
    read_class_map,
    taxa_of,
)
from antiphon.soundscape.ensemble.combined import Combined, parts_of
from antiphon.soundscape.ensemble.config import EnsembleConfig
from antiphon.soundscape.ensemble.masks import alike
from antiphon.soundscape.ensemble.prior import class_priors, fill_unreached
from antiphon.soundscape.ensemble.reference import Reference
from antiphon.soundscape.ensemble.tree import Tree

Float64 = npt.NDArray[np.float64]
Floats = npt.NDArray[np.floating]
Bool = npt.NDArray[np.bool_]

# Scores of all members in one go: 8 MiB, and some ten times that while they are blended.
_CELLS = 2**20


@dataclass(frozen=True, slots=True, eq=False)
class Ensemble:
    """Members brought to one order of classes, and how they are blended.

    Made by :meth:`open`.

    Parameters
    ----------
    config
        As read.
    classes
        The C classes of the output.
    taxa
        Taxon of each class, if there is a taxonomy.
    alignments
        Where the classes of each member go; members that could not be loaded are not in it.
    prior
        ``(C,)``.
    reference
        What ranks are taken against; None for the windows given.
    tree
        The blends.
    """

    config: EnsembleConfig
    classes: tuple[str, ...]
    taxa: tuple[str, ...] | None
    alignments: Mapping[str, ClassAlignment]
    prior: Float64
    reference: Reference | None
    tree: Tree

    @classmethod
    def open(cls, config: EnsembleConfig, member_classes: Mapping[str, Sequence[str]]) -> Self:
        """Read the files that an ensemble names, and check that all fits together.

        Parameters
        ----------
        config
            The ensemble.
        member_classes
            Classes of each member in the order of its scores. A member that is not in it takes no
            part.

        Raises
        ------
        FileError
            If a file cannot be used, or the reference was made for another blend or lacks a class.
        UserError
            If a name fits nothing, or no class of a member is in the output.
        """
        names = tuple(member.name for member in config.members)
        if odd := [name for name in member_classes if name not in names]:
            raise UserError(f"The ensemble has no member {odd[0]!r}.{nearest(odd[0], names)}")
        classes = classes_of(config)
        taxa = taxa_of(config, classes)
        alignments = {
            member.name: align_classes(
                member.name,
                member_classes[member.name],
                classes,
                None if member.class_map is None else read_class_map(member.class_map),
            )
            for member in config.members
            if member.name in member_classes
        }
        tree = Tree.of(config, classes, taxa)
        reference = None if config.reference is None else Reference.load(config.reference)
        if reference is not None:
            nothing = np.zeros(len(classes), dtype=np.bool_)
            known = {n: alignments[n].known if n in alignments else nothing for n in names}
            reference.check(config, classes, tree.speaking(known))
        return cls(
            config, classes, taxa, alignments, class_priors(config.prior, classes), reference, tree
        )

    @property
    def needs_all_windows(self) -> bool:
        """Whether scores of one recording depend on those of the others.

        That is so where a rank or zlogit blend has no reference: it is then fitted on the windows
        that :meth:`combine` gets, which must be those of the whole run.
        """
        return self.reference is None and any(n.needs_reference for n in self.tree.nodes.values())

    @property
    def unknown_classes(self) -> tuple[str, ...]:
        """Classes of the output that no member knows: they get their prior everywhere."""
        known = np.zeros(len(self.classes), dtype=np.bool_)
        for one in self.alignments.values():
            known |= one.known
        return tuple(name for name, there in zip(self.classes, known, strict=True) if not there)

    def align(self, member: str, scores: npt.ArrayLike) -> Floats:
        """Return a member's ``(n, own classes)`` scores in the order of the output, ``(n, C)``.

        NaN where it does not know the class; see
        :meth:`antiphon.soundscape.ensemble.classes.ClassAlignment.apply`.

        Raises
        ------
        UserError
            If the member is not there or the shape does not fit.
        """
        return self._alignment(member).apply(scores)

    def combine(
        self,
        scores: Mapping[str, npt.ArrayLike],
        rows: Sequence[str],
        available: Mapping[str, npt.ArrayLike] | None = None,
    ) -> Combined:
        """Return the output for some windows.

        Parameters
        ----------
        scores
            ``(n, C)`` probabilities of each member in the order of the output, as :meth:`align`
            returns them; a member may be missing altogether. Rows that are not available and
            classes that the member does not know are ignored, whatever they hold.
        rows
            ``row_id`` of the n windows. Whole recordings, since steps look at neighbours.
        available
            ``(n,)`` bool for each member, which windows it scored; those that are not in it scored
            all.

        Raises
        ------
        UserError
            If shapes or names do not fit, or a score that counts is not a probability.
        """
        for name in (*scores, *(available or ())):
            self._alignment(name)
        n = len(rows)
        file = _files(rows)
        there = {name: self._heard(name, scores, available, n) for name in self.tree.members}
        values = {
            name: self._checked(name, np.asarray(scores[name]), there[name], rows)
            for name in scores
        }
        empty = np.zeros((n, 1))
        score, spoke = np.zeros((n, len(self.classes))), np.zeros((n, len(self.classes)), np.bool_)
        width = max(1, _CELLS // max(1, n * len(self.tree.members)))
        for begin in range(0, len(self.classes), width):
            some = slice(begin, min(begin + width, len(self.classes)))
            score[:, some], spoke[:, some], _ = self.tree.evaluate(
                {
                    name: np.where(there[name][:, some], values.get(name, empty)[:, some], 0.0)
                    if name in values
                    else np.zeros((n, some.stop - some.start))
                    for name in self.tree.members
                },
                {name: there[name][:, some] for name in self.tree.members},
                None if self.reference is None else self.reference.nodes,
                columns=some,
            )
        for step in self.config.steps:
            score = self._after(score, spoke, step, rows, file)
        filled, fills = fill_unreached(score, spoke, file, self.prior, self.config.unreached)
        return Combined(
            rows=tuple(rows),
            classes=self.classes,
            score=np.clip(filled, 0.0, 1.0),
            there=spoke,
            fills=fills,
            parts=parts_of(self.tree, there),
            unknown=self.unknown_classes,
            absent=tuple(name for name in self.tree.members if not there[name].any()),
        )

    def _heard(
        self,
        name: str,
        scores: Mapping[str, npt.ArrayLike],
        available: Mapping[str, npt.ArrayLike] | None,
        n: int,
    ) -> Bool:
        """Return where a member counts, ``(n, C)``."""
        if name not in scores:
            return np.zeros((n, len(self.classes)), dtype=np.bool_)
        rows = np.ones(n, dtype=np.bool_)
        if available is not None and name in available:
            rows = np.asarray(available[name])
            if rows.shape != (n,) or rows.dtype != np.bool_:
                raise UserError(
                    f"Which windows member {name!r} scored must be ({n},) bool, but is "
                    f"{rows.dtype} of shape {rows.shape}."
                )
        return rows[:, None] & self._alignment(name).known[None]

    def _checked(
        self, name: str, values: npt.NDArray[np.generic], there: Bool, rows: Sequence[str]
    ) -> Float64:
        """Return scores as they are, if all that count are probabilities."""
        if values.shape != there.shape:
            raise UserError(
                f"Scores of member {name!r} must be (windows, classes) = {there.shape}, but have "
                f"shape {values.shape}."
            )
        with np.errstate(invalid="ignore"):
            odd = there & ~((values >= 0) & (values <= 1))  # type: ignore[operator]
        if odd.any():
            row, column = np.argwhere(odd)[0]
            raise UserError(
                f"Member {name!r} gave {values[row, column]:g} for class {self.classes[column]} at "
                f"{rows[row]}, which is no probability; {int(odd.sum())} such in all."
            )
        return values  # type: ignore[return-value]

    def _alignment(self, member: str) -> ClassAlignment:
        if member not in self.alignments:
            known = list(self.alignments)
            raise UserError(
                f"There are scores of {member!r}, but the members are {', '.join(known)}."
                + nearest(member, known)
            )
        return self.alignments[member]

    def _after(
        self,
        score: Float64,
        there: Bool,
        step: Step,
        rows: Sequence[str],
        file: npt.NDArray[np.intp],
    ) -> Float64:
        """Return the scores after a step among the windows that were scored."""
        chosen = np.ones(len(self.classes), dtype=np.bool_)
        if step.taxa and self.taxa is not None:
            chosen = np.isin(np.asarray(self.taxa), step.taxa)
        columns = np.flatnonzero(chosen)
        out = score.copy()
        for kept, same in alike(there[:, columns]):
            place = np.ix_(kept, columns[same])
            out[place] = apply_step(
                score[place],
                replace(step, taxa=()),
                [rows[i] for i in kept],
                file[kept],
                hop_s=self.config.window.hop_s,
            )
        return out


def _files(rows: Sequence[str]) -> npt.NDArray[np.intp]:
    number: dict[str, int] = {}
    out = np.empty(len(rows), dtype=np.intp)
    for i, row in enumerate(rows):
        parts = split_row_id(row)
        if parts is None:
            raise UserError(f"The row {row!r} is not <file stem>_<end second>.")
        out[i] = number.setdefault(parts[0], len(number))
    return out

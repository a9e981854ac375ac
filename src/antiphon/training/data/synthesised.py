"""Repertoires of synthesised sounds as sources: clips that are made when they are asked for."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from antiphon.errors import UserError
from antiphon.labels.labelset import Label
from antiphon.training.data.config import RepertoireSource
from antiphon.training.data.reading import Said, SourceRows
from antiphon.training.data.table import ClipTable, Float32, strings

if TYPE_CHECKING:
    from antiphon.audio.synthesis.repertoire import Repertoire


def make_repertoire(settings: dict[str, Any], source: str) -> Repertoire:
    """Return the repertoire of a source.

    Raises
    ------
    UserError
        Its settings do not fit.
    """
    from antiphon.audio.synthesis.repertoire import Repertoire

    try:
        return Repertoire(**settings)
    except TypeError as error:
        raise UserError(f"Source {source!r}: its settings do not fit ({error}).") from error


def read_repertoire(source: RepertoireSource, name: str) -> SourceRows:
    """Return as many clips as the source counts for; every example of one is another sound.

    Raises
    ------
    UserError
        The settings do not fit.
    """
    repertoire = make_repertoire(dict(source.settings), name)
    numbers = [f"{name} {number}" for number in range(source.clips)]
    return SourceRows(
        name=name,
        root="",
        path=strings(numbers),
        labels=tuple(Label(one.id, "other", common_name=one.name) for one in repertoire.classes),
        said=Said.nothing(),
        labelled=np.ones(source.clips, bool),
        group=numbers,
        side=np.full(source.clips, -1, np.int8),
        duration_s=np.full(source.clips, np.nan),
        settings=dict(source.settings),
    )


class Synthesiser:
    """Makes clips of one source, and says which classes they have.

    Parameters
    ----------
    table
        The clips.
    source
        Number of the source.
    """

    def __init__(self, table: ClipTable, source: int) -> None:
        self._info = table.sources[source]

    @cached_property
    def _repertoire(self) -> Repertoire:
        return make_repertoire(self._info.settings, self._info.name)

    def clip(
        self,
        rng: np.random.Generator,
        sample_rate: int,
        samples: int,
        split: Literal["train", "validation"],
    ) -> tuple[Float32, Float32, Float32]:
        """Make a clip.

        Parameters
        ----------
        rng
            Draws everything.
        sample_rate
            Hz.
        samples
            Length.
        split
            Whose voices are heard: the individuals of one are not those of the other.

        Returns
        -------
        audio, labels, known
            ``(samples,)``, ``(C,)`` and ``(C,)`` float32.
        """
        made = self._repertoire.clip(rng, sample_rate, samples / sample_rate, split=split)
        known = self._info.own.copy()
        labels = np.zeros(len(known), np.float32)
        present = self._info.columns[list(made.labels)]
        present = present[present >= 0]
        labels[present] = 1.0
        known[present] = True
        return made.waveform[:samples], labels, known.astype(np.float32)

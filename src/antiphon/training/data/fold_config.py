"""Settings of cross-validation; no torch and no NumPy is needed to read them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

import pydantic
from pydantic import NonNegativeInt, PositiveFloat, PositiveInt

from antiphon.encoders.checking import Strict


class FoldsConfig(Strict):
    """Folds of recordings, each held out from one of as many runs.

    A fold is made of whole groups (``group`` of a source: recordings, folders, sites, or what a
    column says), so that no group is on both sides of any run. Groups of which a source states
    the side, and those of pseudo-labelled recordings alone, are in no fold.

    Parameters
    ----------
    count
        How many.
    fold
        The one that is held out, from 0; None for none. ``antiphon train-detector --fold`` and
        ``--folds`` set it.
    file
        A table of groups and their folds, as ``train-detector`` leaves it in ``folds.csv``: with
        it, recordings that come later, such as pseudo-labelled ones, change no fold.
        Groups that it does not name are put into a fold by a hash of their names.
    seed
        Breaks ties where groups are shared out evenly by their classes.
    window_s
        Seconds of the windows that held-out recordings are scored in; 5, or ``data.clip_s`` where
        that is less, if left out. A window shorter than a clip is heard in its middle.
    most_windows
        The most windows of a recording that are scored, from its start; None for all.
    """

    count: Annotated[int, pydantic.Field(ge=2, le=100)] = 5
    fold: NonNegativeInt | None = None
    file: Path | None = None
    seed: NonNegativeInt = 0
    window_s: PositiveFloat | None = None
    most_windows: PositiveInt | None = None

    @pydantic.model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if self.fold is not None and self.fold >= self.count:
            raise ValueError(f"fold {self.fold} is none of {self.count}: they count from 0")
        return self

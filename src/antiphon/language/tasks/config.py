"""Settings of the making of pairs."""

from __future__ import annotations

from typing import Annotated

import pydantic

from antiphon.encoders.checking import Strict

Share = Annotated[float, pydantic.Field(ge=0.0, le=1.0)]


class InContextConfig(Strict):
    """Pairs that show solved examples of their task before they ask.

    Parameters
    ----------
    share
        Share of the pairs that get examples.
    least, most
        How many examples.
    """

    share: Share = 0.1
    least: Annotated[int, pydantic.Field(ge=1)] = 1
    most: Annotated[int, pydantic.Field(ge=1, le=16)] = 4

    @pydantic.model_validator(mode="after")
    def _ordered(self) -> InContextConfig:
        if self.least > self.most:
            raise ValueError(f"least is {self.least}, above most, {self.most}")
        return self


class TasksConfig(Strict):
    """How pairs are made of rows.

    Parameters
    ----------
    tasks
        Names of tasks or patterns such as ``species-*``; empty means all.
    weights
        How much more often than by ``balance`` a task is wanted, by its name; 1 if not given.
    pairs_per_row
        Pairs wanted per row, the mean over all rows.
    most_per_row
        No row gets more pairs than that.
    balance
        1 wants every task equally often, as far as there are rows for it; 0 wants it as often as
        there are rows for it.
    long_tail
        How much rare taxa are favoured: the pairs per row of a taxon with N rows go with
        ``N ** -long_tail``. 0 treats all rows alike, 1 all taxa (up to ``most_per_row``).
    assume_absent
        Ask for the absence of species also where nobody said that the row's list of species is
        complete (``CorpusRow.exhaustive``). Such an answer may be wrong.
    measure
        Ask for what has to be measured in the sound (which has to be read for it).
    measure_s
        Sounds longer than this are not measured, seconds.
    in_context
        Pairs with solved examples; none by default.
    """

    tasks: tuple[str, ...] = ()
    weights: dict[str, Annotated[float, pydantic.Field(ge=0.0)]] = pydantic.Field(
        default_factory=dict
    )
    pairs_per_row: Annotated[float, pydantic.Field(gt=0.0, le=44.0)] = 1.0
    most_per_row: Annotated[int, pydantic.Field(ge=1, le=44)] = 4
    balance: Share = 1.0
    long_tail: Share = 0.5
    assume_absent: bool = False
    measure: bool = True
    measure_s: Annotated[float, pydantic.Field(gt=0.0)] = 30.0
    in_context: InContextConfig | None = None

    @pydantic.model_validator(mode="after")
    def _reachable(self) -> TasksConfig:
        if self.pairs_per_row > self.most_per_row:
            raise ValueError(
                f"pairs_per_row is {self.pairs_per_row}, above most_per_row, {self.most_per_row}"
            )
        return self

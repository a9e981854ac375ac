"""How the loop of labelling and training runs in a project; the same for everybody."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from antiphon.active.registry import get_strategy
from antiphon.errors import UserError
from antiphon.store.project import ProjectFolder

_EVENT = "loop settings"

Gain = Annotated[float, Field(gt=0.0, le=1.0)]


class Preferences(BaseModel):
    """Settings of the loop.

    Parameters
    ----------
    strategy
        Which windows are chosen.
    batch
        Answers after which the detector is trained anew; the queue holds twice as many windows,
        so that labelling goes on meanwhile.
    auto
        Whether training starts by itself.
    target
        Macro average precision that is wanted.
    min_gain, per_labels
        Labelling may stop when so many more labels bring less than this.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    strategy: str = "antiphon"
    batch: int = Field(default=20, ge=1, le=1000)
    auto: bool = True
    target: float = Field(default=0.9, gt=0.0, lt=1.0)
    min_gain: Gain = 0.01
    per_labels: int = Field(default=100, ge=1, le=100_000)

    @field_validator("strategy")
    @classmethod
    def _known(cls, name: str) -> str:
        try:
            return get_strategy(name).name
        except UserError as error:
            raise ValueError(str(error)) from error

    @property
    def queue_length(self) -> int:
        """Windows that the queue holds after a choice."""
        return 2 * self.batch


def load_preferences(folder: ProjectFolder) -> Preferences:
    """Return the project's settings of the loop; the defaults before anybody changed them."""
    events = folder.catalogue.events(_EVENT)
    try:
        return Preferences(**events[-1].data) if events else Preferences()
    except ValidationError:
        # A newer Antiphon may know settings or strategies that this one does not.
        return Preferences()


def checked(values: Mapping[str, Any]) -> Preferences:
    """Return settings from plain values.

    Raises
    ------
    UserError
        If one is unknown or out of range; the message names it.
    """
    try:
        return Preferences(**values)
    except ValidationError as error:
        parts = []
        for fault in error.errors():
            words = str(fault["msg"]).removeprefix("Value error, ")
            parts.append(f"{'.'.join(str(part) for part in fault['loc'])}: {words.rstrip('.')}")
        raise UserError(f"{'; '.join(parts)}.") from error


def save_preferences(folder: ProjectFolder, preferences: Preferences) -> None:
    """Keep the settings in the project."""
    folder.catalogue.add_event(_EVENT, preferences.model_dump())

"""Shapes of windows and boxes that several requests share."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field

# The largest number that a catalogue can keep.
Id = Annotated[int, Field(ge=0, lt=2**63)]
Seconds = Annotated[float, Field(ge=0.0, allow_inf_nan=False)]


class Window(BaseModel):
    """A span of a recording; channel -1 is the mix of all."""

    recording: Id
    channel: int = Field(default=-1, ge=-1, lt=2**15)
    start_s: Seconds
    end_s: Seconds


class WindowInfo(Window):
    """A window with what is known of its recording; times are local."""

    name: str
    site: str | None = None
    time: datetime | None = None
    sample_rate: int
    duration_s: float


class Box(BaseModel):
    """A label in a box of time (seconds within the recording) and frequency."""

    label: str
    start_s: Seconds
    end_s: Seconds
    low_hz: Annotated[float, Field(ge=0.0, allow_inf_nan=False)]
    high_hz: Annotated[float, Field(ge=0.0, allow_inf_nan=False)]

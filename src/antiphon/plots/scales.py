"""Scales from data to pixels, and ticks at round values."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
_MINUTE = 60
_HOUR = 3600
_DAY = 86400
_TIME_STEPS = (
    *(1, 2, 5, 10, 15, 30),
    *(_MINUTE * m for m in (1, 2, 5, 10, 15, 30)),
    *(_HOUR * h for h in (1, 2, 3, 6, 12)),
    *(_DAY * d for d in (1, 2, 7, 14)),
)


def linear_ticks(low: float, high: float, count: int = 5, *, whole: bool = False) -> list[float]:
    """Return round values inside ``[low, high]``: steps of 1, 2, 2.5 or 5 times a power of ten.

    Parameters
    ----------
    low, high
        Ends of the axis, in either order.
    count
        Intervals wanted; the step is the smallest round one that needs no more.
    whole
        Whether the values are counts, so that only whole numbers make sense.
    """
    low, high = min(low, high), max(low, high)
    if not (math.isfinite(low) and math.isfinite(high)):
        return []
    if high == low:
        return [low]
    rough = (high - low) / max(count, 1)
    power = 10.0 ** math.floor(math.log10(rough))
    steps = [s * power for s in _STEPS]
    if whole:
        steps = [s for s in steps if s == round(s)] or [1.0]
    step = next((s for s in steps if s >= rough * (1 - 1e-9)), 1.0)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    digits = max(0, 2 - math.floor(math.log10(step)))
    return [round(i * step, digits) + 0.0 for i in range(first, last + 1)]


def log_ticks(low: float, high: float, count: int = 6) -> list[float]:
    """Return 1, 2 and 5 times powers of ten inside ``[low, high]``; only powers if many.

    Raises
    ------
    ValueError
        If an end is not positive.
    """
    low, high = min(low, high), max(low, high)
    if low <= 0:
        raise ValueError("a logarithmic axis needs positive ends")
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for factors in ((1, 2, 5), (1, 3), (1,)):
        ticks = [f * 10.0**p for p in powers for f in factors]
        inside = [t for t in ticks if low * (1 - 1e-9) <= t <= high * (1 + 1e-9)]
        if len(inside) <= count + 1:
            break
    while len(inside) > count + 1:
        inside = inside[::2]
    return inside


def time_ticks(low: datetime, high: datetime, count: int = 6) -> list[datetime]:
    """Return round clock times or dates inside ``[low, high]``.

    Steps of up to 12 hours start at midnight, those of days at ``low``'s first midnight; spans
    that need more than two weeks a step are cut at the first of a month.
    """
    span = (high - low).total_seconds()
    if span <= 0:
        return [low]
    midnight = low.replace(hour=0, minute=0, second=0, microsecond=0)
    step = next((s for s in _TIME_STEPS if span / s <= count), None)
    if step is not None:
        if step >= _DAY and midnight < low:
            midnight += timedelta(days=1)
        first = math.ceil((low - midnight).total_seconds() / step)
        last = math.floor((high - midnight).total_seconds() / step)
        return [midnight + timedelta(seconds=step * i) for i in range(first, last + 1)]
    months = next(
        m for m in (1, 2, 3, 6, 12, 24, 60, 120, 1200) if span / (m * 30.44 * _DAY) <= count
    )
    index = low.year * 12 + low.month - 1
    index = math.ceil(index / months) * months
    ticks = []
    while (tick := datetime(index // 12, index % 12 + 1, 1, tzinfo=low.tzinfo)) <= high:
        if tick >= low:
            ticks.append(tick)
        index += months
    return ticks


def tick_text(value: float, ticks: list[float]) -> str:
    """Write a tick with the decimals that tell it from its neighbours."""
    if value != 0 and (abs(value) >= 1e6 or abs(value) < 1e-4):
        return f"{value:.3g}"
    gaps = [abs(b - a) for a, b in pairwise(ticks) if b != a]
    step = min(gaps, default=abs(value) or 1.0)
    digits = 0
    while digits < 6 and abs(round(step, digits) - step) > 1e-9 * max(step, 1e-9):
        digits += 1
    return f"{value:,.{digits}f}"


@dataclass(frozen=True, slots=True)
class Scale:
    """A linear or logarithmic map from data to pixels.

    Parameters
    ----------
    low, high
        Data at the two ends; equal ends are moved apart, so that a single value can be drawn.
    start, end
        Pixels at the two ends.
    log
        Whether equal ratios have equal lengths; both ends must be positive.
    """

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def __post_init__(self) -> None:
        if self.log and min(self.low, self.high) <= 0:
            raise ValueError("a logarithmic axis needs positive ends")
        if self.low == self.high:
            if self.log:
                low, high = self.low / 2, self.high * 2
            else:
                apart = abs(self.low) / 2 or 0.5
                low, high = self.low - apart, self.high + apart
            object.__setattr__(self, "low", low)
            object.__setattr__(self, "high", high)

    def __call__(self, value: float) -> float:
        """Return the pixel of a value."""
        if self.log:
            share = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)

    def ticks(self, count: int = 5, *, whole: bool = False) -> list[float]:
        """Return round values on the scale, only whole numbers if asked for."""
        if self.log:
            return log_ticks(self.low, self.high, count)
        return linear_ticks(self.low, self.high, count, whole=whole)

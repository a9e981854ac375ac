"""Numbers as text."""

from __future__ import annotations

import math

NOTHING = "–"


def area(value: float, digits: int = 4) -> str:
    """Return an AUC, or a dash."""
    return f"{value:.{digits}f}" if math.isfinite(value) else NOTHING


def area_interval(value: float, low: float, high: float) -> str:
    """Return ``0.9103 [0.8949, 0.9219]``."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return area(value)
    return f"{area(value)} [{area(low)}, {area(high)}]"


def signed(value: float, digits: int = 4) -> str:
    """Return ``+0.0042`` or ``−0.0003``."""
    if not math.isfinite(value):
        return NOTHING
    text = f"{abs(value):.{digits}f}"
    if float(text) == 0:
        return text
    return f"{'+' if value > 0 else '−'}{text}"


def signed_interval(value: float, low: float, high: float) -> str:
    """Return ``+0.0042 [−0.0001, +0.0064]``."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return signed(value)
    return f"{signed(value)} [{signed(low)}, {signed(high)}]"


def p_text(p: float) -> str:
    """Return a p value with the digits that matter."""
    if not math.isfinite(p):
        return NOTHING
    return "<0.001" if p < 0.001 else f"{p:.3f}"

"""Levels as PNG images, grey or in the colours of a map."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from antiphon.app.media.day import NOTHING
from antiphon.app.media.levels import Levels
from antiphon.plots.colour import colour_map
from antiphon.plots.png import png_bytes

UInt8 = npt.NDArray[np.uint8]
Colours = Literal["viridis", "magma", "grey", "viridis-inverted", "magma-inverted", "grey-inverted"]
COLOURS: tuple[Colours, ...] = get_args(Colours)

# A little compression is quick; more would cost time between two clips.
_EFFORT = 2


def grey_png(levels: Levels) -> bytes:
    """Return levels as they are, one byte each."""
    return png_bytes(levels.values, level=_EFFORT)


def colour_png(levels: Levels, colours: Colours, contrast: tuple[float, float]) -> bytes:
    """Return levels in colours.

    Parameters
    ----------
    colours
        Name of the map.
    contrast
        Percentiles of the levels that are drawn as the ends of the map.
    """
    return png_bytes(contrasted(levels.values, contrast), palette(colours), level=_EFFORT)


def contrasted(values: UInt8, contrast: tuple[float, float]) -> UInt8:
    """Stretch values between two of their percentiles over all of the range."""
    counts = np.bincount(values.ravel(), minlength=256)
    share = np.cumsum(counts) / values.size * 100
    low, high = (int(np.searchsorted(share, min(p, 100.0))) for p in contrast)
    steps = (np.arange(256) - low) / max(high - low, 1)
    table = np.round(np.clip(steps, 0, 1) * 255).astype(np.uint8)
    return table[values]


def palette(colours: Colours) -> UInt8:
    """Return the 256 colours of a map, ``(256, 3)``, from quiet to loud."""
    name, _, inverted = colours.partition("-")
    if name == "grey":
        table = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)
    else:
        table = colour_map("viridis" if name == "viridis" else "magma")
    return np.ascontiguousarray(table[::-1]) if inverted else table


def long_png(values: UInt8, colours: Colours) -> bytes:
    """Return a picture of a long time in colours; where there is no audio it is transparent."""
    table = np.vstack([palette(colours)[np.linspace(0, 255, NOTHING).astype(int)], [[0, 0, 0]]])
    return png_bytes(values, table.astype(np.uint8), transparent=NOTHING, level=_EFFORT)

"""Colour maps for the colour-blind: viridis and magma for quantities, Okabe-Ito for names.

The control points of both maps are those published with them (S. van der Walt and N. Smith, 2015,
released under CC0); colours between are linear in sRGB. The qualitative palette is that of
M. Okabe and K. Ito, "Color Universal Design", 2008.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

UInt8 = npt.NDArray[np.uint8]
MapName = Literal["viridis", "magma"]

_CONTROL: dict[str, str] = {
    "viridis": (
        "440154 481568 482677 453781 3f4788 39558c 32648e 2d718e 287d8e 238a8d "
        "1f968b 20a386 29af7f 3cbc75 56c667 74d055 94d840 b8de29 dce318 fde725"
    ),
    "magma": "000004 180f3e 451077 721f81 9f2f7f cd4071 f1605d fd9567 fec98d fcfdbf",
}

# Okabe and Ito's seven colours, those that stand out most on the page first. Black is the colour of
# text; on white, yellow is left out for it, as it cannot be seen there.
SERIES_ON_WHITE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
SERIES_ON_BLACK = ("#56b4e9", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#f0e442", "#0072b2")


def colour_map(name: MapName, count: int = 256) -> UInt8:
    """Return ``count`` colours from the dark to the bright end, ``(count, 3)`` uint8 sRGB."""
    control = np.array([list(bytes.fromhex(c)) for c in _CONTROL[name].split()], dtype=np.float64)
    at = np.linspace(0.0, len(control) - 1.0, count)
    known = np.arange(len(control))
    colours = np.stack([np.interp(at, known, control[:, k]) for k in range(3)], axis=1)
    return np.round(colours).astype(np.uint8)


def hex_colour(share: float, name: MapName = "viridis") -> str:
    """Return the colour of a share in [0, 1] as ``#rrggbb``; values outside are clipped."""
    table = _TABLES[name]
    index = round(min(max(share, 0.0), 1.0) * (len(table) - 1))
    return "#" + bytes(table[index].tolist()).hex()


_TABLES: dict[str, UInt8] = {"viridis": colour_map("viridis"), "magma": colour_map("magma")}

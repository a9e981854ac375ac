"""Pictures as PNG."""

from __future__ import annotations

import numpy as np

from antiphon.app.media.picture import COLOURS, contrasted, palette


def test_contrast_stretches_between_percentiles() -> None:
    values = np.arange(100, dtype=np.uint8).reshape(10, 10)
    stretched = contrasted(values, (10, 90))
    assert (stretched.ravel()[:9] == 0).all()
    assert (stretched.ravel()[90:] == 255).all()
    assert (np.diff(stretched.ravel()[9:90].astype(int)) > 0).all()
    flat = contrasted(np.full((4, 4), 7, np.uint8), (30, 99))
    assert (flat == 0).all()


def test_inverted_maps_run_the_other_way() -> None:
    for name in ("viridis", "magma", "grey"):
        assert (palette(name)[::-1] == palette(f"{name}-inverted")).all()  # type: ignore[arg-type]
    # Loud is bright in all maps, but for the inverted ones.
    for name in COLOURS:
        table = palette(name).astype(int).sum(axis=1)
        assert (table[0] < table[-1]) != name.endswith("inverted")

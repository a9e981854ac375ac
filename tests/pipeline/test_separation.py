from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from antiphon.pipeline.separation import between_folds, from_training


class Windows(SimpleNamespace):
    def texts(self, column: str):
        return np.array(getattr(self, column), dtype=object)


def labelled(names, keys, sites, days, embeddings, group_by="recording"):
    """Stand in for labelled windows, one for each entry."""
    n = len(names)
    windows = Windows(
        name=names,
        content_key=keys,
        site=sites,
        time=np.array(days, "datetime64[s]"),
        start_s=np.arange(n, dtype=np.float64),
    )
    return SimpleNamespace(
        rows=np.arange(n),
        windows=windows,
        group_by=group_by,
        groups=np.arange(n),
        group_names=[f"g{i}" for i in range(n)],
        embeddings=np.asarray(embeddings, np.float32),
    )


def test_copies_of_a_file_and_shared_sites_are_found_between_folds():
    data = labelled(
        ["a.wav", "copy of a.wav", "b.wav", "c.wav"],
        ["k1", "k1", "k2", "k3"],
        ["north", "north", "north", "south"],
        ["2026-05-01", "2026-05-01", "2026-05-02", "2026-05-03"],
        np.eye(4),
    )
    lines = between_folds(data, np.array([0, 1, 0, 1]))
    assert "1 error" in lines[0]
    assert any(line.startswith("ERROR: 2 of 4") and "recordings" in line for line in lines)
    assert any(line.startswith("WARNING: 3 of 4") and "sites" in line for line in lines)
    # Kept apart by site, the same site on both sides is an error.
    apart = labelled(
        ["a.wav", "b.wav"], ["k1", "k2"], ["north", "north"], ["NaT", "NaT"], np.eye(2), "site"
    )
    assert any(
        line.startswith("ERROR") and "site" in line
        for line in between_folds(apart, np.array([0, 1]))
    )


def test_equal_vectors_of_different_recordings_are_found():
    x = np.eye(4)
    x[3] = x[0]
    data = labelled(["a", "b", "c", "d"], list("abcd"), [None] * 4, ["NaT"] * 4, x)
    lines = from_training(data, np.array([2, 3]))
    assert any("embedding" in line and line.startswith("ERROR") for line in lines)
    assert any("Not checked" in line and "site" in line for line in lines)
    clean = from_training(data, np.array([1, 2]))
    assert "nothing found" in clean[0]
    # Nothing was trained on: there is nothing to compare.
    assert from_training(data, np.arange(4)) == ()

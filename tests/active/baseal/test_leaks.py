from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from antiphon.active.baseal.data import read_subset
from antiphon.active.baseal.leaks import find_leaks
from antiphon.errors import FormatError
from tests.active.baseal.folders import many, write_subset

N = 240
RNG = np.random.default_rng(5)
KINDS = [("dog",), ("frog", "owl"), (), ("owl",)]
LABELS = [KINDS[i] for i in RNG.integers(0, 4, N)]


def leaking(cells: list[str], title: str = "column") -> bool:
    return bool(find_leaks({title: cells}, LABELS))


@pytest.mark.parametrize(
    "cells",
    [
        ["+".join(found) for found in LABELS],
        [str(KINDS.index(found) * 17) for found in LABELS],
        [str(bool(found)) for found in LABELS],
        [str(len(found)) for found in LABELS],
        [f"/archive/{'_'.join(found)}/{i}.wav" for i, found in enumerate(LABELS)],
        [f"{i}-{RNG.integers(1e6)}-{KINDS.index(f)}.wav" for i, f in enumerate(LABELS)],
        [f"{i}.. heard {' and '.join(f)} at {i * 7}" for i, f in enumerate(LABELS)],
    ],
    ids=["equal", "coded", "any", "count", "folder", "part", "prose"],
)
def test_columns_that_tell_the_labels_are_found(cells: list[str]) -> None:
    assert leaking(cells)


@pytest.mark.parametrize(
    "cells",
    [
        [str(i) for i in range(N)],
        [str(i % 5) for i in range(N)],
        ["same"] * N,
        [""] * N,
        [f"site{i % 3}_2014{i % 12 + 1:02d}_{i}.wav" for i in range(N)],
        [f"{x:.3f}" for x in RNG.normal(size=N)],
    ],
    ids=["unique", "fold", "constant", "empty", "names", "noise"],
)
def test_columns_that_do_not_are_kept(cells: list[str]) -> None:
    assert not leaking(cells)


@pytest.mark.parametrize("title", ["label", "Species", "n_events", "ebirdCode", "target"])
def test_titles_that_name_labels(title: str) -> None:
    assert leaking([str(i) for i in range(N)], title)


def test_metadata_of_a_set(tmp_path: Path) -> None:
    folder = write_subset(tmp_path / "s", many(90))
    lines = ["filename,site,number,quality,species_count,when"]
    for i, (name, label, _) in reversed(list(enumerate(many(90)))):
        site, count = i // 7 % 4, len([x for x in label.split(";") if x])
        lines.append(f"{name},s{site},{i},{count * 0.5},{count},{i % 23}:00")
    (folder / "metadata.csv").write_text("\n".join(lines[:-1]) + "\n")
    clean, compat = read_subset(folder), read_subset(folder, compat=True)
    assert clean.metadata is not None
    assert compat.metadata is not None
    assert clean.metadata.column_names == ["filename", "site", "number", "when"]
    assert compat.metadata.column_names == lines[0].split(",")
    # In the order of labels.csv; the last line is missing, so the first row has no values.
    assert clean.metadata["number"].to_pylist() == [None, *range(1, 90)]
    assert clean.metadata["filename"].to_pylist() == list(clean.filenames)
    told = " ".join(clean.notes)
    assert "quality" in told
    assert "species_count (its title names labels)" in told
    assert "1 rows have no line in metadata.csv" in told
    assert "tells the labels, as in BaseAL" in " ".join(compat.notes)


def test_two_lines_of_one_file_must_agree(tmp_path: Path) -> None:
    folder = write_subset(tmp_path / "s", many(12))
    name = many(12)[4][0]
    (folder / "metadata.csv").write_text(f"filename,site\n{name},a\n{name},b\n")
    with pytest.raises(FormatError, match=r"metadata\.csv: rows 2 and 3 describe"):
        read_subset(folder)

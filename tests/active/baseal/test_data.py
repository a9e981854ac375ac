from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from antiphon.active.baseal.data import find_subsets, read_subset, split_by_deployment
from antiphon.active.simulate.generate import generate
from antiphon.active.simulate.presets import preset
from antiphon.active.simulate.write import write_baseal
from antiphon.errors import FileError, FormatError, UserError
from tests.active.baseal.folders import many, write_subset
from tests.real import real_data


def test_a_folder_is_read_as_written(tmp_path: Path) -> None:
    rows = [
        ("x.wav", "b;a", "False"),
        ("y.wav", "a", "True"),
        ("z.wav", "", "False"),
    ]
    vectors = {"x": np.array([1, 2.5]), "y": np.array([[3, 4]]), "z": np.array([5, 6])}
    kinds = dict(zip(vectors, (np.float64, np.float32, np.float16), strict=True))
    folder = write_subset(
        tmp_path / "HSN_BASEAL", rows, files={k: v.astype(kinds[k]) for k, v in vectors.items()}
    )
    data = read_subset(folder)
    assert (data.name, data.domain) == ("HSN", "BirdSet")
    assert data.embeddings.dtype == np.float32
    np.testing.assert_array_equal(data.embeddings, [[1, 2.5], [3, 4], [5, 6]])
    assert data.labels == ("a", "b")
    np.testing.assert_array_equal(data.targets, [[1, 1], [1, 0], [0, 0]])
    np.testing.assert_array_equal(data.validation, [False, True, False])
    assert data.multilabel
    assert data.filenames == ("x.wav", "y.wav", "z.wav")


def test_the_real_demo_set() -> None:
    folder = real_data("baseal_esc10") / "ESC10_BASEAL"
    data = read_subset(folder)
    assert data.embeddings.shape == (800, 1024)
    assert int(data.validation.sum()) == 160
    assert len(data.labels) == 10
    assert not data.multilabel
    np.testing.assert_array_equal(data.targets.sum(axis=0), 80)
    row = data.filenames.index("1-110389-A-0_003_006.mp3")
    expected = np.load(folder / "embeddings/birdnet/1-110389-A-0_003_006.npy")
    np.testing.assert_array_equal(data.embeddings[row], expected)
    assert data.labels[int(data.targets[row].argmax())] == "dog"
    assert len(np.unique(data.recording)) == 400
    assert data.metadata is not None
    assert set(data.metadata.column_names) == {
        "segment_start",
        "segment_end",
        "fold",
        "esc10",
        "take",
    }


def test_sets_are_found_at_any_depth_and_named_by_their_folders(tmp_path: Path) -> None:
    for name in (
        "BirdSet_BASEAL/HSN_BASEAL",
        "BirdSet_BASEAL/POW_BASEAL",
        "ATBFL_BASEAL/casey2014",
    ):
        write_subset(tmp_path / name, many())
    (tmp_path / "BirdSet_BASEAL" / "notes").mkdir()
    (tmp_path / "BirdSet_BASEAL" / "loop").symlink_to(tmp_path)
    found = find_subsets(tmp_path)
    assert [f.name for f in found] == ["casey2014", "HSN_BASEAL", "POW_BASEAL"]
    assert find_subsets(found[0]) == [found[0]]
    sets = [read_subset(f) for f in found]
    assert [(s.name, s.domain) for s in sets] == [
        ("casey2014", "ATBFL"),
        ("HSN", "BirdSet"),
        ("POW", "BirdSet"),
    ]
    with pytest.raises(FileError, match="holds no set"):
        find_subsets(tmp_path / "BirdSet_BASEAL" / "notes")


def test_one_folder_of_many_deployments_splits_into_site_years(tmp_path: Path) -> None:
    rows = [
        (f"{site}__2014-06-05T12-00-00_{i:04d}_{i + 5:04d}.wav", label, str(i % 2 == 0))
        for site, labels in (("casey2014", ("bma", "bma;bp20")), ("rosssea2014", ("bmz", "bmz")))
        for i, label in enumerate(labels * 6)
    ]
    whole = read_subset(write_subset(tmp_path / "ATBFL_BASEAL", rows))
    assert (whole.name, whole.domain) == ("ATBFL", "ATBFL")
    casey, ross = split_by_deployment(whole)
    assert (casey.name, casey.domain, casey.labels) == ("casey2014", "ATBFL", ("bma", "bp20"))
    assert (ross.name, ross.labels, ross.multilabel) == ("rosssea2014", ("bmz",), True)
    np.testing.assert_array_equal(
        np.concatenate([casey.embeddings, ross.embeddings]), whole.embeddings
    )
    assert len({whole.key, casey.key, ross.key}) == 3
    assert any("rosssea2014: Only 6 rows can be selected" in note for note in ross.notes)
    # All segments are of one recording of each site, which their names say.
    assert np.unique(casey.recording).size == 1
    assert not set(casey.recording.tolist()) & set(ross.recording.tolist())


def test_deployment_prefixes_of_files_only(tmp_path: Path) -> None:
    files = {f"casey2014__{i}": np.full(3, i, np.float32) for i in range(12)}
    rows = [(f"{i}.wav", "a;b" if i % 2 else "a", "False") for i in range(12)]
    folder = write_subset(tmp_path / "s", rows, files=files)
    for compat in (False, True):
        np.testing.assert_array_equal(
            read_subset(folder, compat=compat).embeddings[:, 0], np.arange(12)
        )


def test_equal_stems_of_two_deployments(tmp_path: Path) -> None:
    files = {f"{site}__0001": np.full(3, i, np.float32) for i, site in enumerate(("east", "west"))}
    plain = write_subset(tmp_path / "plain", [("0001.wav", "a", "False")], files=files)
    # BaseAL's suffix map keeps one of the two at random; clean reading refuses to guess.
    assert read_subset(plain, compat=True).embeddings[0, 0] in (0, 1)
    with pytest.raises(FormatError, match=r"could be any of 2 files.*east__0001"):
        read_subset(plain)
    rows = [("east/0001.wav", "a;b", "False"), ("west/0001.wav", "b", "False")]
    named = read_subset(write_subset(tmp_path / "named", rows, files=files))
    np.testing.assert_array_equal(named.embeddings[:, 0], [0, 1])


def test_nested_folders_of_vectors(tmp_path: Path) -> None:
    files = {"east/0001": np.zeros(3, np.float32), "west/0001": np.ones(3, np.float32)}
    files |= {".cache/embeddings": np.zeros((9, 9), np.float32)}
    rows = [("west/0001.wav", "a;b", "False"), ("east/0001.wav", "b", "False")]
    folder = write_subset(tmp_path / "s", rows, files=files)
    np.testing.assert_array_equal(read_subset(folder).embeddings[:, 0], [1, 0])
    with pytest.raises(FileError, match=r"no \.npy files"):
        read_subset(folder, compat=True)


def test_an_empty_label_is_the_class_nan_in_baseal_and_no_label_here(tmp_path: Path) -> None:
    folder = write_subset(tmp_path / "s", many(30))
    compat, clean = read_subset(folder, compat=True), read_subset(folder)
    assert compat.labels == ("a", "b", "c", "nan")
    np.testing.assert_array_equal(compat.targets[:, 3], np.tile([0, 0, 1], 10))
    np.testing.assert_array_equal(compat.targets[:, :3], clean.targets)
    assert clean.labels == ("a", "b", "c")
    assert any("10 rows carry no label" in note for note in clean.notes)
    assert any('"nan"' in note for note in compat.notes)


def test_cells_that_pandas_reads_as_something_else(tmp_path: Path) -> None:
    words = write_subset(tmp_path / "words", many(30, ("NA", "None", "x")))
    assert read_subset(words, compat=True).labels == ("nan", "x")
    assert read_subset(words).labels == ("NA", "None", "x")
    numbers = write_subset(tmp_path / "numbers", many(30, ("05", "7", "")))
    assert read_subset(numbers, compat=True).labels == ("5.0", "7.0", "nan")
    assert read_subset(numbers).labels == ("05", "7")
    whole = write_subset(tmp_path / "whole", many(30, ("05", "7", "11")))
    assert read_subset(whole, compat=True).labels == ("11", "5", "7")
    flags = write_subset(tmp_path / "flags", [("a.wav", "x;y", "1.0"), ("b.wav", "x", "0.0")])
    assert not read_subset(flags, compat=True).validation.any()
    assert read_subset(flags).validation.tolist() == [True, False]


def test_without_a_separator_baseal_is_single_label(tmp_path: Path) -> None:
    empty = write_subset(tmp_path / "empty", many(30, ("a", "b", "")))
    assert not read_subset(empty, compat=True).multilabel
    clean = read_subset(empty)
    assert clean.multilabel
    assert any("taken as multi-label" in note for note in clean.notes)
    full = write_subset(tmp_path / "full", many(30, ("a", "b", "c")))
    assert not read_subset(full).multilabel
    assert any("single-label" in note for note in read_subset(full).notes)
    assert read_subset(full, multilabel=True).multilabel
    one = write_subset(tmp_path / "one", many(30, ("a",)))
    assert read_subset(one).multilabel
    with pytest.raises(FormatError, match=r"row 4 carries 0 labels"):
        read_subset(empty, multilabel=False)


def test_missing_and_extra_vectors_are_told(tmp_path: Path) -> None:
    folder = write_subset(tmp_path / "s", many(30))
    vectors = folder / "embeddings" / "perch_v2"
    (vectors / "r004_000_005.npy").rename(vectors / "stranger.npy")
    for compat in (False, True):
        data = read_subset(folder, compat=compat)
        assert len(data.filenames) == 29
        assert "r004_000_005.wav" not in data.filenames
        told = " ".join(data.notes)
        assert "1 of 30 rows of labels.csv have no vector" in told
        assert "r004_000_005.wav" in told
        assert "stranger.npy" in told


def test_nothing_matches(tmp_path: Path) -> None:
    folder = write_subset(tmp_path / "s", many(6), files={"other": np.zeros(4, np.float32)})
    for compat in (False, True):
        with pytest.raises(FileError, match=r"no file belongs to any of the 6 rows"):
            read_subset(folder, compat=compat)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (np.zeros(5, np.float32), r"r002.*has 5 values, that of r000_000_005.npy has 6"),
        (np.array([0, np.nan, 0, 0, 0, np.inf], np.float32), r"r002.*2 of its 6 values are NaN"),
        (np.full(6, 1e300), r"r002.*6 of its 6 values are NaN or infinite as float32"),
        (np.zeros((2, 3), np.float32), r"r002.*shape \(2, 3\), expected"),
        (np.zeros(6, np.int16), r"r002.*holds int16"),
        (np.array([None] * 6), r"r002.*holds object"),
    ],
)
def test_a_bad_vector_is_named(tmp_path: Path, bad: np.ndarray, message: str) -> None:
    folder = write_subset(tmp_path / "s", many(12))
    np.save(folder / "embeddings/perch_v2/r002_000_005.npy", bad, allow_pickle=True)
    with pytest.raises(FormatError, match=message):
        read_subset(folder)


def test_files_that_are_no_vectors(tmp_path: Path) -> None:
    folder = write_subset(tmp_path / "s", many(12))
    victim = folder / "embeddings/perch_v2/r003_000_005.npy"
    whole = victim.read_bytes()
    for content, message in (
        (b"", "not a NumPy"),
        (b"RIFF" + whole, "not a NumPy"),
        (whole[:40], "broken"),
        (whole[:-3], "ends early"),
    ):
        victim.write_bytes(content)
        with pytest.raises(FormatError, match=rf"r003.*{message}"):
            read_subset(folder)


def test_baseal_flattens_what_clean_reading_refuses(tmp_path: Path) -> None:
    grids = {f"r{i:03d}_000_005": np.arange(6).reshape(2, 3) + np.float32(i) for i in range(12)}
    folder = write_subset(tmp_path / "s", many(12), files=grids)
    np.testing.assert_array_equal(read_subset(folder, compat=True).embeddings[1], np.arange(1, 7))
    with pytest.raises(FormatError, match="shape"):
        read_subset(folder)


def test_a_label_that_is_not_in_the_class_list(tmp_path: Path) -> None:
    folder = write_subset(tmp_path / "s", many(12))
    with pytest.raises(FormatError, match=r"labels.csv: row 3: label 'c' is not in"):
        read_subset(folder, classes=["a", "b"])
    data = read_subset(folder, classes=["c", "b", "a", "d"])
    assert data.labels == ("c", "b", "a", "d")
    assert any("occur in no row: d" in note for note in data.notes)


def test_what_makes_a_set_hard_is_noted(tmp_path: Path) -> None:
    rows = [("a.wav", "x", "False"), ("b.wav", "y;z", "True"), ("c.wav", "x;w", "False")]
    told = " ".join(read_subset(write_subset(tmp_path / "s", rows)).notes)
    assert "Only 2 rows can be selected" in told
    assert "2 of 4 classes occur in validation rows only and cannot be learned: y, z." in told
    assert "2 of 4 classes have no validation row and do not count in mAP: w, x." in told
    without = write_subset(tmp_path / "t", rows, header="filename,label")
    assert "No row is marked for validation" in " ".join(read_subset(without).notes)
    all_judge = write_subset(tmp_path / "u", [(f, lab, "yes") for f, lab, _ in rows])
    with pytest.raises(FormatError, match="every row with a vector is marked"):
        read_subset(all_judge)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty"),
        ("file,label\na.wav,x\n", "no column 'filename'"),
        ("filename,labels\na.wav,x\n", "no column 'label'"),
        ("filename,label\n", "no rows"),
        ("filename,label,validation\na.wav,x,maybe\n", r"row 2, column validation.*'maybe'"),
        ("filename,label\n,x\n", r"row 2: the file name is empty"),
        ("filename,label\na.wav,x\na.mp3,y\n", r"rows 2 and 3 both mean the vector a.npy"),
    ],
)
def test_a_bad_label_table_is_named(tmp_path: Path, text: str, message: str) -> None:
    folder = write_subset(tmp_path / "s", [("a.wav", "x", "False")])
    (folder / "labels.csv").write_text(text)
    with pytest.raises(FormatError, match=rf"labels\.csv: .*{message}"):
        read_subset(folder)


def test_repeated_rows(tmp_path: Path) -> None:
    rows = [*many(12), many(12)[0]]
    folder = write_subset(tmp_path / "s", rows)
    clean, compat = read_subset(folder), read_subset(folder, compat=True)
    assert len(clean.filenames) == 12
    assert any("1 rows of labels.csv repeat others" in note for note in clean.notes)
    assert len(compat.filenames) == len(set(compat.filenames)) == 13


def test_the_model_must_be_named_when_there_are_two(tmp_path: Path) -> None:
    folder = write_subset(tmp_path / "s", many(12), model="birdnet")
    read_subset(folder)
    other = folder / "embeddings" / "perch_v2"
    other.mkdir()
    with pytest.raises(UserError, match="birdnet, perch_v2"):
        read_subset(folder)
    with pytest.raises(FileError, match=r"no vectors of 'yamnet'.*There are: birdnet, perch_v2"):
        read_subset(folder, "yamnet")
    assert read_subset(folder, "birdnet").embeddings.shape == (12, 6)


def test_names_that_end_in_the_model(tmp_path: Path) -> None:
    files = {f"r{i:03d}_000_005_birdnet": np.full(2, i, np.float32) for i in range(12)}
    folder = write_subset(tmp_path / "s", many(12), model="birdnet", files=files)
    np.testing.assert_array_equal(read_subset(folder).embeddings[:, 0], np.arange(12))


@pytest.mark.parametrize("name", ["rosssea2014", "greenwich2015"])
def test_a_simulated_set_comes_back_as_it_was_written(tmp_path: Path, name: str) -> None:
    made = generate(preset(name), 3)
    data = read_subset(write_baseal(made, tmp_path / name))
    np.testing.assert_array_equal(data.embeddings, made.embeddings)
    np.testing.assert_array_equal(data.validation, made.validation)
    assert set(data.labels) <= set(made.labels)
    for column, label in enumerate(data.labels):
        expected = made.targets[:, made.labels.index(label)]
        np.testing.assert_array_equal(data.targets[:, column], expected)
    assert data.targets.sum() == made.targets.sum()
    assert (data.name, data.domain, data.multilabel) == (name, "ATBFL", True)

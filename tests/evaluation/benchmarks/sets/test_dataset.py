"""Each published data set, from a tiny replica in its publisher's layout."""

from __future__ import annotations

from collections import Counter

import pytest

from antiphon.errors import FileError, FormatError
from antiphon.evaluation.benchmarks.sets.dataset import BenchmarkDataset
from antiphon.evaluation.benchmarks.sets.recipe import all_recipes, recipes_of
from tests.evaluation.benchmarks.replicas import REPLICAS

# Name: classes, items on each side (all, train, validation, test; 0 where there is none).
EXPECTED = {
    "dogs": (("Mac", "Zoe"), (10, 6, 2, 2)),
    "bats": (("111", "210"), (10, 6, 2, 2)),
    "humbugdb": (("others",), (8, 4, 2, 2)),
    "cbi": (("aldfly", "ameavo"), (20, 12, 4, 4)),
    "watkins": (("Narwhal", "Walrus"), (10, 6, 2, 2)),
    "esc50": (("dog", "rain"), (20, 12, 4, 4)),
    "enabirds": (("EATO", "OTHR"), (10, 6, 2, 2)),
    "rfcx": (("0", "1"), (10, 6, 2, 2)),
    "hiceas": (("1",), (6, 2, 2, 2)),
    "gibbons": (("1", "2"), (10, 6, 3, 1)),
    "dcase": (("AMRE", "BBWA"), (5, 3, 1, 1)),
    **dict.fromkeys(
        ("POW", "PER", "NES", "NBP", "HSN", "UHH", "SNE"), (("amerob", "yerwar"), (23, 8, 3, 12))
    ),
    "pipit": (("212", "312"), (14, 8, 0, 6)),
    "chiffchaff": (("F72726", "F91903"), (14, 8, 0, 6)),
    "littleowl": (("7", "BRE"), (14, 8, 0, 6)),
    "macaque": (("AL", "TH"), (16, 8, 2, 6)),
    "zebra_finch": (("alarm", "contact", "distress", "nest", "unknown"), (12, 0, 0, 12)),
    "giant_otter": (("begging scream", "growl", "hum"), (8, 0, 0, 8)),
    "bengalese_finch": (("0", "1", "2"), (12, 0, 0, 12)),
    "srkw": (("S01", "S04"), (3, 0, 0, 3)),
}


def replica(name, root):
    recipe = recipes_of(name)[0]
    REPLICAS[name](root / recipe.folder)
    return BenchmarkDataset(recipe, root)


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    """Every replica, read once."""
    root = tmp_path_factory.mktemp("data")
    for folder, write in {(recipes_of(n)[0].folder, w) for n, w in REPLICAS.items()}:
        write(root / folder)
    return {r.name: BenchmarkDataset(r, root).load() for r in all_recipes()}


def test_there_are_26_entries_as_in_the_published_tables():
    recipes = all_recipes()
    assert set(REPLICAS) == set(EXPECTED) == {r.name for r in recipes}
    assert Counter(r.suite for r in recipes) == {
        "beans": 11,
        "birdset": 7,
        "individual": 4,
        "repertoire": 4,
    }
    classes = {r.name: r.published_classes or r.classes for r in recipes}
    # The class counts of "What Matters for Bioacoustic Encoding".
    assert classes == {
        "dogs": 10,
        "bats": 10,
        "humbugdb": 14,
        "cbi": 264,
        "watkins": 31,
        "esc50": 50,
        "enabirds": 34,
        "rfcx": 24,
        "hiceas": 1,
        "gibbons": 3,
        "dcase": 18,
        "POW": 49,
        "PER": 133,
        "NES": 89,
        "NBP": 51,
        "HSN": 22,
        "UHH": 27,
        "SNE": 56,
        "pipit": 10,
        "chiffchaff": 10,
        "littleowl": 16,
        "macaque": 8,
        "zebra_finch": 5,
        "giant_otter": 32,
        "bengalese_finch": 9,
        "srkw": 27,
    }
    windows = {r.name: (r.window_s, r.shift_s) for r in recipes if r.window_s}
    assert windows == {
        "dcase": (2, 1),
        "enabirds": (2, 1),
        "hiceas": (10, 5),
        "rfcx": (10, 5),
        "gibbons": (4, 2),
    }


@pytest.mark.parametrize("name", list(EXPECTED))
def test_a_replica_gives_its_classes_and_sides(name, loaded):
    classes, counts = EXPECTED[name]
    found = loaded[name]
    assert found.classes == classes
    have = found.counts()
    assert tuple(have.get(s, 0) for s in ("all", "train", "validation", "test")) == counts
    assert all(item.path.is_file() for item in found.items)
    recipe = recipes_of(name)[0]
    if recipe.classes != len(classes):
        assert any(f"the publisher has {recipe.classes}" in note for note in found.notes)
    if recipe.layout == "assumed":
        assert found.notes[0].startswith("its layout is assumed")


def test_counts_that_differ_from_the_publishers_are_said(loaded):
    assert any(
        "10 items are there in all, the publisher has 693" in n for n in loaded["dogs"].notes
    )
    assert any("Weddell" in n for n in loaded["watkins"].notes)
    assert any("published tables were made with 49" in n for n in loaded["POW"].notes)


def test_rare_and_unnamed_species_of_humbugdb_are_joined(tmp_path):
    # With 100 recordings or fewer everything is rare, so only the rule is seen here.
    found = replica("humbugdb", tmp_path).load()
    assert {item.labels for item in found.items} == {("others",)}


def test_cbi_never_splits_a_recordist(loaded):
    sides: dict[str, set[str]] = {}
    for item in loaded["cbi"].items:
        sides.setdefault(item.source, set()).add(item.split)
    assert all(len(s) == 1 for s in sides.values())
    # random.seed(42); random.shuffle(list of 10); first 6, next 2, rest.
    assert {g for g, s in sides.items() if s == {"train"}} == {
        f"recordist {n}" for n in (7, 3, 2, 8, 5, 6)
    }


def test_esc50_sides_are_its_folds(loaded):
    sides = {item.fold: item.split for item in loaded["esc50"].items}
    assert sides == {1: "train", 2: "train", 3: "train", 4: "validation", 5: "test"}


def test_events_are_cut_at_the_ends_of_stretches(loaded):
    items = [i for i in loaded["enabirds"].items if i.path.parent.name == "Recording_1"]
    assert [(i.start_s, i.end_s) for i in items] == [(60.0 * n, 60.0 * (n + 1)) for n in range(5)]
    assert [i.split for i in items] == ["train", "train", "train", "validation", "test"]
    # The call at 57 s to 58 s lies whole in the first stretch; that at 61 s is 1 s into the next.
    assert items[0].events[-1].start_s == 57.0
    assert items[1].events[0].start_s == pytest.approx(1.0)
    assert {e.label for e in items[0].events} == {"EATO", "OTHR"}


def test_gibbons_use_every_third_minute_and_files_in_order(loaded):
    items = loaded["gibbons"].items
    assert all(item.start_s == 0.0 and item.end_s == 60.0 for item in items)
    assert [i.split for i in items] == ["train"] * 6 + ["validation"] * 3 + ["test"]


def test_dcase_takes_positives_only_and_leaves_two_species_out(loaded):
    events = [e for item in loaded["dcase"].items for e in item.events]
    assert Counter(e.label for e in events) == {"AMRE": 38, "BBWA": 37}


def test_rfcx_keeps_recordings_without_an_event(loaded):
    empty = [item for item in loaded["rfcx"].items if not item.events]
    assert len(empty) == 2


def test_a_song_note_counts_from_its_sequence(loaded):
    first = loaded["bengalese_finch"].items[0]
    assert first.start_s == pytest.approx((8000 + 100) / 32000)
    assert first.end_s == pytest.approx((8000 + 100 + 1200) / 32000)
    assert first.individual == "Bird0"


def test_birdset_keeps_segments_without_a_bird_and_joins_them_by_recording(loaded):
    test = loaded["HSN"].of("test")
    assert sum(not item.labels for item in test) == 4
    assert {item.recording for item in test} == {
        "HSN_000_20150708_061805",
        "HSN_001_20150708_061805",
    }
    train = [i for i in loaded["HSN"].items if i.split != "test"]
    assert next(i for i in train if i.path.stem == "XC10").labels == ("amerob",)


def test_a_missing_folder_says_where_to_get_it(tmp_path):
    with pytest.raises(FileError, match=r"dogs.*--download.*dog_barks.zip"):
        BenchmarkDataset(recipes_of("dogs")[0], tmp_path).load()
    with pytest.raises(FileError, match="kaggle competitions download -c birdsong-recognition"):
        BenchmarkDataset(recipes_of("cbi")[0], tmp_path).load()


def test_wrong_columns_are_named(tmp_path):
    data = replica("dogs", tmp_path)
    path = data.folder / "annotations.csv"
    path.write_text(path.read_text().replace("filename,name", "filename,dog"))
    with pytest.raises(FormatError, match=r"no column 'name'; its columns are filename, dog"):
        data.load()


def test_missing_audio_is_counted_and_named(tmp_path):
    data = replica("dogs", tmp_path)
    (data.folder / "audio" / "bark_Zoe_0.wav").unlink()
    found = data.load()
    assert len(found.items) == 9
    assert any("1 of 10 audio files" in n and "bark_Zoe_0.wav" in n for n in found.notes)
    for path in (data.folder / "audio").iterdir():
        path.unlink()
    with pytest.raises(FileError, match="none of its audio files is there"):
        data.load()


def test_a_row_that_marks_two_birds_is_an_error(tmp_path):
    data = replica("pipit", tmp_path)
    path = data.folder / "csv" / "pipit-acrossyear-fg-trn.csv"
    path.write_text(path.read_text().replace("212_0.wav,1,0", "212_0.wav,1,1"))
    with pytest.raises(FormatError, match="line 2 marks 2 classes"):
        data.load()


def test_a_path_that_leads_out_of_the_folder_is_refused(tmp_path):
    data = replica("watkins", tmp_path)
    path = data.folder / "annotations.csv"
    path.write_text(path.read_text().replace("Walrus/0.wav", "../../etc/passwd"))
    with pytest.raises(Exception, match="leads out of"):
        data.load()


def test_a_class_with_a_single_item_is_said(tmp_path):
    data = replica("zebra_finch", tmp_path)
    for path in sorted(data.folder.rglob("*-Wh-*.wav"))[1:]:
        path.unlink()
    assert any("single item" in n and "nest" in n for n in data.load().notes)


def test_an_unknown_suite_names_the_nearest():
    with pytest.raises(Exception, match="Did you mean 'beans'"):
        recipes_of("bean")

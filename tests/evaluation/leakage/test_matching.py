"""Copies are found among other clips, chance agreement is not."""

from __future__ import annotations

import csv

import numpy as np
import pytest
import soundfile

from antiphon.evaluation.leakage.fingerprints import HOP_S, Fingerprint, fingerprint
from antiphon.evaluation.leakage.matching import COPY_ERRORS, match_fingerprints
from tests.evaluation.leakage.test_fingerprints import RATE, clip
from tests.real import real_data

ALL = np.uint32(0xFFFFFFFF)


def codes(rng, n=300):
    """Codes as of a sound: neighbouring frames have most bits in common."""
    bits = rng.random((n, 32)) < 0.5
    for i in range(1, n):
        same = rng.random(32) < 0.8
        bits[i, same] = bits[i - 1, same]
    packed = (bits.astype(np.uint32) << np.arange(32, dtype=np.uint32)).sum(axis=1, dtype=np.uint32)
    return Fingerprint(packed, np.full(n, ALL))


def noisy(rng, one, share):
    flips = rng.random((len(one), 32)) < share
    mask = (flips.astype(np.uint32) << np.arange(32, dtype=np.uint32)).sum(1, dtype=np.uint32)
    return Fingerprint(one.bits ^ mask, one.valid)


def cut(one, begin, end):
    return Fingerprint(one.bits[begin:end], one.valid[begin:end])


def test_an_excerpt_is_found_where_it_lies():
    rng = np.random.default_rng(0)
    train = [codes(rng) for _ in range(5)]
    (found,) = match_fingerprints([cut(train[3], 100, 200)], train)
    assert (found.test, found.train, found.errors) == (0, 3, 0.0)
    assert found.offset_s == pytest.approx(100 * HOP_S)
    assert found.seconds == pytest.approx(100 * HOP_S)


@pytest.mark.parametrize("share", [0.1, 0.2])
def test_noisy_copies_are_found(share):
    rng = np.random.default_rng(1)
    train = [codes(rng) for _ in range(40)]
    test = [noisy(rng, train[i], share) for i in range(0, 40, 2)]
    found = match_fingerprints(test, train)
    assert {(m.test, m.train) for m in found} == {(i, 2 * i) for i in range(20)}
    assert np.mean([m.errors for m in found]) == pytest.approx(share, abs=0.02)


def test_a_shared_part_is_found():
    """Two clips share 1.6 s in the middle of other sound, at different places."""
    rng = np.random.default_rng(2)
    a, b = codes(rng), codes(rng)
    b.bits[150:250] = a.bits[40:140]
    (found,) = match_fingerprints([a], [b])
    assert found.errors < COPY_ERRORS
    assert found.offset_s == pytest.approx(110 * HOP_S)


def test_chance_is_not_a_match():
    rng = np.random.default_rng(3)
    train, test = ([codes(rng) for _ in range(150)] for _ in range(2))
    assert match_fingerprints(test, train) == []


def test_the_same_few_codes_are_not_enough():
    """A third of a second in common, or a single valid band, is no evidence."""
    rng = np.random.default_rng(4)
    a, b = codes(rng), codes(rng)
    b.bits[50:70] = a.bits[200:220]
    assert match_fingerprints([a], [b]) == []
    narrow = [Fingerprint(a.bits & np.uint32(3), np.full(300, 3, np.uint32)) for _ in range(2)]
    assert match_fingerprints(narrow[:1], narrow[1:]) == []


def test_silence_does_not_match_silence():
    silent = fingerprint(np.zeros(5 * RATE), RATE)
    assert match_fingerprints([silent], [silent]) == []


def test_a_copy_that_occurs_often():
    """More copies than places looked at for one key: the test clip is found all the same."""
    rng = np.random.default_rng(5)
    one = codes(rng)
    found = match_fingerprints([one], [one] * 200)
    assert len(found) >= 64
    assert {m.test for m in found} == {0}


def test_nothing_to_compare():
    one = codes(np.random.default_rng(6))
    assert match_fingerprints([], [one]) == []
    assert match_fingerprints([None, one], [None]) == []
    empty = cut(one, 0, 0)
    assert match_fingerprints([empty], [one, empty]) == []


def test_sound_that_was_cut_shifted_and_coded(tmp_path):
    originals = [clip(seed, 5.0) for seed in range(10)]
    train = [fingerprint(x, RATE) for x in originals]
    test = []
    for i, x in enumerate(originals):
        path = tmp_path / f"{i}.ogg"
        soundfile.write(path, 0.3 * x[int(0.777 * RATE) : int(3.3 * RATE)], RATE)
        test.append(fingerprint(*soundfile.read(path)))
    found = match_fingerprints(test, train)
    assert {(m.test, m.train) for m in found} == {(i, i) for i in range(10)}
    assert all(m.errors < COPY_ERRORS for m in found)
    assert [m.offset_s for m in found] == pytest.approx([0.777] * 10, abs=HOP_S)


@pytest.mark.real
def test_false_alarms_and_true_copies_in_esc10():
    """Of 79,000 pairs of clips with different sources, three are copies and only they are found.

    All three are copies by the waveform as well (correlation of half a second above 0.96): uploads
    28314 and 30322 of a fire, and 151080 and 151085 of a baby, which lie in different folds.
    """
    folder = real_data("esc10")
    with (folder / "labels.csv").open() as file:
        rows = list(csv.DictReader(file))
    prints = [fingerprint(*soundfile.read(folder / "audio" / row["filename"])) for row in rows]
    found = [m for m in match_fingerprints(prints, prints) if m.test < m.train]
    pairs = {tuple(sorted((rows[m.test]["source"], rows[m.train]["source"]))) for m in found}
    assert pairs == {("28314", "30322"), ("151080", "151085")}
    assert all(m.errors < COPY_ERRORS for m in found)


@pytest.mark.real
def test_stereotyped_song_is_no_copy():
    """Songs of one Bengalese finch resemble each other, but different ones are not copies."""
    folder = real_data("bengalese_finch") / "audio"
    prints = [fingerprint(*soundfile.read(path)) for path in sorted(folder.glob("*.flac"))]
    found = [m for m in match_fingerprints(prints, prints) if m.test < m.train]
    assert all(m.errors > COPY_ERRORS for m in found)

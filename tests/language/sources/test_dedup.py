"""The same sound under another name, encoding or rate is found; another sound is not."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile as sf

from antiphon.errors import UserError
from antiphon.language.schema import CorpusRow, batches, read_batches, to_rows, write_batches
from antiphon.language.sources.checks import check_audio
from antiphon.language.sources.dedup import MAX_ERROR, bit_error, find_duplicates
from antiphon.language.sources.findings import ALWAYS, Item
from antiphon.language.sources.fingerprint import RATE, Print, fingerprint, sound_print
from antiphon.language.sources.merging import merge_tables

SECONDS = 4.0


def chirps(seed: int, rate: int = 22_050) -> np.ndarray:
    """A few sweeps in soft noise."""
    rng = np.random.default_rng(seed)
    t = np.arange(int(SECONDS * rate)) / rate
    sound = 0.01 * rng.standard_normal(len(t))
    for start in rng.uniform(0, SECONDS - 0.6, 8):
        here = (t >= start) & (t < start + 0.5)
        low, span = rng.uniform(500, 4000), rng.uniform(-300, 2000)
        phase = 2 * np.pi * (low * (t[here] - start) + span * (t[here] - start) ** 2)
        sound[here] += 0.3 * np.sin(phase)
    return sound


def test_a_print_is_text_and_back():
    found = Print(0x80000001, np.array([0, 5, 0xFFFFFFFF], np.uint32))
    assert found.text() == "80000001" + "00000000" + "00000005" + "ffffffff"
    again = Print.read(found.text())
    assert (again.mask, again.words.tolist()) == (found.mask, found.words.tolist())


def test_bit_errors_worked_by_hand():
    words = np.array([1, 2, 3, 4, 5, 6], np.uint32)
    one = Print(0xFF, words)
    assert bit_error(one, Print(0xFF, words)) == 0.0
    # One bit of eight is wrong in each code; the bits above the mask do not count.
    assert bit_error(one, Print(0xFF, words ^ np.uint32(0xFF000080))) == 1 / 8
    # The copy begins two codes later.
    assert bit_error(one, Print(0xFF, words[2:])) == 0.0
    # Too few bands in common, or too few moments that sound.
    assert bit_error(one, Print(0x7F, words)) == 1.0
    assert bit_error(one, Print(0xFF, np.array([1, 2, 3, 0, 0, 0], np.uint32))) == 1.0


def test_bands_that_are_silent_are_no_bits():
    rng = np.random.default_rng(0)
    import soxr

    # Recorded at 2 kHz: nothing above 1 kHz.
    low = soxr.resample(rng.standard_normal(6000), 2000, RATE).astype(np.float32)
    full = rng.standard_normal(48_000).astype(np.float32)
    assert sound_print(full).mask == 0xFFFFFFFF
    assert 0 < bin(sound_print(low).mask).count("1") < 20


@pytest.mark.parametrize(
    ("suffix", "rate"), [(".flac", 22_050), (".mp3", 44_100), (".ogg", 22_050), (".wav", 32_000)]
)
def test_another_encoding_is_the_same_sound(tmp_path, suffix, rate):
    import soxr

    original = tmp_path / "a.wav"
    sf.write(original, chirps(1), 22_050)
    copy = tmp_path / f"copy{suffix}"
    sf.write(copy, 0.5 * soxr.resample(chirps(1), 22_050, rate), rate)
    one, other = fingerprint(original), fingerprint(copy)
    assert one is not None
    assert other is not None
    assert bit_error(Print.read(one), Print.read(other)) < MAX_ERROR


def test_other_sounds_differ_in_half_of_their_bits(tmp_path):
    prints = []
    for seed in range(3):
        sf.write(tmp_path / f"{seed}.wav", chirps(seed), 22_050)
        text = fingerprint(tmp_path / f"{seed}.wav")
        assert text is not None
        prints.append(Print.read(text))
    errors = [bit_error(a, b) for i, a in enumerate(prints) for b in prints[i + 1 :]]
    assert min(errors) > MAX_ERROR


def test_silence_and_blinks_have_no_fingerprint(tmp_path):
    sf.write(tmp_path / "silent.wav", np.zeros(32_000), 16_000)
    sf.write(tmp_path / "short.wav", chirps(1)[:4000], 22_050)
    assert fingerprint(tmp_path / "silent.wav") is None
    assert fingerprint(tmp_path / "short.wav") is None


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """Two sources: the second has one file of the first, one in another encoding, one its own."""
    files = {
        "one": {"a.wav": 1, "b.wav": 2},
        "two": {"same.wav": 1, "again.mp3": 2, "new.wav": 3, "span.wav": 1},
    }
    tmp_path = tmp_path_factory.mktemp("tables")
    paths = []
    for source, sounds in files.items():
        rows = []
        for name, seed in sounds.items():
            path = tmp_path / source / name
            path.parent.mkdir(exist_ok=True)
            sf.write(path, chirps(seed), 22_050)
            row = CorpusRow(
                id=f"{source}:{name}",
                source=source,
                audio_path=str(path),
                licence="CC0-1.0",
                **({"start_s": 1.0, "end_s": 3.0, "duration_s": 2.0} if name == "span.wav" else {}),  # type: ignore[arg-type]
            )
            checked = check_audio(Item(row), fingerprints=True).row
            assert checked is not None
            rows.append(checked)
        out = tmp_path / f"{source}.parquet"
        write_batches(out, batches(rows, size=1))
        paths.append(out)
    return paths


def test_duplicates_within_and_across_sources(tables):
    found = find_duplicates(tables)
    assert [(one.id, one.kept, one.how, one.number) for one in found] == [
        ("two:same.wav", "one:a.wav", "bytes", 2),
        ("two:again.mp3", "one:b.wav", "sound", 3),
    ]
    assert found[0].error == 0.0
    assert 0.0 <= found[1].error < MAX_ERROR
    # The table that comes first keeps its rows.
    assert {one.kept for one in find_duplicates(tables[::-1])} == {"two:same.wav", "two:again.mp3"}


def test_tables_are_joined_without_duplicates(tables, tmp_path):
    out = tmp_path / "all.parquet"
    merged = merge_tables(tables, out, reasons=ALWAYS)
    kept = [row.id for batch in read_batches(out) for row in to_rows(batch)]
    assert kept == ["one:a.wav", "one:b.wav", "two:new.wav", "two:span.wav"]
    assert merged.report.sounds == 6
    assert merged.report.rejected == {"same_audio": 2}
    whole = merge_tables(tables, out, reasons=ALWAYS, deduplicate=False)
    assert whole.report.rows == 6
    with pytest.raises(UserError, match="new file"):
        merge_tables(tables, tables[0], reasons=ALWAYS)
    with pytest.raises(UserError, match="once"):
        merge_tables([tables[0], tables[0]], out, reasons=ALWAYS)

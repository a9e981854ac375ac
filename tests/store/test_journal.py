"""Write-ahead files: torn and damaged records are recognised, whatever byte they end at."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.errors import StoreError
from antiphon.store import journal
from antiphon.store.dataset import table_schema
from antiphon.store.journal import WriteAhead, owners, read_segments, segments
from tests.store.making import truth

KEY = "0f" * 32
DIM = 4
SCHEMA = table_schema(DIM, "float16")


def batch(recording_id: int) -> pa.RecordBatch:
    vectors = truth(recording_id, DIM).astype(np.float16)
    n = len(vectors)
    return pa.RecordBatch.from_arrays(
        [
            pa.array(np.full(n, recording_id)),
            pa.array(np.full(n, -1, np.int16)),
            pa.array(3.0 * np.arange(n)),
            pa.array(3.0 * np.arange(n) + 3.0),
            pa.FixedSizeListArray.from_arrays(pa.array(vectors.reshape(-1)), DIM),
        ],
        schema=SCHEMA,
    )


def fill(folder: Path, ids: Sequence[int]) -> dict[int, int]:
    """Write recordings and return the size of the file after each finish."""
    wal = WriteAhead(folder, "me", KEY)
    ends = {}
    for i in ids:
        wal.append(i, batch(i))
        wal.append(i, batch(i))
        wal.finish(i)
        ends[i] = segments(folder, "me")[0].stat().st_size
    wal.close()
    return ends


def read_rows(folder: Path) -> dict[int, np.ndarray]:
    pending, _ = read_segments(segments(folder, "me"), KEY)
    return {
        i: np.concatenate(
            [
                np.stack(part.read(SCHEMA).column("vector").to_numpy(zero_copy_only=False))
                for part in item.parts
            ]
        )
        for i, item in pending.finished.items()
    }


def check_rows(found: dict[int, np.ndarray]) -> None:
    for i, rows in found.items():
        np.testing.assert_array_equal(rows, np.concatenate([truth(i, DIM)] * 2))


def test_round_trip(tmp_path: Path) -> None:
    fill(tmp_path, [1, 2, 3])
    found = read_rows(tmp_path)
    assert set(found) == {1, 2, 3}
    check_rows(found)
    assert owners(tmp_path) == {"me"}


def test_torn_at_every_byte(tmp_path: Path) -> None:
    ends = fill(tmp_path, [5, 10])
    (path,) = segments(tmp_path, "me")
    whole = path.read_bytes()
    for size in range(len(whole) + 1):
        path.write_bytes(whole[:size])
        pending, lost = read_segments([path], KEY)
        assert set(pending.finished) == {i for i, end in ends.items() if end <= size}
        assert lost <= size
        if size in (*ends.values(), 0):
            assert lost == 0


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_damage_never_gives_wrong_rows(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("wal")
    fill(folder, [1, 2, 3])
    (path,) = segments(folder, "me")
    damaged = bytearray(path.read_bytes())
    places = st.integers(16 + 32, len(damaged) - 1)
    for position in data.draw(st.sets(places, min_size=1, max_size=3)):
        damaged[position] ^= data.draw(st.integers(1, 255))
    path.write_bytes(damaged)
    found = read_rows(folder)
    assert set(found) < {1, 2, 3}
    check_rows(found)


def test_zeros_after_a_power_cut(tmp_path: Path) -> None:
    """A file system may give a torn file its full length, filled with zeros."""
    ends = fill(tmp_path, [1, 2])
    (path,) = segments(tmp_path, "me")
    whole = path.read_bytes()
    path.write_bytes(whole[: ends[1]] + bytes(len(whole) - ends[1]))
    assert set(read_rows(tmp_path)) == {1}


def test_parts_without_finish_are_dropped(tmp_path: Path) -> None:
    wal = WriteAhead(tmp_path, "me", KEY)
    wal.append(1, batch(1))
    wal.append(2, batch(2))
    wal.finish(2)
    wal.close()
    assert set(read_rows(tmp_path)) == {2}


def test_a_failed_attempt_leaves_nothing(tmp_path: Path) -> None:
    wal = WriteAhead(tmp_path, "me", KEY)
    wal.append(1, batch(1))
    wal.drop(1)
    wal.append(1, batch(1))
    wal.append(1, batch(1))
    wal.finish(1)
    wal.close()
    found = read_rows(tmp_path)
    check_rows(found)
    assert set(found) == {1}


def test_interleaved_recordings(tmp_path: Path) -> None:
    wal = WriteAhead(tmp_path, "me", KEY)
    wal.append(1, batch(1))
    wal.append(2, batch(2))
    wal.append(1, batch(1))
    wal.append(2, batch(2))
    wal.finish(2)
    # What is committed goes; what is open stays readable, across segments.
    wal.forget([2])
    wal.finish(1)
    assert set(wal.pending.finished) == {1}
    wal.close()
    found = read_rows(tmp_path)
    assert 1 in found
    check_rows(found)


def test_forget_deletes_what_nobody_needs(tmp_path: Path) -> None:
    wal = WriteAhead(tmp_path, "me", KEY)
    wal.append(1, batch(1))
    wal.finish(1)
    wal.forget([1])
    assert segments(tmp_path, "me") == []
    wal.append(2, batch(2))
    wal.finish(2)
    wal.close()
    assert len(segments(tmp_path, "me")) == 1


@pytest.mark.parametrize("written", [0, 1, 30, 200])
def test_full_disk_leaves_the_file_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: int
) -> None:
    wal = WriteAhead(tmp_path, "me", KEY)
    wal.append(1, batch(1))
    wal.append(1, batch(1))
    wal.finish(1)

    def full(handle: int, buffers: Sequence[bytes | memoryview]) -> None:
        os.write(handle, b"".join(bytes(b) for b in buffers)[:written])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(journal, "write_all", full)
        with pytest.raises(OSError, match="No space"):
            wal.append(2, batch(2))
    wal.append(2, batch(2))
    wal.append(2, batch(2))
    wal.finish(2)
    wal.close()
    found = read_rows(tmp_path)
    assert set(found) == {1, 2}
    check_rows(found)


def test_short_writes_are_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write
    monkeypatch.setattr(journal.os, "write", lambda handle, data: real(handle, data[:7]))
    fill(tmp_path, [1])
    check_rows(read_rows(tmp_path))


def test_segment_of_another_table_is_refused(tmp_path: Path) -> None:
    fill(tmp_path, [1])
    with pytest.raises(StoreError, match="another table"):
        read_segments(segments(tmp_path, "me"), "aa" * 32)


def test_segment_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    fill(tmp_path, [1])
    (path,) = segments(tmp_path, "me")
    data = bytearray(path.read_bytes())
    data[15] += 1
    path.write_bytes(data)
    with pytest.raises(StoreError, match="newer"):
        read_segments([path], KEY)
    assert path.exists()


def test_segment_that_vanishes_meanwhile(tmp_path: Path) -> None:
    pending, lost = read_segments([tmp_path / "gone.000001.wal"], KEY)
    assert not pending.finished
    assert lost == 0


def test_interrupt_between_write_and_bookkeeping(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wal = WriteAhead(tmp_path, "me", KEY)
    wal.append(1, batch(1))
    real = journal.write_all

    def interrupted(handle: int, buffers: Sequence[bytes | memoryview]) -> None:
        real(handle, buffers)
        raise KeyboardInterrupt

    cut = WriteAhead._cut
    with monkeypatch.context() as patch:
        patch.setattr(journal, "write_all", interrupted)
        # Not even the clean-up after the interrupt is reached.
        patch.setattr(WriteAhead, "_cut", lambda self: None)
        with pytest.raises(KeyboardInterrupt):
            wal.append(9, batch(9))
    assert WriteAhead._cut is cut
    wal.append(1, batch(1))
    wal.finish(1)
    wal.close()
    found = read_rows(tmp_path)
    assert set(found) == {1}
    check_rows(found)


def test_damage_before_the_commit_is_noticed(tmp_path: Path) -> None:
    wal = WriteAhead(tmp_path, "me", KEY)
    wal.append(1, batch(1))
    wal.finish(1)
    (path,) = segments(tmp_path, "me")
    data = bytearray(path.read_bytes())
    part = wal.pending.finished[1].parts[0]
    data[part.offset + part.length // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(StoreError, match="damaged since it was written"):
        part.read(SCHEMA)
    wal.close()

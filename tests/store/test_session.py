"""Sessions of embedding: claims, commits, recovery, failures, full disks."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lance
import numpy as np
import pytest

from antiphon.errors import StoreError
from antiphon.store import dataset, journal
from antiphon.store.journal import WriteAhead
from antiphon.store.project import ProjectFolder
from tests.store.making import (
    DIM,
    check_complete,
    die,
    embed,
    ids_of,
    make_project,
    make_table,
    truth,
    windows_of,
    write,
)


@pytest.fixture
def folder(url: str | None, tmp_path: Path) -> Iterator[ProjectFolder]:
    made = make_project(tmp_path, url=url)
    yield made
    made.close()


def test_embeds_everything_once(folder: ProjectFolder) -> None:
    table = make_table(folder)
    ids = ids_of(folder)
    embed(table, ids)
    check_complete(table, ids)
    with table.session() as session:
        assert session.done() == set(ids)
        assert session.claim(ids, 5) == []


def test_claims_are_the_first_that_are_free(folder: ProjectFolder) -> None:
    table = make_table(folder)
    ids = ids_of(folder)
    embed(table, ids[:2])
    with table.session() as one, table.session() as two:
        assert one.claim(ids, 3) == ids[2:5]
        assert two.claim(ids, 3) == ids[5:8]
        one.release()
        assert two.claim(ids, 10) == [*ids[2:5], *ids[8:]]
        assert one.claim(ids, 10) == []


def test_what_another_session_commits_is_not_claimed(folder: ProjectFolder) -> None:
    table = make_table(folder)
    other = make_table(folder)
    ids = ids_of(folder)
    with table.session() as one:
        assert one.claim(ids, 1) == ids[:1]
        with other.session() as two:
            for i in two.claim(ids, 4):
                write(two, i)
        assert one.claim(ids, 2) == ids[5:7]


def test_commit_between_the_look_and_the_claim(
    folder: ProjectFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other worker commits after we read what is done and before our claim is made."""
    table = make_table(folder)
    ids = ids_of(folder)
    with table.session() as one:
        stale = one.done()
        embed(make_table(folder), ids[:3])
        real = table.done
        answers = iter([stale])
        monkeypatch.setattr(table, "done", lambda: next(answers, None) or real())
        assert one.claim(ids, 4) == ids[3:7]
        held = {*ids[3:7]}
        for i in held:
            write(one, i)
    check_complete(table, ids[:7])


def test_threads_share_a_table(folder: ProjectFolder) -> None:
    ids = ids_of(folder)
    make_table(folder)
    errors: list[BaseException] = []

    def work() -> None:
        try:
            embed(make_table(folder), ids)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    check_complete(make_table(folder), ids)


def test_dead_worker_is_taken_over(folder: ProjectFolder) -> None:
    table = make_table(folder)
    ids = ids_of(folder)
    session = table.session().__enter__()
    mine = session.claim(ids, 4)
    for i in mine[:3]:
        write(session, i)
    session.append(mine[3], [-1], [0.0], [3.0], truth(mine[3])[:1])
    die(session)
    assert table.recover() == mine[:3]
    check_complete(table, mine[:3])
    assert table.recover() == []
    # The recording in flight is free again.
    embed(table, ids)
    check_complete(table, ids)


def test_opening_a_table_shows_what_a_dead_worker_finished(folder: ProjectFolder) -> None:
    table = make_table(folder)
    session = table.session().__enter__()
    (first,) = session.claim(ids_of(folder), 1)
    write(session, first)
    die(session)
    check_complete(folder.table("toy"), [first])


def test_living_worker_is_left_alone(folder: ProjectFolder) -> None:
    table = make_table(folder)
    with table.session() as session:
        (first,) = session.claim(ids_of(folder), 1)
        write(session, first)
        assert make_table(folder).recover() == []
        assert session.done() == {first}
    check_complete(table, [first])


def test_death_between_commit_and_removal_doubles_nothing(
    folder: ProjectFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = make_table(folder)
    ids = ids_of(folder)
    session = table.session().__enter__()
    for i in session.claim(ids, 3):
        write(session, i)

    def crash(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(WriteAhead, "forget", crash)
        with pytest.raises(KeyboardInterrupt):
            session.flush()
    die(session)
    assert table.recover() == []
    check_complete(table, ids[:3])


def test_claims_without_files_are_freed(folder: ProjectFolder) -> None:
    table = make_table(folder)
    ids = ids_of(folder)
    session = table.session().__enter__()
    session.claim(ids, 4)
    die(session)
    for path in table.wal_dir.glob(f"{session.owner}*"):
        path.unlink()
    embed(table, ids)
    check_complete(table, ids)


def test_long_recording_in_many_parts(folder: ProjectFolder) -> None:
    folder.config.vectors.flush_windows = 4
    table = make_table(folder)
    ids = ids_of(folder)
    rng = np.random.default_rng(0)
    long = rng.standard_normal((1000, DIM)).astype(np.float16).astype(np.float32)
    with table.session() as session:
        mine = session.claim(ids, 3)
        session.begin(mine[0])
        for begin in range(0, 1000, 10):
            start = 3.0 * np.arange(begin, begin + 10)
            session.append(mine[0], np.full(10, -1), start, start + 3.0, long[begin : begin + 10])
            if begin == 500:
                # Others finish and are committed while the long one is open.
                write(session, mine[1])
                session.flush()
        write(session, mine[2])
        assert session.finish(mine[0]) == 1000
    table.windows()
    rows = np.flatnonzero(table.windows().column("recording_id").to_numpy() == mine[0])
    np.testing.assert_array_equal(table.vectors(rows), long)


def test_failures_are_kept_and_retried_on_request(folder: ProjectFolder) -> None:
    table = make_table(folder)
    ids = ids_of(folder)
    for attempt in (1, 2):
        with table.session(retry_failed=True) as session:
            (first,) = session.claim(ids, 1)
            session.append(first, [-1], [0.0], [3.0], truth(first)[:1])
            session.fail(first, "cannot be decoded at 3 s")
            # Not again in the same run.
            assert first not in session.claim(ids, 1)
        failure = folder.catalogue.failures(table.id)[first]
        assert failure.attempts == attempt
        assert failure.reason == "cannot be decoded at 3 s"
    with table.session() as session:
        assert first not in session.claim(ids, 100)
    with table.session(retry_failed=True) as session:
        (again,) = session.claim(ids, 1)
        assert again == first
        write(session, again)
    assert folder.catalogue.failures(table.id) == {}
    check_complete(table, [first])


def test_retry_replaces_the_parts_of_the_first_attempt(folder: ProjectFolder) -> None:
    table = make_table(folder)
    with table.session() as session:
        (first,) = session.claim(ids_of(folder), 1)
        session.begin(first)
        session.append(first, [-1], [99.0], [102.0], np.ones((1, DIM)))
        write(session, first, parts=2)
    check_complete(table, [first])


def test_bad_windows_are_refused(folder: ProjectFolder) -> None:
    table = make_table(folder)
    one = np.ones((1, DIM))
    with table.session() as session:
        (first,) = session.claim(ids_of(folder), 1)
        with pytest.raises(ValueError, match="no windows"):
            session.finish(first)
        with pytest.raises(ValueError, match="shape"):
            session.append(first, [-1], [0.0], [3.0], np.ones((1, DIM + 1)))
        with pytest.raises(ValueError, match="equally long"):
            session.append(first, [-1, -1], [0.0], [3.0], one)
        with pytest.raises(ValueError, match="not finite"):
            session.append(first, [-1], [0.0], [3.0], one * np.nan)
        with pytest.raises(ValueError, match=r"float16 cannot.*float32"):
            session.append(first, [-1], [0.0], [3.0], one * 1e6)
        with pytest.raises(ValueError, match="finite"):
            session.append(first, [-1], [np.nan], [3.0], one)
        write(session, first)
    check_complete(table, [first])


def test_error_in_the_run_keeps_what_was_finished(folder: ProjectFolder) -> None:
    table = make_table(folder)
    ids = ids_of(folder)

    def interrupted() -> None:
        with table.session() as session:
            mine = session.claim(ids, 3)
            write(session, mine[0])
            session.append(mine[1], [-1], [0.0], [3.0], truth(mine[1])[:1])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    check_complete(table, ids[:1])
    embed(table, ids)
    check_complete(table, ids)


def no_space(*_: Any, **__: Any) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_full_disk_at_an_append(folder: ProjectFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    table = make_table(folder)
    ids = ids_of(folder)
    with table.session() as session:
        mine = session.claim(ids, 2)
        write(session, mine[0])
        with monkeypatch.context() as patch:
            patch.setattr(journal, "write_all", no_space)
            with pytest.raises(StoreError, match=r"disk is full.*free some space") as caught:
                write(session, mine[1])
        assert str(table.wal_dir) in str(caught.value)
        write(session, mine[1])
    check_complete(table, mine)


def test_full_disk_at_a_commit(folder: ProjectFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    table = make_table(folder)
    ids = ids_of(folder)

    def full(*_: Any, **__: Any) -> None:
        raise OSError("LanceError(IO): No space left on device (os error 28), at src/x.rs:1")

    with monkeypatch.context() as patch:
        patch.setattr(dataset.lance, "write_dataset", full)
        with pytest.raises(StoreError, match="disk is full"):
            embed(table, ids[:3])
    assert table.count() == 0
    # The next run takes over what was finished, then goes on.
    assert table.recover() == ids[:3]
    embed(table, ids)
    check_complete(table, ids)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="mounting needs root")
def test_disk_that_is_really_full(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if os.system(f"mount -t tmpfs -o size=6m tmpfs {disk} 2>/dev/null") != 0:
        pytest.skip("a small file system cannot be mounted here")
    try:
        dim = 512
        folder = make_project(disk, 3000)
        folder.config.vectors.flush_windows = 200
        table = make_table(folder, dim=dim)
        ids = ids_of(folder)
        ballast = disk / "ballast"
        ballast.write_bytes(bytes(2_000_000))
        finished = []

        def fill() -> None:
            with table.session() as session:
                while mine := session.claim(ids, 4):
                    for i in mine:
                        write(session, i, dim)
                        finished.append(i)

        with pytest.raises(StoreError, match="disk is full"):
            fill()
        assert 0 < len(finished) < len(ids)
        # Even full, the project can be read.
        assert table.count() == sum(windows_of(i) for i in table.done())
        ballast.unlink()
        some = ids[: len(finished) + 50]
        with table.session() as session:
            assert set(finished) <= session.done()
            while mine := session.claim(some, 4):
                assert not set(mine) & set(finished)
                for i in mine:
                    write(session, i, dim)
        check_complete(table, some)
        folder.close()
    finally:
        os.system(f"umount -l {disk}")


def test_failed_commit_leaves_no_data_files(
    folder: ProjectFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = make_table(folder)
    real = lance.write_dataset

    def full(*arguments: Any, **options: Any) -> None:
        (table.path / "data").mkdir(exist_ok=True)
        (table.path / "data" / "torn.lance").write_bytes(b"torn")
        no_space()

    with table.session() as session:
        (first,) = session.claim(ids_of(folder), 1)
        write(session, first)
        with monkeypatch.context() as patch:
            patch.setattr(dataset.lance, "write_dataset", full)
            with pytest.raises(StoreError, match="disk is full"):
                session.flush()
        assert list((table.path / "data").iterdir()) == []
        assert dataset.lance.write_dataset is real
    check_complete(table, [first])

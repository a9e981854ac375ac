"""A catalogue in PostgreSQL: moving it there, and what its server may do meanwhile."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError

from antiphon.errors import StoreError, UserError
from antiphon.store import answers, database, moving, queues
from antiphon.store.accounts import Accounts
from antiphon.store.catalogue import Catalogue
from antiphon.store.database import Database
from antiphon.store.project import ProjectFolder
from antiphon.store.schema import SCHEMA_VERSION, Base
from tests.store.databases import fresh, needs_postgresql, run
from tests.store.making import (
    check_complete,
    embed,
    entry,
    ids_of,
    make_project,
    make_table,
)
from tests.store.test_catalogue import said

pytestmark = needs_postgresql


@pytest.fixture
def server() -> Iterator[str]:
    with fresh() as url:
        yield url


def cut_off(url: str) -> None:
    """End all connections to a database, as a restart of its server does."""
    name = make_url(url).database
    run(
        make_url(url).set(database="postgres").render_as_string(hide_password=False),
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'",
    )


def delete_and_lose_the_server(catalogue: Catalogue, url: str) -> None:
    with catalogue.database.write() as connection:
        connection.execute(text("DELETE FROM answers"))
        cut_off(url)
        connection.execute(text("DELETE FROM recordings"))


def add_answer(catalogue: Catalogue, key: str) -> int:
    with catalogue.database.write() as connection:
        return answers.add(
            connection,
            recording_id=1,
            start_s=0.0,
            end_s=3.0,
            channel=-1,
            annotator="kim",
            kind="answer",
            said={"present": ["öwl"]},
            replaces=None,
            item_id=None,
            seconds=None,
            suggested=None,
            key=key,
        ).id


def everything(catalogue: Catalogue) -> dict[str, list[tuple[object, ...]]]:
    with catalogue.database.read() as connection:
        return {
            table.name: sorted(map(tuple, connection.execute(table.select())), key=repr)
            for table in Base.metadata.sorted_tables
        }


def full(tmp_path: Path) -> ProjectFolder:
    """A project with something in most tables, and with ids that are gone."""
    folder = make_project(tmp_path)
    embed(make_table(folder), ids_of(folder))
    catalogue = folder.catalogue
    catalogue.add_annotations(said({"label": "öwl"}, {"presence": "absent", "scope": ["b", "a"]}))
    catalogue.add_event("quality", {"ap": 0.5})
    catalogue.add_detector(name="d", file="f", table_id=1, labels_spent=2)
    Accounts(catalogue.database).add_user("kim", "hash", "manager")
    add_answer(catalogue, "one")
    with catalogue.database.write() as connection:
        window = {"recording_id": 1, "start_s": 0.0, "end_s": 3.0, "channel": -1}
        facts = {"kind": "chosen", "parameters": {}, "table_id": None, "owner": None}
        queues.add_queue(connection, [window] * 3, name="q", **facts)
        connection.execute(text("DELETE FROM queue_items WHERE id = 3"))
    return folder


def test_a_catalogue_is_moved_whole(tmp_path: Path, server: str) -> None:
    folder = full(tmp_path)
    before = everything(folder.catalogue)
    beside = ProjectFolder.open(folder.root)
    assert beside.catalogue.label_names() == ["a", "b", "öwl"]
    copied = moving.move(folder, server)
    assert copied["recordings"] == 10
    assert everything(folder.catalogue) == before
    # Everything that points to recordings by number still does, and numbers go on from there.
    again = ProjectFolder.open(folder.root)
    check_complete(again.table("toy"), ids_of(again))
    assert again.catalogue.sync_recordings([entry(99)], roots=["other"]).added == [11]
    with again.catalogue.database.write() as connection:
        queues.add_items(
            connection, 1, [{"recording_id": 1, "start_s": 3.0, "end_s": 6.0, "channel": -1}]
        )
        assert [item.id for item in queues.items(connection, 1)] == [1, 2, 4]
    assert add_answer(again.catalogue, "two") == 2
    # A program that had it open is not told that something is kept where nobody looks any more.
    assert beside.catalogue.label_names() == ["a", "b", "öwl"]
    with pytest.raises(StoreError, match="takes no more changes"):
        add_answer(beside.catalogue, "three")
    for each in (folder, beside, again):
        each.close()


def test_a_move_that_fails_changes_nothing(
    tmp_path: Path, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = full(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(moving, "_close", lambda *_: (_ for _ in ()).throw(RuntimeError("killed")))
        with pytest.raises(RuntimeError, match="killed"):
            moving.move(folder, server)
    assert add_answer(folder.catalogue, "two") == 2
    # What arrived there is older than what is here now.
    with pytest.raises(StoreError, match="there is a catalogue in this database already"):
        moving.move(folder, server)
    assert ProjectFolder.open(folder.root).config.catalogue.url is None
    folder.close()


def test_a_move_that_was_killed_at_its_end_goes_on(
    tmp_path: Path, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = full(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(ProjectFolder, "save_config", lambda _: None)
        moving.move(folder, server)
    folder = ProjectFolder.open(folder.root)
    with pytest.raises(StoreError, match="takes no more changes"):
        add_answer(folder.catalogue, "two")
    assert moving.move(folder, server) == {}
    assert add_answer(ProjectFolder.open(folder.root).catalogue, "two") == 2
    folder.close()


def test_labels_in_the_file_are_not_passed_over(tmp_path: Path, server: str) -> None:
    folder = full(tmp_path)
    folder.close()
    folder.config.catalogue.url = server
    with pytest.raises(StoreError, match=r"antiphon catalogue .* --move-to URL"):
        folder.catalogue  # noqa: B018
    with pytest.raises(StoreError, match="already"):
        moving.move(folder, server)


def test_the_usual_spellings_of_the_url(server: str) -> None:
    for name in ("postgres", "postgresql"):
        url = make_url(server).set(drivername=name).render_as_string(hide_password=False)
        assert Catalogue.open(Path("none.db"), url).label_names() == []


def test_two_projects_in_schemas_of_one_database(server: str) -> None:
    for name in ("north", "south"):
        run(server, f"CREATE SCHEMA {name}")
        url = make_url(server).update_query_dict({"options": f"-csearch_path={name}"})
        catalogue = Catalogue.open(Path("none.db"), url.render_as_string(hide_password=False))
        catalogue.set_label(name)
        assert catalogue.label_names() == [name]
        catalogue.close()


def test_an_older_schema_is_upgraded(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Catalogue.open(tmp_path / "none.db", server).sync_recordings([entry(1)])
    (tmp_path / "9000_next.py").write_text(
        "import sqlalchemy as sa\n"
        "from alembic import op\n"
        f"revision = '9000'\ndown_revision = {SCHEMA_VERSION!r}\n"
        "def upgrade():\n"
        "    op.add_column('recordings', sa.Column('habitat', sa.String()))\n"
    )
    monkeypatch.setattr(database, "SCHEMA_VERSION", "9000")
    monkeypatch.setattr(database, "_VERSION_FOLDERS", [*database._VERSION_FOLDERS, tmp_path])
    catalogue = Catalogue.open(tmp_path / "none.db", server)
    with catalogue.database.read() as connection:
        assert connection.execute(text("SELECT id, habitat FROM recordings")).all() == [(1, None)]


def test_a_restart_of_the_server_is_survived(server: str) -> None:
    catalogue = Catalogue.open(Path("none.db"), server)
    catalogue.sync_recordings([entry(1)])
    add_answer(catalogue, "one")
    cut_off(server)
    assert catalogue.recordings().num_rows == 1
    cut_off(server)
    assert add_answer(catalogue, "two") == 2
    # Cut off in the middle, nothing is kept by halves.
    with pytest.raises(StoreError, match="cannot be reached"):
        delete_and_lose_the_server(catalogue, server)
    with catalogue.database.read() as connection:
        assert [row.key for row in answers.page(connection)] == ["two", "one"]


def test_a_reader_sees_one_state(server: str) -> None:
    catalogue = Catalogue.open(Path("none.db"), server)
    catalogue.sync_recordings([entry(1)])
    count = text("SELECT count(*) FROM answers")
    with catalogue.database.read() as connection:
        assert connection.execute(count).scalar() == 0
        thread = threading.Thread(target=add_answer, args=(catalogue, "one"))
        thread.start()
        thread.join()
        assert connection.execute(count).scalar() == 0
    with catalogue.database.read() as connection:
        assert connection.execute(count).scalar() == 1


def test_what_json_has_no_word_for(server: str) -> None:
    catalogue = Catalogue.open(Path("none.db"), server)
    catalogue.add_event("quality", {"ap": math.nan, "all": [1.5, math.inf], "name": "NaN"})
    (event,) = catalogue.events("quality")
    assert event.data == {"ap": None, "all": [1.5, None], "name": "NaN"}
    with pytest.raises(UserError, match="the character NUL"):
        catalogue.set_label("a\0b")


def test_names_are_sorted_as_in_a_file(server: str) -> None:
    try:
        run(server, "CREATE COLLATION words (provider = icu, locale = 'en')")
    except DBAPIError:
        pytest.skip("this server has no ICU")
    catalogue = Catalogue.open(Path("none.db"), server)
    run(server, "ALTER TABLE labels ALTER COLUMN name TYPE varchar COLLATE words")
    catalogue.sync_recordings([entry(1)])
    catalogue.add_annotations(said({"presence": "absent", "scope": ["Zebra", "ant", "Bee"]}))
    assert catalogue.label_names() == ["Bee", "Zebra", "ant"]
    assert [label.name for label in catalogue.labels()] == ["Bee", "Zebra", "ant"]
    assert catalogue.annotations().column("scope").to_pylist() == [["Bee", "Zebra", "ant"]]


@pytest.mark.parametrize(
    "change",
    [{"port": 1}, {"database": "no such database"}, {"host": "no-such-host.invalid"}],
)
def test_a_server_that_cannot_be_reached(server: str, change: dict[str, object]) -> None:
    url = make_url(server).set(**change, password="secret")  # type: ignore[arg-type]
    if "host" in change:
        url = url.difference_update_query(["host"])
    with pytest.raises(StoreError, match="cannot be reached") as caught:
        Catalogue.open(Path("none.db"), url.render_as_string(hide_password=False))
    assert "secret" not in str(caught.value)
    assert "secret" not in database.name_of("postgresql://host/owls?password=secret")


def test_a_user_who_may_not_make_tables(server: str) -> None:
    role = make_url(server).database
    run(server, f"CREATE ROLE \"{role}\" LOGIN PASSWORD 'secret'")
    try:
        run(server, "REVOKE CREATE ON SCHEMA public FROM PUBLIC")
        url = make_url(server).set(username=role, password="secret")
        with pytest.raises(StoreError, match="ALTER DATABASE"):
            Catalogue.open(Path("none.db"), url.render_as_string(hide_password=False))
    finally:
        run(server, f'DROP ROLE "{role}"')


def test_a_database_of_something_else(server: str) -> None:
    run(server, "CREATE TABLE shopping (item text)")
    with pytest.raises(StoreError, match="not an Antiphon catalogue"):
        Catalogue.open(Path("none.db"), server)


def test_settings_of_every_transaction(server: str) -> None:
    made = Database(server, "x", 2.0)
    with made.write() as connection:
        assert connection.execute(text("SHOW lock_timeout")).scalar() == "2s"
        assert connection.execute(text("SHOW transaction_isolation")).scalar() == "read committed"
    with made.read() as connection:
        assert connection.execute(text("SHOW transaction_isolation")).scalar() == "repeatable read"
    made.close()

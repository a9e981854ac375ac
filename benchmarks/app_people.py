"""Annotators made of threads, and a look at the database for what they were promised."""

from __future__ import annotations

import json
import random
import shutil
import threading
import time
import uuid
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import Connection, RowMapping, create_engine, text

LABELS = tuple(f"kind {k}" for k in range(10))
UNDONE = 0.05
SHARED = 0.75
_RETRY_S = 0.25
_PLACE = ("recording", "channel", "start_s", "end_s")


@dataclass
class Notes:
    """What one annotator sent and was told.

    Parameters
    ----------
    sent
        Every answer and undo, by key, before it is sent.
    kept
        Keys that the server acknowledged, with the id it gave.
    next_ms, answer_ms
        Milliseconds of each request that was answered.
    errors
        Refusals, by status and sentence; ``retries`` are requests that got no reply.
    """

    sent: dict[str, dict[str, Any]] = field(default_factory=dict)
    kept: dict[str, int] = field(default_factory=dict)
    next_ms: list[float] = field(default_factory=list)
    answer_ms: list[float] = field(default_factory=list)
    undos: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    retries: int = 0


class Annotator(threading.Thread):
    """Somebody who asks for a window, thinks, answers and sometimes takes it back.

    Parameters
    ----------
    think_s
        Seconds between a window and its answer.
    """

    def __init__(
        self, url: str, name: str, password: str, shared: int, own: int, think_s: float, seed: int
    ) -> None:
        super().__init__(name=name, daemon=True)
        self.client = httpx.Client(base_url=f"{url}/api", timeout=60.0)
        self.password = password
        self.queues = {"shared": shared, "own": own}
        self.think_s = think_s
        self.chance = random.Random(seed)
        self.notes = Notes()
        self.over = threading.Event()

    def log_in(self) -> None:
        given = {"name": self.name, "password": self.password}
        answer = self.client.post("/login", json=given).raise_for_status()
        self.client.headers["X-Antiphon-Token"] = answer.json()["token"]

    def run(self) -> None:
        while not self.over.is_set() and self.queues:
            which = "shared" if self.chance.random() < SHARED else "own"
            queue = self.queues.get(which)
            if queue is None:
                continue
            given = self.post(f"/queues/{queue}/next", {"n": 1}, self.notes.next_ms)
            if given is None:
                continue
            if not given["items"]:
                del self.queues[which]
                continue
            item = given["items"][0]
            if self.over.wait(self.think_s):
                return
            self.answer(item)

    def answer(self, item: dict[str, Any]) -> None:
        said = set(self.chance.sample(LABELS, self.chance.randint(0, 2)))
        complete = not said or self.chance.random() < 0.8
        absent = [] if complete else [next(name for name in LABELS if name not in said)]
        body = {
            "window": {name: item["window"][name] for name in _PLACE},
            "present": sorted(said),
            "absent": absent,
            "complete": complete,
            "key": uuid.uuid4().hex,
            "seen": item["seen"],
            "item": item["item"],
            "seconds": self.think_s,
            "suggested": [{"label": name, "probability": 0.5} for name in LABELS[:3]],
        }
        self.notes.sent[body["key"]] = body
        kept = self.post("/answers", body, self.notes.answer_ms)
        if kept is None:
            return
        self.notes.kept[body["key"]] = kept["id"]
        if self.chance.random() >= UNDONE:
            return
        key = uuid.uuid4().hex
        self.notes.sent[key] = {"key": key, "undoes": kept["id"]}
        undone = self.post(f"/answers/{kept['id']}/undo", {"key": key}, [])
        if undone is not None:
            self.notes.kept[key] = undone["retracted"]["id"]
            self.notes.undos += 1

    def post(self, path: str, body: dict[str, Any], times: list[float]) -> dict[str, Any] | None:
        """Send until there is a reply, as the page does; None if it is a refusal."""
        while True:
            began = time.perf_counter()
            try:
                answer = self.client.post(path, json=body)
            except httpx.TransportError:
                self.notes.retries += 1
                time.sleep(_RETRY_S)
                continue
            times.append(1000 * (time.perf_counter() - began))
            if answer.status_code == 200:
                found: dict[str, Any] = answer.json()
                return found
            kind = path.split("/")[1]
            self.notes.errors[f"{kind} {answer.status_code}: {answer.text[:160]}"] += 1
            if self.over.is_set() or answer.status_code < 500:
                return None
            time.sleep(_RETRY_S)


def check(
    database: Path | str, people: Sequence[Annotator], shared: Sequence[int], scratch: Path
) -> dict[str, int | str]:
    """Compare the database, as it is at this moment, with what people were promised.

    It is read without Antiphon's code: a file of SQLite as a copy, taken as it lies there.

    Parameters
    ----------
    database
        A file of SQLite, or the URL of a database in PostgreSQL.
    shared
        The queues that belong to everybody.
    scratch
        A folder for the copy.

    Returns
    -------
    dict
        ``acknowledged`` answers and undos; then what must be zero: ``missing``, ``changed``
        (kept otherwise than said), ``half`` (an answer without all its annotations, annotations
        without a standing answer, or an item that says otherwise), ``doubled``, ``unknown`` (never
        sent), ``two people`` (windows of shared queues); ``integrity`` of a file.
    """
    # Dictionaries are filled by other threads; what is acknowledged now must be there.
    kept = {k: (p.name, i) for p in people for k, i in p.notes.kept.copy().items()}
    with _state(database) if isinstance(database, str) else _copy(database, scratch) as db:
        return _compare(db, people, kept, set(shared))


@contextmanager
def _state(url: str) -> Iterator[Connection]:
    """One state of a database in PostgreSQL."""
    engine = create_engine(url, isolation_level="REPEATABLE READ")
    with engine.connect() as connection:
        yield connection
    engine.dispose()


@contextmanager
def _copy(database: Path, scratch: Path) -> Iterator[Connection]:
    """A copy of a file of SQLite and of its write-ahead log."""
    scratch.mkdir(exist_ok=True)
    copy = scratch / "copy.db"
    for end in ("", "-wal"):
        source = database.with_name(database.name + end)
        copy.with_name(copy.name + end).unlink(missing_ok=True)
        if source.exists():
            shutil.copyfile(source, copy.with_name(copy.name + end))
    copy.with_name(copy.name + "-shm").unlink(missing_ok=True)
    engine = create_engine(f"sqlite:///{copy}")
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def _rows(db: Connection, query: str) -> Sequence[RowMapping]:
    return db.execute(text(query)).mappings().all()


def _json(value: Any) -> Any:
    """SQLite returns JSON as text, psycopg as values."""
    return json.loads(value) if isinstance(value, str) else value


def _compare(
    db: Connection,
    people: Sequence[Annotator],
    kept: dict[str, tuple[str, int]],
    shared: set[int],
) -> dict[str, int | str]:
    answers = {row["id"]: row for row in _rows(db, "SELECT * FROM answers")}
    by_key = {row["key"]: row for row in answers.values()}
    sent = {key: body for p in people for key, body in p.notes.sent.copy().items()}
    counts: Counter[str] = Counter(acknowledged=len(kept))
    for key, (name, number) in kept.items():
        row = by_key.get(key)
        if row is None:
            counts["missing"] += 1
        elif row["id"] != number or row["annotator"] != name or not _as_said(row, sent[key]):
            counts["changed"] += 1
    counts["unknown"] = sum(key not in sent for key in by_key)
    counts["doubled"] = len(answers) - len(by_key)
    taken_back = {row["replaces"] for row in answers.values() if row["kind"] == "retract"}
    stands = {i for i, row in answers.items() if row["kind"] == "answer" and i not in taken_back}
    windows = Counter(
        (answers[i]["annotator"], *(answers[i][n] for n in ("recording_id", "channel", "start_s")))
        for i in stands
    )
    counts["doubled"] += sum(n - 1 for n in windows.values())
    counts["half"] = _halves(db, answers, stands)
    who: defaultdict[int, set[str]] = defaultdict(set)
    for row in _rows(
        db,
        "SELECT a.annotator, a.item_id, q.queue_id FROM answers a "
        "JOIN queue_items q ON q.id = a.item_id",
    ):
        if row["queue_id"] in shared:
            who[row["item_id"]].add(row["annotator"])
    counts["two people"] = sum(len(names) > 1 for names in who.values())
    names = ("acknowledged", "missing", "changed", "half", "doubled", "unknown", "two people")
    return {**{name: counts[name] for name in names}, "integrity": _integrity(db)}


def _integrity(db: Connection) -> str:
    if db.dialect.name != "sqlite":
        return "not looked at"
    strays = _rows(db, "PRAGMA foreign_key_check")
    if strays:
        return f"{len(strays)} rows point nowhere"
    return str(db.execute(text("PRAGMA integrity_check")).scalar())


def _as_said(row: RowMapping, body: dict[str, Any]) -> bool:
    if "undoes" in body:
        return row["kind"] == "retract" and row["replaces"] == body["undoes"]
    said = _json(row["said"])
    window = (row["recording_id"], row["channel"], row["start_s"], row["end_s"])
    return (
        row["kind"] == "answer"
        and all(said[name] == body[name] for name in ("present", "absent", "complete"))
        and window == tuple(body["window"][name] for name in _PLACE)
    )


def _halves(db: Connection, answers: dict[int, RowMapping], stands: set[int]) -> int:
    """Count answers whose annotations or item do not say what the answer says."""
    scopes: defaultdict[int, set[str]] = defaultdict(set)
    for row in _rows(
        db,
        "SELECT m.scope_id, l.name FROM label_scope_members m JOIN labels l ON l.id = m.label_id",
    ):
        scopes[row["scope_id"]].add(row["name"])
    found: defaultdict[str, Counter[tuple[str, str]]] = defaultdict(Counter)
    for row in _rows(
        db, "SELECT a.*, l.name FROM annotations a LEFT JOIN labels l ON l.id = a.label_id"
    ):
        names = scopes[row["scope_id"]] if row["name"] is None else {row["name"]}
        for name in names:
            found[row["batch"]][(name, row["presence"])] += 1
    wrong = set()
    for i in stands:
        said = _json(answers[i]["said"])
        absent = set(LABELS) - set(said["present"]) if said["complete"] else said["absent"]
        expected = [(name, "present") for name in said["present"]]
        expected += [(name, "absent") for name in absent]
        if found.pop(f"answer {i}", Counter()) != Counter(expected):
            wrong.add(i)
    items = _rows(db, "SELECT done FROM queue_items WHERE done IS NOT NULL")
    closed = {row["done"] for row in items}
    return len(wrong) + len(found) + len(closed ^ stands)

"""The same windows for several people, each in a queue of their own, blind to each other."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from antiphon.errors import UserError
from antiphon.pipeline.annotate.choosing import Wish, choose
from antiphon.pipeline.annotate.queues import QueueState, list_queues
from antiphon.pipeline.windows import WindowSet, load_windows
from antiphon.store import queues
from antiphon.store.answers import Window
from antiphon.store.project import ProjectFolder

# Queues that keep their kind when they are given to several people: their chances are known. Of
# the others the windows stay as they were chosen, so that everybody has the same ones to the end.
_DRAWN = ("random", "stratified")


@dataclass(frozen=True, slots=True)
class SharedQueue:
    """Queues of several people over the same windows.

    Parameters
    ----------
    id
        What they have in common.
    name
        As its people see it.
    queues
        One of each person.
    """

    id: str
    name: str
    queues: tuple[QueueState, ...]


def share_queue(
    folder: ProjectFolder,
    wish: Wish,
    people: Sequence[str],
    *,
    name: str | None = None,
    windows: WindowSet | None = None,
) -> SharedQueue:
    """Choose windows once and give each person a queue of them, in the same order.

    Nobody sees in a queue of their own what others said of its windows.

    Parameters
    ----------
    people
        At least two.
    name
        What people see; made from the kind when None.
    windows
        Those of the newest table when None.

    Raises
    ------
    UserError
        If there are fewer than two people, or the wish cannot be met.
    """
    owners = list(dict.fromkeys(person.strip() for person in people))
    if len(owners) < 2 or not all(owners):
        raise UserError("Agreement is measured between people; choose two or more of them.")
    if wish.kind == "disagreement":
        raise UserError("Disagreements are settled by one person; make a plain queue of them.")
    windows = windows or load_windows(folder, folder.table())
    choice = choose(folder, windows, wish)
    shared = {"id": secrets.token_hex(8), "people": owners, "chosen_by": wish.kind}
    title = (name or "").strip() or f"{wish.kind} for {', '.join(owners)}"
    with folder.catalogue.database.write() as connection:
        for owner in owners:
            queues.add_queue(
                connection,
                choice.items,
                name=title,
                kind=wish.kind if wish.kind in _DRAWN else "chosen",
                parameters={**wish.to_json(), **choice.facts, "shared": shared},
                table_id=windows.view.table.id,
                owner=owner,
            )
    return next(one for one in shared_queues(folder) if one.id == shared["id"])


def shared_queues(folder: ProjectFolder) -> list[SharedQueue]:
    """Return the queues that several people got over the same windows, the newest first."""
    found: dict[str, list[QueueState]] = {}
    for queue in list_queues(folder):
        shared = queue.parameters.get("shared")
        if shared is not None:
            found.setdefault(str(shared["id"]), []).append(queue)
    return [SharedQueue(key, some[0].name, tuple(reversed(some))) for key, some in found.items()]


def to_answer(folder: ProjectFolder, person: str) -> set[Window]:
    """Return the windows that wait in open queues of a person's own, disagreements left out.

    What others said of them must not reach the person before they have answered.
    """
    with folder.catalogue.database.read() as connection:
        return queues.to_answer(connection, person)

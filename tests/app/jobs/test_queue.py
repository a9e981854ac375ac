from __future__ import annotations

from antiphon.app.jobs.queue import answers_since, current_queue
from antiphon.pipeline.annotate.answers import answer, undo
from antiphon.pipeline.annotate.leasing import lease
from antiphon.pipeline.annotate.queues import close_queue, make_queue
from antiphon.pipeline.annotate.said import Said
from antiphon.store import queues
from antiphon.store.project import ProjectFolder
from tests.app.conftest import LABELS


def test_only_the_windows_of_the_loops_queue_are_counted(project, monkeypatch):
    folder = ProjectFolder.open(project)
    assert current_queue(folder) is None
    made = [
        make_queue(folder, None, "strategy", 2, strategy="random"),
        make_queue(folder, None, "strategy", 3, strategy="random"),
        make_queue(folder, None, "strategy", 2, strategy="random"),
        make_queue(folder, None, "strategy", 2, strategy="random", owner="ann"),
        make_queue(folder, None, "random", 2),
    ]
    close_queue(folder, made[2].id)
    count, counted = queues.counts, []

    def noted(connection, queue_id=None):
        counted.append(queue_id)
        return count(connection, queue_id)

    monkeypatch.setattr(queues, "counts", noted)
    now = current_queue(folder)
    assert now is not None
    assert (now.id, now.total) == (made[1].id, 3)
    assert counted == [now.id]
    folder.close()


def test_answers_count_until_they_are_taken_back(project):
    folder = ProjectFolder.open(project)
    queue = make_queue(folder, None, "strategy", 4, strategy="random")
    first, second, *_ = lease(folder, queue.id, "ann", 4).items

    def give(item, key, kind="answer"):
        said = None if kind == "skip" else Said(present=(LABELS[0],))
        return answer(folder, "ann", item.span, said, kind=kind, key=key, item=item.id)

    for turn in range(3):
        undo(folder, "ann", give(first, f"skip {turn}", "skip").id, key=f"back {turn}")
    kept = give(second, "kept")
    assert answers_since(folder, queue.id, 0) == 1
    undo(folder, "ann", give(first, "rash").id, key="not rash")
    assert answers_since(folder, queue.id, 0) == 1
    # What was known to a training and is said anew counts anew.
    undo(folder, "ann", kept.id, key="again")
    assert answers_since(folder, queue.id, kept.id) == 0
    give(second, "anew")
    assert answers_since(folder, queue.id, kept.id) == 1
    folder.close()

from __future__ import annotations

from antiphon.app.jobs.queue import answers_since
from antiphon.pipeline.annotate.answers import answer, undo
from antiphon.pipeline.annotate.queues import lease, make_queue
from antiphon.pipeline.annotate.said import Said
from antiphon.store.project import ProjectFolder
from tests.app.conftest import LABELS


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

"""A process that answers windows: ``python -m tests.pipeline.annotate.worker PROJECT LOG NAME``.

A line goes to LOG after each answer, undo or skip that was acknowledged, with its key and kind.
"""

from __future__ import annotations

import os
import random
import sys
import uuid
from pathlib import Path

from antiphon.pipeline.annotate.answers import answer, undo
from antiphon.pipeline.annotate.leasing import lease
from antiphon.pipeline.annotate.said import Box, Said
from antiphon.store.project import ProjectFolder


def main() -> None:
    folder, name = ProjectFolder.open(Path(sys.argv[1])), sys.argv[3]
    queue = int(sys.argv[4])
    out = os.open(sys.argv[2], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    rng = random.Random(uuid.uuid4().hex)

    def log(*words: object) -> None:
        os.write(out, (" ".join(map(str, words)) + "\n").encode())

    log("ready", name)
    while items := lease(folder, queue, name, 2, seconds=0.05).items:
        for item in items:
            key, s = uuid.uuid4().hex, item.span
            box = Box("dove", s.start_s + 0.1, s.end_s - 0.1, 100.0, 900.0)
            said = Said(unsure=("toad",), complete=True, boxes=(box,))
            kind = "skip" if rng.random() < 0.1 else "answer"
            row = answer(
                folder,
                name,
                s,
                said if kind == "answer" else None,
                kind=kind,
                key=key,
                item=item.id,
                seen=item.seen,
                force=True,
            )
            log(kind, key)
            if rng.random() < 0.3:
                back = uuid.uuid4().hex
                undo(folder, name, row.id, key=back)
                log("retract", back)


if __name__ == "__main__":
    main()

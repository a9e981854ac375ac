"""What the page of recordings and detections keeps in memory."""

from __future__ import annotations

import gc
import weakref

from antiphon.app.services import browsing
from antiphon.app.services.browsing import browsing_of
from tests.app.conftest import LABELS


class Held:
    """Stands for held-out predictions, and for the embeddings that come with them."""


def test_held_out_predictions_are_kept_for_the_newest_labels_alone(client, monkeypatch):
    made, versions = [], iter("aabc")

    def held_out(*_):
        found = Held()
        made.append(weakref.ref(found))
        return found

    monkeypatch.setattr(browsing, "held_out", held_out)
    monkeypatch.setattr(browsing, "judge_label", lambda *_: None)
    monkeypatch.setattr(browsing, "labels_version", lambda _: next(versions))
    for _ in range(4):
        browsing_of(client.context).precision(LABELS[0])
    gc.collect()
    assert [one() is None for one in made] == [True, True, False]

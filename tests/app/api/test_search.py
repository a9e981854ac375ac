from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import soundfile

from antiphon.app.services import clips
from antiphon.pipeline.encoder import encoder_of
from antiphon.pipeline.examples import embed_query
from antiphon.pipeline.filters import WindowFilter, parse_hours
from antiphon.pipeline.search import search
from antiphon.pipeline.windows import load_windows, targets


@pytest.fixture
def windows(client):
    return load_windows(client.context.folder, client.context.table())


def recording_file(folder, recording_id):
    rows = folder.catalogue.recordings().to_pylist()
    (row,) = [row for row in rows if row["id"] == recording_id]
    return folder.recording_path(row["root"], row["path"])


def window(windows, row):
    return {
        "recording": int(windows.recording_id[row]),
        "channel": int(windows.channel[row]),
        "start_s": float(windows.start_s[row]),
        "end_s": float(windows.end_s[row]),
    }


def found(client, **wanted):
    answer = client.post("/api/search", json=wanted)
    assert answer.status_code == 200, answer.text
    return answer.json()


def keys(hits):
    return [(h["window"]["recording"], h["window"]["start_s"], h["score"]) for h in hits]


def expected(hits):
    return [(h.recording_id, h.start_s, pytest.approx(h.score)) for h in hits]


def test_a_clip_that_is_sent_finds_itself_first_and_the_rest_as_the_pipeline_does(client, windows):
    context = client.context
    path = recording_file(context.folder, int(windows.recording_id[40]))
    span = (float(windows.start_s[40]), float(windows.end_s[40]))
    sent = client.post(
        "/api/search/clip",
        params={"start_s": span[0], "end_s": span[1]},
        content=path.read_bytes(),
    ).json()
    assert sent["windows"] == 1
    answer = found(client, clip=sent["clip"], n=20)
    assert answer["hits"][0]["window"] | window(windows, 40) == answer["hits"][0]["window"]
    assert answer["hits"][0]["score"] == pytest.approx(1.0, abs=1e-3)
    assert (answer["by"], answer["total"]) == ("similarity", len(windows))
    table = context.table()
    query = embed_query(encoder_of(table), path, span)
    theirs = search(context.folder, table, encoder=encoder_of(table), like=path, at=span, k=20)
    assert len(query) == 1
    assert keys(answer["hits"]) == expected(theirs)


def test_more_like_a_stored_window(client, windows):
    answer = found(client, like=window(windows, 12), n=5)
    vectors = windows.vectors(np.array([12]))
    rows, score = windows.view.nearest(vectors, 5)
    assert keys(answer["hits"]) == [
        (int(windows.recording_id[r]), float(windows.start_s[r]), pytest.approx(float(s)))
        for r, s in zip(rows, score, strict=True)
    ]
    assert answer["hits"][0]["window"]["start_s"] == windows.start_s[12]


def test_conditions_are_those_of_the_pipeline(client, windows):
    folder, table = client.context.folder, client.context.table()
    site = sorted({s for s in windows.texts("site") if s})[0]
    label = client.get("/api/search/options").json()["detector"][0]["name"]
    where = WindowFilter(
        sites=(site,), hours=parse_hours("3-9"), detected=(label,), min_score=0.02, unlabelled=True
    )
    asked = {
        "sites": [site],
        "hour": "3-9",
        "detected": [label],
        "min_score": 0.02,
        "unlabelled": True,
    }
    answer = found(client, filter=asked, n=500)
    theirs = search(folder, table, where=where, k=500)
    assert keys(answer["hits"]) == expected(theirs)
    assert answer["total"] == len(theirs)
    assert answer["by"] == "probability"
    assert all(h["window"]["site"] == site and not h["said"] for h in answer["hits"])


def test_pages_follow_each_other_and_the_total_is_told(client, windows):
    like = window(windows, 3)
    whole = found(client, like=like, n=30)["hits"]
    pages = [found(client, like=like, n=10, skip=s) for s in (0, 10, 20)]
    assert [k for page in pages for k in keys(page["hits"])] == keys(whole)
    alone = found(client, like=like, n=500, per_recording=1)
    recordings = [h["window"]["recording"] for h in alone["hits"]]
    assert len(recordings) == len(set(recordings)) == alone["total"]


def test_what_annotations_say_comes_with_each_window(client, windows):
    folder = client.context.folder
    names = folder.catalogue.label_names()
    said = targets(folder, windows, names)
    answer = found(client, n=500)
    assert answer["by"] == "order"
    for row, hit in enumerate(answer["hits"]):
        words = {1.0: "present", 0.0: "absent"}
        expected = {n: words[v] for n, v in zip(names, said[row].tolist(), strict=True) if v == v}
        assert hit["said"] == expected
    some = [h["window"] for h in answer["hits"][:4]]
    spans = [{k: w[k] for k in ("recording", "channel", "start_s", "end_s")} for w in some]
    told = client.post("/api/search/said", json={"windows": spans}).json()
    assert told == [h["said"] for h in answer["hits"][:4]]


def test_options_name_what_there_is(client, windows):
    options = client.get("/api/search/options").json()
    assert options["windows"] == len(windows)
    assert options["labels"] == client.context.folder.catalogue.label_names()
    assert options["sites"] == sorted({s for s in windows.texts("site") if s})
    assert options["untimed"] == 0
    assert options["first"] == str(windows.time.min())[:10]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "The clip is empty."),
        (b"no sound at all", "The clip cannot be used: it is not a recording that can be read"),
        (b"RIFF\x24\x00\x00\x00WAVEfmt ", "The clip cannot be used"),
    ],
)
def test_a_broken_clip_is_a_sentence_and_leaves_nothing(
    client, content, sentence, tmp_path, monkeypatch
):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    answer = client.post("/api/search/clip", content=content)
    assert answer.status_code == 400
    assert answer.json()["error"].startswith(sentence)
    assert str(scratch) not in answer.text
    assert not list(scratch.iterdir())


def test_a_clip_that_is_too_long_or_too_large_is_refused(client, tmp_path, monkeypatch):
    path = tmp_path / "long.wav"
    soundfile.write(path, np.zeros(8000 * 130), 8000)
    answer = client.post("/api/search/clip", content=path.read_bytes())
    assert answer.status_code == 400
    assert "mark at most 120 s" in answer.json()["error"]
    marked = {"start_s": 100.0, "end_s": 104.0}
    assert client.post("/api/search/clip", params=marked, content=path.read_bytes()).is_success
    late = {"start_s": 200.0, "end_s": 204.0}
    answer = client.post("/api/search/clip", params=late, content=path.read_bytes())
    assert "ends at 130.0 s" in answer.json()["error"]
    monkeypatch.setattr("antiphon.app.services.clips._LARGEST", 1000)
    answer = client.post("/api/search/clip", params=marked, content=path.read_bytes())
    assert "shorter span" in answer.json()["error"]


def test_a_clip_larger_than_the_limit_is_refused(project):
    from tests.app.running import open_client

    with open_client(project, max_upload_bytes=10_000) as client:
        answer = client.post("/api/search/clip", content=bytes(20_000))
    assert answer.status_code == 413


def test_an_answer_does_not_wait_behind_clips(client, windows, monkeypatch):
    path = recording_file(client.context.folder, int(windows.recording_id[0]))
    content, embed, turn = path.read_bytes(), clips.embed_query, threading.Event()

    def slow(*arguments):
        assert turn.wait(60.0)
        return embed(*arguments)

    monkeypatch.setattr(clips, "embed_query", slow)
    label = client.context.folder.catalogue.label_names()[0]
    body = {"window": window(windows, -1), "present": [label], "key": "k"}
    # More than the server has threads.
    with ThreadPoolExecutor(46) as pool:
        sent = [
            pool.submit(client.post, "/api/search/clip", content=content, params={"end_s": 2.0})
            for _ in range(45)
        ]
        try:
            kept = pool.submit(client.post, "/api/answers", json=body).result(timeout=30.0)
        finally:
            turn.set()
        assert kept.status_code == 200
        assert {one.result().status_code for one in sent} == {200}


def test_a_clip_that_is_not_held_any_more_is_told(client):
    answer = client.post("/api/search", json={"clip": "gone"})
    assert answer.status_code == 400
    assert "send it again" in answer.json()["error"]


@pytest.mark.parametrize(
    "wanted",
    [
        {"filter": {"sites": ["'; DROP TABLE recordings; --"]}},
        {"filter": {"labels": ["nothing' OR 1=1"]}},
        {"filter": {"detected": ["dodo"]}},
        {"filter": {"hour": "25-99"}},
        {"filter": {"date": "yesterday"}},
        {"filter": {"min_score": 0.9, "max_score": 0.1}},
        {"like": {"recording": 999, "start_s": 0, "end_s": 1}},
    ],
)
def test_what_makes_no_sense_is_a_sentence(client, wanted):
    answer = client.post("/api/search", json=wanted)
    assert answer.status_code == 400
    assert answer.json()["error"].endswith((".", "none", '"'))
    assert client.get("/api/search/options").json()["windows"] > 0


def test_many_windows_are_labelled_at_once_and_taken_back(client, windows):
    folder = client.context.folder
    label = folder.catalogue.label_names()[0]
    free = np.flatnonzero(np.isnan(targets(folder, windows, [label])[:, 0]))[:7]
    spans = [window(windows, int(r)) for r in free]
    heard = []
    client.context.after_answer.append(heard.append)
    asked = {"windows": spans, "label": label, "presence": "present", "key": "0123456789"}
    done = client.post("/api/search/label", json=asked).json()
    assert len(done["answers"]) == len(heard) == 7
    assert (targets(folder, windows, [label])[free, 0] == 1.0).all()
    again = client.post("/api/search/label", json=asked).json()
    assert again == done
    assert len(heard) == 7
    back = {"answers": done["answers"], "key": "9876543210"}
    assert client.post("/api/search/unlabel", json=back).json() == {"retracted": 7, "kept": []}
    assert np.isnan(targets(folder, windows, [label])[free, 0]).all()
    other = {"answers": [done["answers"][0], 10_000], "key": "another-key"}
    assert len(client.post("/api/search/unlabel", json=other).json()["kept"]) == 2


def test_a_listener_that_fails_keeps_no_window_from_its_label(client, windows):
    label = client.context.folder.catalogue.label_names()[0]

    def fail(_answer):
        raise RuntimeError("broken")

    client.context.after_answer.append(fail)
    spans = [window(windows, row) for row in (-1, -2)]
    asked = {"windows": spans, "label": label, "presence": "unsure", "key": "0123456789"}
    done = client.post("/api/search/label", json=asked)
    assert done.status_code == 200
    assert len(done.json()["answers"]) == 2
    back = {"answers": done.json()["answers"], "key": "9876543210"}
    assert client.post("/api/search/unlabel", json=back).json()["retracted"] == 2


def test_labels_need_the_token(client, windows):
    asked = {
        "windows": [window(windows, 0)],
        "label": client.context.folder.catalogue.label_names()[0],
        "presence": "present",
        "key": "0123456789",
    }
    refused = client.post("/api/search/label", json=asked, headers={"X-Antiphon-Token": "wrong"})
    assert refused.status_code == 403

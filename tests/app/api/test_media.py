"""Pictures and sounds through the interface."""

from __future__ import annotations

import io
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile as sf

from antiphon.app.media.service import Media
from tests.app.conftest import LABELS
from tests.app.running import AppClient

SPAN = {"recording": 1, "start_s": 2.0, "end_s": 5.0}


def get(client: AppClient, what: str, headers: dict[str, str] | None = None, **query: Any) -> Any:
    return client.get(f"/api/media/{what}", params={**SPAN, **query}, headers=headers)


def pixels(content: bytes) -> Any:
    image = pytest.importorskip("PIL.Image").open(io.BytesIO(content))
    return image, np.asarray(image)


def test_levels_come_as_a_grey_png_with_their_meaning(client: AppClient) -> None:
    answer = get(client, "spectrogram", width=300, height=120, high_hz=8_000)
    assert answer.status_code == 200
    image, values = pixels(answer.content)
    assert (image.mode, image.size) == ("L", (300, 120))
    assert (values.min(), values.max()) == (0, 255)
    facts = answer.headers
    assert (float(facts["X-Start-S"]), float(facts["X-Low-Hz"])) == (2.0, 0.0)
    assert float(facts["X-End-S"]) == pytest.approx(5.0, abs=0.02)
    assert (float(facts["X-High-Hz"]), facts["X-Scale"], facts["X-Unit"]) == (8_000, "linear", "dB")
    assert -200 < float(facts["X-Low-Db"]) < float(facts["X-High-Db"]) <= 0
    assert facts["Cache-Control"].startswith("private")


def test_a_thumbnail_is_in_colours(client: AppClient) -> None:
    image, values = pixels(get(client, "thumbnail", width=80, height=40, colours="magma").content)
    assert (image.mode, image.size) == ("P", (80, 40))
    assert values.max() == 255
    assert get(client, "thumbnail", colours="rainbow").status_code == 422


def test_what_a_browser_has_is_not_sent_again(client: AppClient) -> None:
    for what in ("spectrogram", "thumbnail", "audio"):
        tag = get(client, what).headers["ETag"]
        again = get(client, what, {"If-None-Match": f'"other", W/{tag}'})
        assert (again.status_code, again.content) == (304, b"")
        assert get(client, what, {"If-None-Match": '"other"'}).status_code == 200
        assert get(client, what, end_s=6.0).headers["ETag"] != tag


def test_audio_is_what_the_recording_holds(client: AppClient) -> None:
    answer = get(client, "audio")
    assert answer.headers["Content-Type"] == "audio/wav"
    samples, rate = sf.read(io.BytesIO(answer.content))
    row = client.context.folder.catalogue.recordings().to_pylist()[0]
    path = client.context.folder.recording_path(row["root"], row["path"])
    truth, _ = sf.read(path, start=2 * rate, stop=5 * rate)
    np.testing.assert_allclose(samples, truth, atol=2 / 32767)


def test_parts_of_audio_by_range(client: AppClient) -> None:
    whole = get(client, "audio")
    size, tag = len(whole.content), whole.headers["ETag"]
    assert whole.headers["Accept-Ranges"] == "bytes"

    def part(text: str, **more: str) -> Any:
        return get(client, "audio", {"Range": text, **more})

    for text, first, last in (
        ("bytes=0-99", 0, 99),
        ("bytes=100-", 100, size - 1),
        ("bytes=-50", size - 50, size - 1),
        (f"bytes={size - 5}-{size + 100}", size - 5, size - 1),
        (f"bytes=-{size + 9}", 0, size - 1),
    ):
        answer = part(text)
        assert answer.status_code == 206, text
        assert answer.headers["Content-Range"] == f"bytes {first}-{last}/{size}"
        assert answer.content == whole.content[first : last + 1]
    for text in (f"bytes={size}-", "bytes=-0"):
        answer = part(text)
        assert (answer.status_code, answer.headers["Content-Range"]) == (416, f"bytes */{size}")
    for text in ("bytes=9-3", "bytes=a-b", "bytes=-", "lines=0-9", "bytes=0-1,5-6"):
        assert (part(text).status_code, len(part(text).content)) == (200, size), text
    assert part("bytes=0-9", **{"If-Range": tag}).status_code == 206
    assert part("bytes=0-9", **{"If-Range": '"older"'}).status_code == 200


def test_what_was_changed_stands_in_the_headers(client: AppClient) -> None:
    answer = get(client, "audio", slow=2, normalise=True, low_hz=500, high_hz=9_000)
    assert (answer.headers["X-Rate-Hz"], answer.headers["X-Slow"]) == ("12000", "2")
    assert float(answer.headers["X-Gain-Db"]) > 0
    assert "2 times slower" in answer.headers["X-Note"]
    assert sf.info(io.BytesIO(answer.content)).samplerate == 12_000


def test_a_span_is_clipped_at_the_ends_of_the_recording(client: AppClient) -> None:
    for what in ("spectrogram", "audio"):
        facts = get(client, what, start_s=14.0, end_s=99.0).headers
        assert float(facts["X-End-S"]) == pytest.approx(16.0, abs=0.02)


@pytest.mark.parametrize(
    ("query", "status", "said"),
    [
        ({"recording": 999}, 404, "no recording 999"),
        ({"recording": 2**70}, 404, "no recording"),
        ({"recording": "../../etc/passwd"}, 422, None),
        ({"recording": "1; DROP TABLE recordings"}, 422, None),
        ({"start_s": 16.5, "end_s": 18}, 404, "lies outside"),
        ({"start_s": 5, "end_s": 5}, 422, "must end after"),
        ({"start_s": "nan"}, 422, None),
        ({"channel": 3}, 422, "no channel 3"),
        ({"low_hz": 13_000}, 422, "up to 12,000 Hz"),
    ],
)
@pytest.mark.parametrize("what", ["spectrogram", "thumbnail", "audio"])
def test_what_is_not_there_is_said(
    client: AppClient, what: str, query: dict[str, Any], status: int, said: str | None
) -> None:
    answer = get(client, what, **query)
    assert answer.status_code == status, answer.text
    if said is not None:
        assert said in answer.json()["error"]


def test_ten_hours_are_refused_before_they_are_read(
    client: AppClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    from antiphon.app.media import sources

    true = sources.probe
    monkeypatch.setattr(sources, "probe", lambda path: replace(true(path), frames=24_000 * 36_000))
    for what in ("spectrogram", "audio"):
        answer = get(client, what, start_s=0, end_s=36_000)
        assert answer.status_code == 422
        assert "too long" in answer.json()["error"]


def test_a_file_that_is_gone_or_changed_is_not_shown(client: AppClient, tmp_path: Path) -> None:
    folder = client.context.folder
    sounds = Path(shutil.copytree(folder.audio_root(folder.config.audio[0].name), tmp_path / "own"))
    folder.config.audio[0].path = str(sounds)
    rows = folder.catalogue.recordings().to_pylist()
    gone, changed, touched, damaged = (sounds / row["path"] for row in rows[:4])
    gone.unlink()
    changed.write_bytes(touched.read_bytes())
    touched.touch()
    damaged.write_bytes(b"RIFF")
    for what in ("spectrogram", "audio"):
        missing = get(client, what)
        assert missing.status_code == 404
        assert "is not there" in missing.json()["error"]
        assert str(tmp_path) not in missing.text
        other = get(client, what, recording=rows[1]["id"])
        assert other.status_code == 422
        assert "has changed since it was scanned" in other.json()["error"]
        assert get(client, what, recording=rows[2]["id"]).status_code == 200
        broken = get(client, what, recording=rows[3]["id"])
        assert broken.status_code == 422
        assert str(tmp_path) not in broken.text


def test_an_answer_does_not_wait_behind_pictures(
    client: AppClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, drawn = Media.levels, threading.Event()

    def slow(self: Media, *arguments: Any) -> Any:
        assert drawn.wait(60.0)
        return make(self, *arguments)

    monkeypatch.setattr(Media, "levels", slow)
    window = {"recording": 1, "start_s": 2.0, "end_s": 4.0}
    body = {"window": window, "present": [LABELS[0]], "key": "k"}
    # More than the server has threads.
    with ThreadPoolExecutor(61) as pool:
        pictures = [pool.submit(get, client, "thumbnail", width=16 + i) for i in range(60)]
        try:
            kept = pool.submit(client.post, "/api/answers", json=body).result(timeout=30.0)
        finally:
            drawn.set()
        assert kept.status_code == 200
        assert {picture.result().status_code for picture in pictures} == {200}

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from antiphon.errors import UserError
from antiphon.pipeline.detectors import current_detector
from antiphon.pipeline.examples import embed_query, stored_query
from antiphon.pipeline.filters import WindowFilter, parse_hours
from antiphon.pipeline.search import find, search
from antiphon.pipeline.windows import load_windows


@pytest.fixture
def windows(read_only):
    return load_windows(read_only.folder, read_only.table())


def key(hit):
    return hit.recording_id, hit.start_s, hit.score


def test_a_stored_window_is_looked_up_in_the_table(windows):
    row = 17
    query = stored_query(
        windows,
        int(windows.recording_id[row]),
        -1,
        float(windows.start_s[row]),
        float(windows.end_s[row]),
    )
    assert (query == windows.vectors(np.array([row]))).all()


def test_a_span_across_two_windows_takes_those_that_share_half_of_it(windows):
    first = int(windows.recording_id[0])
    # Windows of two seconds: 0-2, 2-4, 4-6.
    both = stored_query(windows, first, -1, 1.0, 3.0)
    assert (both == windows.vectors(np.array([0, 1]))).all()
    most = stored_query(windows, first, -1, 1.5, 3.8)
    assert (most == windows.vectors(np.array([1]))).all()
    with pytest.raises(UserError, match="no embedded window"):
        stored_query(windows, first, -1, 500.0, 501.0)
    with pytest.raises(UserError, match="no embedded window"):
        stored_query(windows, 12345, -1, 0.0, 2.0)


def test_pages_of_a_search_are_one_search(read_only, windows):
    query = stored_query(windows, int(windows.recording_id[5]), -1, 0.0, 2.0)
    whole = find(read_only.folder, windows, query=query, k=30)
    pages = [find(read_only.folder, windows, query=query, k=10, skip=s) for s in (0, 10, 20)]
    assert [key(h) for page in pages for h in page.hits] == [key(h) for h in whole.hits]
    assert {page.total for page in pages} == {len(windows)}
    assert whole.by == "similarity"
    assert not find(read_only.folder, windows, query=query, k=10, skip=len(windows)).hits


def test_the_limit_for_a_recording_holds_over_pages_and_in_the_count(read_only, windows):
    query = stored_query(windows, int(windows.recording_id[0]), -1, 0.0, 2.0)
    n = len(np.unique(windows.recording_id))
    pages = [
        find(read_only.folder, windows, query=query, k=8, skip=s, per_recording=1) for s in (0, 8)
    ]
    seen = [h.recording_id for page in pages for h in page.hits]
    assert len(seen) == len(set(seen)) == n == pages[0].total


def test_find_and_search_say_the_same(read_only, windows):
    table = read_only.table()
    label = current_detector(read_only.folder, table).labels[0]
    where = WindowFilter(detected=(label,), min_score=0.05)
    expected = search(read_only.folder, table, where=where, k=20)
    found = find(read_only.folder, windows, where=where, k=20)
    assert found.by == "probability"
    assert [key(h) for h in found.hits] == [key(h) for h in expected]
    clip = read_only.folder.recording_path(
        *(
            windows.recordings.column(name).to_pylist()[int(windows.row[0])]
            for name in ("root", "path")
        )
    )
    encoder = read_only.encoder()
    expected = search(read_only.folder, table, encoder=encoder, like=clip, k=5)
    query = embed_query(encoder, clip, None)
    assert [key(h) for h in find(read_only.folder, windows, query=query, k=5).hits] == [
        key(h) for h in expected
    ]
    assert expected[0].recording_id == windows.recording_id[0]


def test_without_a_condition_all_windows_come_in_order(read_only, windows):
    found = find(read_only.folder, windows, k=3, skip=2)
    assert found.by == "order"
    assert found.total == len(windows)
    assert found.rows.tolist() == [2, 3, 4]
    with pytest.raises(UserError, match="Nothing to search for"):
        search(read_only.folder, read_only.table())


def test_recordings_without_a_start_time_are_counted(read_only, windows):
    recordings = windows.recordings
    place = recordings.schema.get_field_index("start_time")
    starts = recordings.column("start_time").to_pylist()
    changed = recordings.set_column(
        place,
        "start_time",
        pa.array([None, None, *starts[2:]], recordings.schema.field(place).type),
    )
    untimed = type(windows)(
        windows.recording_id,
        windows.channel,
        windows.start_s,
        windows.end_s,
        changed,
        windows.row,
        windows.view,
        windows.place,
    )
    everything = WindowFilter(hours=parse_hours("0-24"))
    found = find(read_only.folder, untimed, where=everything)
    assert found.untimed == 2
    assert found.total == int((windows.row >= 2).sum())
    assert find(read_only.folder, untimed, where=WindowFilter(unlabelled=True)).untimed == 0


@pytest.mark.parametrize(("k", "skip"), [(0, 0), (1, -1)])
def test_pages_that_cannot_be_are_refused(read_only, windows, k, skip):
    with pytest.raises(UserError, match=r"at least 1|less than 0"):
        find(read_only.folder, windows, k=k, skip=skip)

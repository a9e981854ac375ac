from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from antiphon.errors import UserError
from antiphon.pipeline import colouring
from antiphon.pipeline.annotate.answers import answer
from antiphon.pipeline.annotate.said import Said, Span
from antiphon.pipeline.detectors import current_detector, score_windows
from antiphon.pipeline.mapping import pca_layout
from antiphon.pipeline.windows import load_windows, targets


@pytest.fixture
def windows(read_only):
    return load_windows(read_only.folder, read_only.table())


def span_of(windows, row):
    return Span(
        int(windows.recording_id[row]),
        int(windows.channel[row]),
        float(windows.start_s[row]),
        float(windows.end_s[row]),
    )


def test_sites_are_counted_and_their_codes_name_them(windows):
    found = colouring.by_site(windows)
    sites = windows.texts("site").tolist()
    assert dict(found.entries) == Counter(sites)
    assert [found.entries[code][0] for code in found.codes] == sites
    assert found.codes.dtype == np.uint8


def test_more_names_than_colours_end_in_others():
    names = [f"n{i:02d}" for i in range(30) for _ in range(40 - i)]
    found = colouring._by_name("Name", [*names, None], "nothing")
    assert len(found.entries) == colouring.CATEGORIES
    assert found.entries[0] == ("n00", 40)
    rest = sum(40 - i for i in range(20, 30))
    assert found.entries[-1] == ("10 others", rest)
    assert (found.codes == 20).sum() == rest
    assert found.codes[-1] == colouring.NONE


def test_hours_go_around_the_clock(windows):
    found = colouring.by_hour(windows)
    assert found.kind == "cycle"
    known = found.codes != colouring.NONE
    np.testing.assert_allclose(found.codes[known] / 250 * 24, windows.hour[known], atol=0.05)


def test_dates_lie_between_the_first_and_the_last(windows):
    found = colouring.by_date(windows)
    first = windows.time == windows.time.min()
    assert (found.codes[first] == 0).all()
    assert found.codes.max() == 250
    assert found.ends[0] == str(windows.time.min())[:10]


def test_labels_are_those_of_the_annotations(read_only, windows):
    names = read_only.folder.catalogue.label_names()
    said = targets(read_only.folder, windows, names)
    found = colouring.by_labels(read_only.folder, windows)
    entries = [name for name, _ in found.entries]
    for row, code in enumerate(found.codes):
        present = [n for n, value in zip(names, said[row], strict=True) if value == 1.0]
        if len(present) > 1:
            expected = "several labels"
        elif present:
            expected = present[0]
        else:
            expected = "only absences" if (said[row] == 0.0).any() else None
        assert (None if code == colouring.NONE else entries[code]) == expected
    one = colouring.by_label(read_only.folder, windows, names[0])
    assert (one.codes == 0).sum() == (said[:, 0] == 1.0).sum() == one.entries[0][1]
    assert (one.codes == 1).sum() == (said[:, 0] == 0.0).sum()


def test_scores_are_the_detectors(read_only, windows):
    detector = current_detector(read_only.folder, read_only.table())
    expected = score_windows(windows, detector, np.arange(len(windows)))
    codes, above = colouring.score_codes(windows, detector)
    np.testing.assert_allclose(codes / 250, expected, atol=0.0021)
    assert above.tolist() == (expected >= detector.threshold_values).sum(axis=0).tolist()
    found = colouring.by_score(detector, codes, above, detector.labels[1])
    assert (found.codes == codes[:, 1]).all()
    assert f"{above[1]:,} of {len(windows):,}" in found.note


def test_clusters_are_numbered_by_size_and_always_the_same(windows):
    position = pca_layout(windows).position
    found = colouring.by_cluster(position, 5)
    sizes = [count for _, count in found.entries]
    assert sizes == sorted(sizes, reverse=True)
    assert np.bincount(found.codes).tolist() == sizes
    assert (colouring.by_cluster(position, 5).codes == found.codes).all()


def test_unsure_windows_and_the_order_of_answers_are_shown(trained):
    folder = trained.folder
    windows = load_windows(folder, trained.table())
    name = folder.catalogue.label_names()[0]
    free = np.flatnonzero(~np.isnan(targets(folder, windows, [name])[:, 0]))
    rows = [int(free[i]) for i in (7, 2, 5)]
    for i, row in enumerate(rows):
        answer(folder, "ann", span_of(windows, row), Said(unsure=(name,)), key=f"key-{i}")
    # The same window again does not make it later.
    answer(folder, "ann", span_of(windows, rows[0]), Said(unsure=(name,)), key="key-9")
    found = colouring.by_round(folder, windows)
    assert found.codes[rows].tolist() == [0, 125, 250]
    assert (found.codes != colouring.NONE).sum() == 3
    assert found.ends == ("first", "last of 3")
    unsure = colouring.by_label(folder, windows, name)
    assert (unsure.codes[rows] == 2).all()
    assert unsure.entries[2] == ("unsure", 3)


def test_windows_are_found_by_their_span(windows):
    rows = np.array([0, 31, len(windows) - 1])
    spans = [
        (
            int(windows.recording_id[r]),
            int(windows.channel[r]),
            float(windows.start_s[r]),
            float(windows.end_s[r]),
        )
        for r in rows
    ]
    assert colouring.find_rows(windows, spans).tolist() == rows.tolist()
    recording, channel, start, end = spans[0]
    others = [(recording, channel, start + 0.5, end), (recording, 3, start, end), (999, -1, 0, 2)]
    assert colouring.find_rows(windows, others).tolist() == [-1, -1, -1]


@pytest.mark.parametrize("k", [1, 22])
def test_too_few_or_many_clusters_are_refused(k):
    with pytest.raises(UserError, match="2 to 21 clusters"):
        colouring.by_cluster(np.zeros((30, 4), np.float32), k)


def test_names_that_are_not_there_are_refused(read_only, windows):
    with pytest.raises(UserError, match="no label 'dodo'"):
        colouring.by_label(read_only.folder, windows, "dodo")
    detector = current_detector(read_only.folder, read_only.table())
    with pytest.raises(UserError, match="does not know the label 'dodo'"):
        colouring.by_score(detector, *colouring.score_codes(windows, detector), "dodo")

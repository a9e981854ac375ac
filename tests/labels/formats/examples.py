"""Annotation tables for round trips, with the names and numbers that break naive readers."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
from hypothesis import strategies as st

from antiphon.labels.annotation import ANNOTATION_SCHEMA

NASTY = [
    *("NA", "None", "nan", "null", "1.5", "-wren", "wren?", "nothing", "inf"),
    *('"quoted"', 'half "quoted', "Turdus merula_Amsel", "été à l'aube", "ネコ", "a, b", "#1"),
]
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=8)
SECONDS = st.floats(0, 5e6, allow_nan=False)
NAMES = st.sampled_from(["a.wav", "b.WAV", "site 1/b.wav", "site 2/b.wav", "NA.flac", "0.wav"])


def labels(*, semicolons: bool = True) -> st.SearchStrategy[str]:
    plain = st.one_of(st.sampled_from(NASTY), TEXT)
    return st.one_of(plain, st.sampled_from(["a; b", '";"'])) if semicolons else plain


@st.composite
def row(draw: st.DrawFn, names: st.SearchStrategy[str], full: bool) -> dict[str, Any]:
    times = sorted([draw(SECONDS), draw(SECONDS)])
    band = sorted([draw(st.floats(0, 250_000)), draw(st.floats(0, 250_000))])
    presence = draw(st.sampled_from(["present", "absent", "unsure"])) if full else "present"
    null = presence == "absent" and draw(st.booleans())
    whole = full and draw(st.integers(0, 4)) == 0
    return {
        "recording": draw(NAMES),
        "start_s": None if whole else times[0],
        "end_s": None if whole else times[1],
        "low_hz": draw(st.sampled_from([None, band[0]])),
        "high_hz": draw(st.sampled_from([None, band[1]])),
        "channel": draw(st.sampled_from([None, 0, 1, 7])),
        "label": None if null else draw(names),
        "presence": presence,
        "scope": draw(st.sampled_from([None, ["wren"], ["a; b", "c"]])) if null else None,
        "confidence": draw(st.sampled_from([None, 0.0, 1.0, 0.1 + 0.2])),
        "annotator": draw(st.sampled_from([None, "Ann", "NA"])) if full else None,
        "note": draw(st.sampled_from([None, "two; parts", "0"])) if full else None,
    }


def tables(
    names: st.SearchStrategy[str] | None = None, *, full: bool = True
) -> st.SearchStrategy[pa.Table]:
    """Tables of a few rows; ``full`` ones use all that the schema can say."""
    rows = st.lists(row(labels() if names is None else names, full), max_size=6)
    return rows.map(lambda some: pa.Table.from_pylist(some, schema=ANNOTATION_SCHEMA))


def table_of(*rows: dict[str, Any]) -> pa.Table:
    whole: dict[str, Any] = dict.fromkeys(ANNOTATION_SCHEMA.names)
    whole |= {"recording": "a.wav", "presence": "present", "label": "wren"}
    return pa.Table.from_pylist([whole | row for row in rows], schema=ANNOTATION_SCHEMA)


def by_recording(table: pa.Table) -> list[dict[str, Any]]:
    """Rows in the order in which files of single recordings are read again."""
    rows: list[dict[str, Any]] = table.to_pylist()
    return sorted(rows, key=lambda row: row["recording"])

"""Cut an annotated recording into windows, with the events that are heard in each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from antiphon.errors import AudioError
from antiphon.language.schema import RANKS, CorpusRow, Event
from antiphon.language.sources.findings import Finding, Item

# A remnant shorter than this is nothing one could hear an animal in, so it joins its neighbour.
_SHORTEST_S = 0.1


def cut(item: Item, window_s: float) -> Iterator[Item]:
    """Cut a row with events into windows that cover it to its end.

    Windows follow each other; the last one is shorter. Times of events are from the start of
    their window, and an event that reaches over an edge is cut there. Windows in which nothing is
    annotated are kept: where the annotation is complete they are the answer "None".

    Parameters
    ----------
    item
        With a row; one without events and without ``exhaustive`` comes back as it is, and so does
        one whose length is neither stated nor to be had from its file (with a finding).
    window_s
        Seconds.

    Yields
    ------
    Item
        Rows called ``<id>@<start>-<end>``.
    """
    row = item.row
    assert row is not None
    if not row.events and not row.exhaustive:
        yield item
        return
    offset = row.start_s or 0.0
    length = _length(row)
    if length is None:
        yield replace(item, findings=(*item.findings, Finding("unknown_length")))
        return
    first = True
    for start, end in _spans(length, window_s):
        events = tuple(
            _clipped(event, start, end) for event in row.events if _in(event, start, end)
        )
        species = dict.fromkeys(
            event.scientific_name for event in events if event.scientific_name is not None
        )
        window = replace(
            _without_taxon(row) if _focal_is_silent(row, events) else row,
            id=f"{row.id}@{offset + start:g}-{offset + end:g}",
            start_s=offset + start,
            end_s=offset + end,
            duration_s=end - start,
            events=events,
            background_species=tuple(name for name in species if name != row.scientific_name),
        )
        # What is wrong with the recording is said once.
        yield replace(item, row=window, findings=item.findings if first else ())
        first = False


def _focal_is_silent(row: CorpusRow, events: tuple[Event, ...]) -> bool:
    """Whether the recording's focal taxon is not among the events of a window."""
    focal = row.scientific_name or row.taxon_given
    return focal is not None and not any(
        event.scientific_name in (None, focal) or event.label == focal for event in events
    )


def _without_taxon(row: CorpusRow) -> CorpusRow:
    names = ("taxon_given", "scientific_name", "rank", *RANKS)
    return replace(row, **dict.fromkeys(names), common_names=(), call_types=())  # type: ignore[arg-type]


def _length(row: CorpusRow) -> float | None:
    if row.duration_s is not None:
        return row.duration_s
    if row.audio_path is None:
        return None
    from antiphon.audio.recording import probe

    try:
        return probe(Path(row.audio_path)).duration_s - (row.start_s or 0.0)
    except AudioError:
        return None


def _spans(length: float, window_s: float) -> Iterator[tuple[float, float]]:
    count = max(1, int((length - _SHORTEST_S) // window_s) + 1)
    for n in range(count):
        yield n * window_s, length if n == count - 1 else (n + 1) * window_s


def _in(event: Event, start: float, end: float) -> bool:
    # An event without extent is a point, which belongs to the window it begins.
    if event.end_s <= event.start_s:
        return start <= event.start_s < end
    return event.start_s < end and event.end_s > start


def _clipped(event: Event, start: float, end: float) -> Event:
    return replace(
        event,
        start_s=max(event.start_s, start) - start,
        end_s=min(event.end_s, end) - start,
    )

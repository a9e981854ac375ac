"""Windows on which people disagree: unknown for training until somebody settles them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from antiphon.labels.annotation import PRESENT, UNSURE
from antiphon.labels.spans import SETTLE_BATCH, Windows, read_spans
from antiphon.labels.targets import directly_said, window_targets

Bool = npt.NDArray[np.bool_]
Float32 = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Judged:
    """What annotations tell of windows, and where people contradict each other.

    Parameters
    ----------
    targets
        ``(n, n_labels)`` float32: 1 present, 0 absent, NaN unknown or in dispute.
    disputed
        ``(n, n_labels)`` bool: whether it is unknown because people disagree.
    """

    targets: Float32
    disputed: Bool


def judge_windows(
    recording: npt.ArrayLike,
    start_s: npt.ArrayLike,
    end_s: npt.ArrayLike,
    channel: npt.ArrayLike,
    annotations: pa.Table,
    labels: Sequence[str],
    min_overlap: float = 0.5,
    min_cover: float = 0.99,
    channels: npt.ArrayLike | None = None,
) -> Judged:
    """Say for each window and label what all people together tell.

    1. A settlement decides, for the windows it was made of and for those nobody was shown: 1, 0,
       or NaN where it says "unsure".
    2. NaN and in dispute, if what one named person says makes the label present, and what another
       named person says makes it absent, each by the rules of
       :func:`~antiphon.labels.targets.window_targets` on their annotations alone. There is no
       vote: two against one leave it unknown as well.
    3. What those rules make of all annotations together.

    Only people can disagree, so only annotations with different names in ``annotator`` count. A
    table without a name may be by the very person who answers now; between it and others, present
    goes before absent as it always did, and a settlement corrects it. Where one table names
    several people, "all else in this recording is absent", which its import as complete adds,
    speaks for the table and not for one of them: those who divided the recordings among
    themselves do not contradict each other. Rows of one table under two names, as an export of
    several people's answers has them, do. "Unsure" contradicts nobody.

    Parameters
    ----------
    annotations
        As for :func:`~antiphon.labels.targets.window_targets`, with annotator, batch, source and
        low_hz.

    Returns
    -------
    Judged
        Other parameters and errors are those of that function.
    """
    asked = _Asked.of(
        recording, start_s, end_s, channel, labels, channels, (min_overlap, min_cover)
    )
    settled = _begins(annotations, SETTLE_BATCH)
    said = annotations.filter(pa.array(~settled))
    found = asked.tell(said)
    disputed = np.zeros(found.shape, dtype=bool)
    names = people(said)
    if len(_distinct(names)) > 1:
        rows = _shared(asked, said, names)
        told = list(_votes(asked.take(rows), said, names).values())
        present = np.any([vote == 1.0 for vote in told], axis=0)
        absent = np.any([vote == 0.0 for vote in told], axis=0)
        disputed[rows] = present & absent
        found[disputed] = np.nan
    if settled.any():
        verdict = annotations.filter(pa.array(settled))
        final = asked.tell(verdict)
        decided = ~np.isnan(final) | _undecidable(asked, verdict)
        decided &= asked.shown(verdict) | ~asked.shown(said)
        found[decided] = final[decided]
        disputed[decided] = False
    return Judged(found, disputed)


def votes(
    recording: npt.ArrayLike,
    start_s: npt.ArrayLike,
    end_s: npt.ArrayLike,
    channel: npt.ArrayLike,
    annotations: pa.Table,
    labels: Sequence[str],
    min_overlap: float = 0.5,
    min_cover: float = 0.99,
    channels: npt.ArrayLike | None = None,
) -> dict[str, Float32]:
    """Return what each named person alone tells, settlements left out.

    Parameters are those of :func:`judge_windows`.

    Returns
    -------
    dict
        ``(n, len(labels))`` float32 of 1, 0 and NaN, by name.
    """
    asked = _Asked.of(
        recording, start_s, end_s, channel, labels, channels, (min_overlap, min_cover)
    )
    said = annotations.filter(pa.array(~_begins(annotations, SETTLE_BATCH)))
    return _votes(asked, said, people(said))


def people(annotations: pa.Table) -> npt.NDArray[np.object_]:
    """Return the person behind each annotation, None where it speaks for no person in particular.

    See :func:`judge_windows`.
    """
    names = np.array(annotations.column("annotator").to_pylist(), dtype=object)
    sources = annotations.column("source").to_pylist()
    named: dict[str | None, set[str]] = {}
    for source, name in zip(sources, names.tolist(), strict=True):
        if name is not None:
            named.setdefault(source, set()).add(name)
    several = np.array([len(named.get(source, ())) > 1 for source in sources], dtype=bool)
    for_all = annotations.column("label").is_null().to_numpy().astype(bool)
    for_all &= annotations.column("start_s").is_null().to_numpy().astype(bool)
    names[several & for_all] = None
    return names


@dataclass(frozen=True, slots=True)
class _Asked:
    """Windows and labels that something is asked of, and the rules to tell by."""

    recording: npt.NDArray[np.int64]
    start_s: npt.NDArray[np.float64]
    end_s: npt.NDArray[np.float64]
    channel: npt.NDArray[np.int64]
    labels: Sequence[str]
    channels: npt.NDArray[np.int64] | None
    shares: tuple[float, float]

    @classmethod
    def of(
        cls,
        recording: npt.ArrayLike,
        start_s: npt.ArrayLike,
        end_s: npt.ArrayLike,
        channel: npt.ArrayLike,
        labels: Sequence[str],
        channels: npt.ArrayLike | None,
        shares: tuple[float, float],
    ) -> _Asked:
        return cls(
            np.asarray(recording, np.int64),
            np.asarray(start_s, np.float64),
            np.asarray(end_s, np.float64),
            np.asarray(channel, np.int64),
            labels,
            None if channels is None else np.asarray(channels, np.int64),
            shares,
        )

    def take(self, rows: npt.NDArray[np.int64]) -> _Asked:
        return _Asked(
            self.recording[rows],
            self.start_s[rows],
            self.end_s[rows],
            self.channel[rows],
            self.labels,
            None if self.channels is None else self.channels[rows],
            self.shares,
        )

    def tell(self, annotations: pa.Table, shown: Bool | None = None) -> Float32:
        return window_targets(
            self.recording,
            self.start_s,
            self.end_s,
            self.channel,
            annotations,
            self.labels,
            *self.shares,
            channels=self.channels,
            shown=shown,
        )

    def shown(self, annotations: pa.Table) -> Bool:
        return directly_said(
            self.recording, self.start_s, self.end_s, self.channel, annotations, self.labels
        )


def _votes(asked: _Asked, said: pa.Table, names: npt.NDArray[np.object_]) -> dict[str, Float32]:
    # Where anybody was asked directly, nobody's word on a window beside it counts.
    shown = asked.shown(said)
    return {
        name: asked.tell(said.filter(pa.array(names == name)), shown) for name in _distinct(names)
    }


def _shared(asked: _Asked, said: pa.Table, names: npt.NDArray[np.object_]) -> npt.NDArray[np.int64]:
    """Return the windows that two people or more speak of."""
    windows = Windows(asked.recording, asked.start_s, asked.end_s, asked.channel)
    count = np.zeros(len(windows), np.int64)
    for name in _distinct(names):
        touched = np.zeros(len(windows), dtype=bool)
        spans = read_spans(said.filter(pa.array(names == name)), asked.labels)
        for window, _, _ in windows.pairs(spans):
            touched[window] = True
        count += touched
    return np.flatnonzero(count > 1).astype(np.int64)


def _undecidable(asked: _Asked, verdict: pa.Table) -> Bool:
    """Return where a settlement says "unsure": that nobody can tell."""
    unsure = verdict.filter(pc.equal(verdict.column("presence"), UNSURE))
    place = unsure.schema.get_field_index("presence")
    as_present = unsure.set_column(
        place, "presence", pa.array([PRESENT] * unsure.num_rows, pa.string())
    )
    found: Bool = asked.tell(as_present) == 1.0
    return found


def _begins(annotations: pa.Table, text: str) -> Bool:
    begins = pc.starts_with(annotations.column("batch").cast(pa.string()), pattern=text)
    found: Bool = pc.fill_null(begins, False).to_numpy().astype(bool)
    return found


def _distinct(names: npt.NDArray[np.object_]) -> list[str]:
    return sorted({str(name) for name in names.tolist() if name is not None})

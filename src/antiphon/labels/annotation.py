"""Annotations as one Arrow table: who said what about which span of which recording."""

from __future__ import annotations

import pyarrow as pa

PRESENT = "present"
ABSENT = "absent"
UNSURE = "unsure"
PRESENCES = (PRESENT, ABSENT, UNSURE)

ANNOTATION_SCHEMA = pa.schema(
    [
        # The recording as the source names it: a path, a file name or a stem.
        pa.field("recording", pa.string(), nullable=False),
        # Seconds from the start of the recording; null bounds mean the whole recording.
        pa.field("start_s", pa.float64()),
        pa.field("end_s", pa.float64()),
        # Hz; null where the source gives no band.
        pa.field("low_hz", pa.float64()),
        pa.field("high_hz", pa.float64()),
        # Zero-based channel; null for all channels.
        pa.field("channel", pa.int16()),
        # The label's name; null (with presence "absent") speaks of every label in ``scope``.
        pa.field("label", pa.string()),
        pa.field("presence", pa.string(), nullable=False),
        # The labels a null label stands for; null means every label there is or will be.
        pa.field("scope", pa.list_(pa.string())),
        # 0 to 1, as the annotator or the source stated it.
        pa.field("confidence", pa.float64()),
        pa.field("annotator", pa.string()),
        pa.field("note", pa.string()),
    ]
)
"""Columns of an annotation table. Present and unsure rows win over absent ones that overlap
them, so "absent over the whole recording" plus boxes says that a recording was fully reviewed."""

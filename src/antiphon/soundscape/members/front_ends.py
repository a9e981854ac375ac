"""Which members can share what a front end computes."""

from __future__ import annotations

import hashlib
import json

from antiphon.encoders.manifest import Manifest


def network_key(manifest: Manifest) -> str:
    """Return a key that is equal for networks whose input tensors are equal.

    That is the case for the same rate, context, front end and input layout; names of tensors do
    not matter.
    """
    entry = manifest.input
    facts = {
        "sample_rate": manifest.sample_rate,
        "samples": round(manifest.window_s * manifest.sample_rate),
        "front_end": manifest.front_end.model_dump(mode="json"),
        "layout": entry.layout,
        "channels": entry.channels if "C" in entry.layout else 1,
    }
    text = json.dumps(facts, sort_keys=True, separators=(",", ":"))
    return "network:" + hashlib.sha256(text.encode()).hexdigest()[:16]

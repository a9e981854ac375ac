"""Batch sizes with which a strategy was published."""

from __future__ import annotations

# Batches by strategy: "25x4,50x2" is four of 25, then two of 50. Each is for 500 labels.
# Those of the challenge's systems follow from their reported relative cost, which is the number
# of batches over the baselines' ten.
SUGGESTED: dict[str, str] = {
    "adu-mmr": "25x20",
    "antiphon": "25x4,50x5,75x2",
    "care-dpp": "25x4,50x5,75x2",
    "coreset-kmeans": "50x10",
    "safe-rarity": "50x10",
}

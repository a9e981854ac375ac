"""An encoder for short recordings of noise: quick, and fit for 8 kHz."""

from __future__ import annotations

from typing import Any

SMALL: dict[str, Any] = {"sample_rate": 8000, "window_s": 0.5, "n_mels": 32, "dim": 16}

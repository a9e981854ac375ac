"""A process that embeds a project with an encoder that writes down every window it is given."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from antiphon.api import Project
from antiphon.encoders.base import Encoded, EncoderSpec
from antiphon.pipeline.embed import embed


class Logged:
    """Four copies of a window's first sample, which says which recording and window it is."""

    spec = EncoderSpec("logged", 8000, 0.25, 0.25, 4)

    def __init__(self, log: Path, pause_s: float) -> None:
        self._log = log
        self._pause_s = pause_s

    def prepare(self, audio: Any, valid: Any) -> Any:
        return audio

    def encode(self, audio: Any) -> Encoded:
        time.sleep(self._pause_s)
        with self._log.open("a") as stream:
            stream.write("".join(f"{round(float(a[0]) * 32768)}\n" for a in audio))
        return Encoded(np.stack([audio[:, 0]] * 4, axis=1).astype(np.float32))


def work(folder: Path, log: Path, pause_s: float) -> None:
    embed(Project(folder).folder, Logged(log, pause_s))


if __name__ == "__main__":
    work(Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3]))

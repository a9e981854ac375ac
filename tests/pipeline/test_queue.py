"""Which windows a strategy may ask a person about."""

from __future__ import annotations

import numpy as np
import soundfile

from antiphon.api import Project
from antiphon.pipeline.windows import load_windows, long_enough

RATE = 16_000


def test_ends_of_recordings_are_not_asked_about(tmp_path):
    rng = np.random.default_rng(0)
    audio = tmp_path / "audio"
    audio.mkdir()
    # Windows of 1 s: the first file ends with 10 ms, the second with 0.4 s, the third is 0.1 s.
    for name, seconds in (("a", 3.01), ("b", 2.4), ("c", 0.1)):
        noise = rng.standard_normal(round(seconds * RATE)) * 0.1
        soundfile.write(audio / f"{name}.wav", noise, RATE)
    project, _ = Project.create(tmp_path / "p", audio=[audio])
    project.embed("spectral", window_s=1.0, sample_rate=RATE)
    windows = load_windows(project.folder, project.table())
    length = np.round(windows.end_s - windows.start_s, 3)
    assert sorted(length) == [0.01, 0.1, 0.4, 1.0, 1.0, 1.0, 1.0, 1.0]
    assert sorted(length[long_enough(windows)]) == [0.1, 0.4, 1.0, 1.0, 1.0, 1.0, 1.0]
    for strategy in ("antiphon", "random"):
        asked = project.next(8, strategy=strategy)
        assert len(asked) == 7
        assert min(item.window.end_s - item.window.start_s for item in asked) > 0.05

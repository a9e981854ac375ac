"""A detector in a few lines, on soundscapes that this script synthesises.

Run it with: python examples/first_detector.py [FOLDER]
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from antiphon import Project
from antiphon.audio.synthesis.dataset import write_dataset


def main(folder: Path) -> None:
    # Recordings with Raven tables of everything that calls in them. With your own recordings,
    # start at Project.create.
    made = write_dataset(folder / "soundscapes", seed=1, sites=3, days=2, duration_s=30.0)

    project, found = Project.create(
        folder / "project",
        audio=[folder / "soundscapes" / "audio"],
        metadata=[folder / "soundscapes" / "metadata.csv"],
    )
    print(f"{len(found.sync.added)} recordings")

    done = project.embed("spectral")
    print(f"{done.total_windows} windows of {done.table}")

    # Two of the three sites were reviewed in full; the third waits for the detector.
    for facts in made.recordings:
        if facts.planned.site.index < 2:
            project.import_labels(facts.table, complete=True, label_column="Species")
    print("Present annotations:", sum(project.status().labels.values()))

    trained = project.train(precision=0.9, group_by="recording")
    for name, threshold in zip(trained.detector.labels, trained.detector.thresholds, strict=True):
        print(f"  {name}: threshold {threshold.value:.2f}, precision {threshold.precision:.2f}")

    print("What to label next:", project.next(3, strategy="margin")[0].window.path)
    print("Detections:", project.detect().path)
    print("Report:", project.report())


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as place:
            main(Path(place))

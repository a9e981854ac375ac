"""A soundscape challenge from end to end, on a synthetic Pantanal whose hidden truth is known.

    python examples/soundscape/pantanal/run.py --work pantanal --quick

Folds of a detection network on focal clips, rounds of pseudo-labels, a probe on embeddings with a
planted leak, one evaluation of what helped, an ensemble within a budget, and the hidden truth last.
Every step is a command that is printed; run again, what is done is not done again. Without
``--quick`` the world, the networks and the rounds are larger: hours instead of minutes.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from report import write_report

from antiphon.evaluation.blending.files.submission import read_scores, write_scores

HERE = Path(__file__).parent
NETWORKS = ("sed", "pseudo")
SYSTEMS = (*NETWORKS, "probe")


@dataclass(frozen=True)
class Scale:
    """How large everything is."""

    world: tuple[str, ...]
    folds: int
    student: dict[str, Any] = field(default_factory=dict)
    gammas: tuple[float, ...] = (1.0, 1.54)


QUICK = Scale(
    world=(
        "--soundscapes",
        "120",
        "--minutes",
        "0.5",
        "--focal",
        "200",
        "--focal-seconds",
        "5",
        "9",
    ),
    folds=3,
    student={"loop.steps": 120, "augment.noise": None, "data.folds.most_windows": 2},
    gammas=(1.0,),
)
FULL = Scale(world=("--soundscapes", "200", "--focal", "800"), folds=5)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--work", type=Path, required=True, help="the folder of everything")
    parser.add_argument("--quick", action="store_true", help="minutes instead of hours")
    parser.add_argument("--seed", type=int, default=0, help="of the world")
    parser.add_argument("--budget", default="10m", help="for scoring the test soundscapes")
    chosen = parser.parse_args()
    scale = QUICK if chosen.quick else FULL
    work: Path = chosen.work
    work.mkdir(parents=True, exist_ok=True)
    settle(work, scale)
    run = Runner(work)
    run("synthesise", "pantanal", "--out", "world", "--seed", str(chosen.seed), *scale.world)
    train(run, scale)
    probes(run, scale)
    score(run, scale, "train_soundscapes")
    audit(run)
    choose(run)
    submit(run, scale, chosen.budget)
    print(write_report(work, run.took))


class Runner:
    """Runs ``antiphon`` in the work folder, says what it runs, and how long that takes."""

    def __init__(self, work: Path) -> None:
        self.work = work
        self.took: dict[str, tuple[float, float]] = {}

    def __call__(self, *words: str, accept: tuple[int, ...] = (0,)) -> int:
        print("\n$ antiphon", *words, flush=True)
        began = now()
        code = subprocess.run(
            [sys.executable, "-m", "antiphon", *words], cwd=self.work, check=False
        ).returncode
        self.add(" ".join(words[:2]) if words[0] == "soundscape" else words[0], began)
        if code not in accept:
            sys.exit(f"antiphon {words[0]} ended with exit code {code}.")
        return code

    def add(self, what: str, began: tuple[float, float]) -> None:
        """Note under a name the seconds since ``began``, on the clock and of processors."""
        before = self.took.get(what, (0.0, 0.0))
        passed = (end - start for end, start in zip(now(), began, strict=True))
        self.took[what] = (before[0] + next(passed), before[1] + next(passed))


def now() -> tuple[float, float]:
    """Return the time on the clock and that of processors, of this process and its children."""
    usage = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return time.monotonic(), sum(one.ru_utime + one.ru_stime for one in usage)


def settle(work: Path, scale: Scale) -> None:
    """Write the settings into the work folder, at this scale."""
    for name in ("student", "rounds", "ensemble"):
        data = yaml.safe_load((HERE / f"{name}.yaml").read_text(encoding="utf-8"))
        if name == "student":
            for key, value in scale.student.items():
                *path, last = key.split(".")
                place = data
                for part in path:
                    place = place[part]
                place[last] = value
            data["data"]["folds"]["count"] = scale.folds
        elif name == "rounds":
            data["teachers"] = data["teachers"][: scale.folds]
            data["rounds"] |= {"folds": scale.folds, "gammas": list(scale.gammas)}
        else:
            names = members(scale)
            data["members"] = [m for m in data["members"] if m["name"] in (*names, "probe")]
            for group in data["groups"].values():
                group["of"] = {name: w for name, w in group["of"].items() if name in names}
        (work / f"{name}.yaml").write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")


def members(scale: Scale) -> list[str]:
    """Return the names of the networks of the ensemble."""
    return [f"{kind}-fold{k}" for kind in NETWORKS for k in range(scale.folds)]


def train(run: Runner, scale: Scale) -> None:
    """Train the folds, export them, and let them teach students."""
    run("train-detector", "student.yaml", "--folds", "--out", "sed")
    for k in range(scale.folds):
        if not (run.work / f"models/sed-fold{k}").is_dir():
            run(
                "export-encoder", f"sed/fold-{k}", "--out", f"models/sed-fold{k}",
                "--audio", "world/train_audio", "--windows", "16",
            )  # fmt: skip
    run("pseudo-label", "rounds.yaml", "--out", str(run.work.resolve() / "pseudo"))
    # The students of the last round, kept or not: the evaluation below judges for itself.
    last = run.work / f"pseudo/round-{len(rounds_of(run.work))}"
    for k in range(scale.folds):
        there = run.work / f"models/pseudo-fold{k}"
        if not there.is_dir():
            shutil.copytree(last / f"network-{k}", there)


def rounds_of(work: Path) -> list[Path]:
    """Return the folders of the rounds whose students are trained."""
    return sorted(path.parent for path in (work / "pseudo").glob("round-[1-9]*/students.json"))


def probes(run: Runner, scale: Scale) -> None:
    """Fit the probes, the leaking one among them."""
    if (run.work / "probe/probe.safetensors").is_file():
        return
    from probe import make_probes

    print("\n$ probe.py: embed focal clips and soundscapes, fit linear heads", flush=True)
    began = now()
    make_probes(run.work / "world", run.work / "probe", folds=5, l2=100.0)
    run.add("probe", began)


def score(run: Runner, scale: Scale, folder: str) -> None:
    """Score the soundscapes of a folder by every member, and average the folds of a network."""
    out = run.work / "scores" / folder
    if (out / "pseudo.csv").is_file():
        return
    run(
        "soundscape", "run", f"world/{folder}", "--ensemble", "ensemble.yaml",
        "--out", f"scores/{folder}.csv", "--member-scores", f"scores/{folder}",
    )  # fmt: skip
    for kind in NETWORKS:
        average(run.work, scale, folder, kind)


def average(work: Path, scale: Scale, folder: str, kind: str) -> None:
    """Write the mean of a network's folds; classes that it never heard get the least score."""
    sample = read_scores(work / "world/sample_submission.csv").classes
    files = [read_scores(work / f"scores/{folder}/{kind}-fold{k}.csv") for k in range(scale.folds)]
    rows, classes = files[0].rows, files[0].classes
    if any((file.rows, file.classes) != (rows, classes) for file in files):
        sys.exit(f"The folds of {kind} have not scored the same windows and classes.")
    full = np.zeros((len(rows), len(sample)))
    mean = np.mean([file.score for file in files], axis=0)
    full[:, [sample.index(name) for name in classes]] = mean
    write_scores(work / f"scores/{folder}/{kind}.csv", rows, sample, full)


def audit(run: Runner) -> None:
    """Judge with the leak: undeclared, it must be caught; declared, it is not evaluable.

    What a leak remembers shows against what the others hear, so they are models of its own kind:
    weak networks, as those of the quick scale, would blur what is heard.
    """
    words = [
        "blend", *(f"{name}=probe/{name}.csv" for name in ("probe_focal", "probe", "probe_leak")),
        "--truth", "world/train_soundscapes_labels.csv", "--trained-on", "probe_focal=none",
        "--out-of-fold", "probe=probe/probe-folds.csv",
    ]  # fmt: skip
    run(*words, "--out", "audit-undeclared")
    run(*words, "--trained-on", "probe_leak=probe/labelled.csv", "--out", "audit-declared")


def choose(run: Runner) -> None:
    """Say what helped by paired intervals, and take the weights that this recommends."""
    run(
        "blend", "sed=scores/train_soundscapes/sed.csv",
        "pseudo=scores/train_soundscapes/pseudo.csv", "probe=probe/probe.csv",
        "--truth", "world/train_soundscapes_labels.csv",
        "--trained-on", "sed=none", "--trained-on", "pseudo=none",
        "--out-of-fold", "probe=probe/probe-folds.csv", "--taxonomy", "world/taxonomy.csv",
        "--search", "--step", "smooth:0.1,0.8,0.1", "--step", "mean:0.3@Insecta,Amphibia",
        "--step", "prior:0.5", "--out", "evaluation",
    )  # fmt: skip
    run("soundscape", "weights", "ensemble.yaml", "evaluation/report.json", "--out", "final.yaml")


def submit(run: Runner, scale: Scale, budget: str) -> None:
    """Score the hidden test within a budget, check the file, and open the truth."""
    sample = "world/sample_submission.csv"
    # 3: every row scored, but not all members had the time.
    run(
        "soundscape", "run", "world/test_soundscapes", "--ensemble", "final.yaml",
        "--budget", budget, "--sample", sample, "--out", "submission.csv",
        "--member-scores", "scores/test_soundscapes",
        accept=(0, 3),
    )  # fmt: skip
    run("soundscape", "check", "submission.csv", "--sample", sample)
    known = [name for name in SYSTEMS if group_scored(run.work, scale, name)]
    run(
        "blend", "ensemble=submission.csv",
        *(f"{name}=scores/test_soundscapes/{name}.csv" for name in known),
        "--truth", "world/truth/test_soundscapes_labels.csv",
        *(word for name in ("ensemble", *known) for word in ("--trained-on", f"{name}=none")),
        "--out", "board",
    )  # fmt: skip


def group_scored(work: Path, scale: Scale, name: str) -> bool:
    """Average a network's folds on the test; False if the ensemble left it out."""
    folder = work / "scores/test_soundscapes"
    if name == "probe":
        return (folder / "probe.csv").is_file()
    if not all((folder / f"{name}-fold{k}.csv").is_file() for k in range(scale.folds)):
        return False
    average(work, scale, "test_soundscapes", name)
    return True


if __name__ == "__main__":
    main()

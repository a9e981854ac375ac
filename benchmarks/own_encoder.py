"""The built-in encoder's recipe and its ablation: trained on synthesised sounds, judged on others.

    python benchmarks/own_encoder.py --out RUN [--arm sl ...] [--scale 1.0] [--device gpu]

Each arm is trained by the settings in ``examples/own-encoder``, exported, and judged beside
``spectral`` on sound classes that no arm has heard (synthesised with another seed) and, where
ANTIPHON_REAL_DATA names the folder of development recordings, on ESC-10 and Bengalese finches. What
is to be chosen is chosen on the synthesised classes; the recordings are for the report.

The arms of the ablation take a sixth of the steps in those files, ``antiphon-mini`` all of them;
``--scale`` multiplies both. A run that was stopped goes on where it was.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "2")

import argparse
import csv
import datetime
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from antiphon.audio.synthesis.repertoire.folder import write_repertoire
from antiphon.audio.synthesis.repertoire.folder_tables import FolderSettings
from antiphon.cli.show import RichReporter
from antiphon.evaluation.benchmarks.embedding.encoder_refs import parse_encoders
from antiphon.evaluation.benchmarks.folder import ResultFolder
from antiphon.evaluation.benchmarks.output.exports import markdown, write_exports
from antiphon.evaluation.benchmarks.output.table import make_table
from antiphon.evaluation.benchmarks.runner import Asked, run_suite
from antiphon.evaluation.benchmarks.sets.judged_sets import local_sources
from antiphon.training.config import load_run_config
from antiphon.training.export.config import ExportConfig
from antiphon.training.export.exporting import export_encoder
from antiphon.training.loop.run import run_stage
from machine import processor

EXAMPLES = Path(__file__).parents[1] / "examples" / "own-encoder"
# Of the classes that encoders are judged on; the arms hear those of seed 0.
UNHEARD_SEED = 1_000
UNHEARD = {"n_bio": 60, "n_general": 40}

# What the arms hear: classes of animals, classes of other sounds, clips.
SOUNDS = {"bio": (1000, 0, 30_000), "general": (0, 700, 20_000)}
BIO_ONLY = {"sounds": ("bio",)}
PLAIN = {"augment": {"polarity": 0.5}}
VIT = {"backbone": {"kind": "vit", "size": "tiny", "patch": {"time": 8, "mel": 16}}}
VIT |= {"optimiser.lr": 1e-3}
DRAWN = {"loop.steps": 1, "optimiser.lr": 1e-12, "optimiser.final_lr": 0.0}
SHARE = 1 / 6


@dataclass(frozen=True)
class Arm:
    """Stages of an arm in order, each with what it changes in the settings."""

    text: str
    stages: tuple[tuple[str, dict[str, Any]], ...]
    share: float = SHARE


ARMS = {
    "untrained": Arm("CNN, weights as drawn", (("labels", DRAWN),)),
    "sl": Arm("CNN, labels only", (("labels", {}),)),
    "sl-bio": Arm("CNN, labels only, no general sounds", (("labels", BIO_ONLY),)),
    "sl-plain": Arm("CNN, labels only, no noise and no mixup", (("labels", PLAIN),)),
    "vit-sl": Arm("ViT, labels only", (("labels", VIT),)),
    "vit-ssl": Arm("ViT, self-supervision only", (("audio", {}),)),
    "vit-ssl-sl": Arm("ViT, self-supervision, then labels", (("audio", {}), ("labels", VIT))),
    "antiphon-mini": Arm("CNN, labels only, six times the steps", (("labels", {}),), share=1.0),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--arm", action="append", choices=sorted(ARMS))
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--train-only", action="store_true", help="do not judge the encoders")
    parser.add_argument("--precision", default="bf16", help="of training: fp32, bf16 or fp16")
    parser.add_argument("--sounds", type=Path, help="folder of the training sounds; OUT/sounds")
    parser.add_argument("--unheard", type=int, default=2000, help="clips of unheard classes")
    asked = parser.parse_args()
    load = ", ".join(f"{x:.1f}" for x in os.getloadavg())
    print(f"{processor()}, load {load}, {datetime.date.today().isoformat()}, seed {asked.seed}, "
          f"scale {asked.scale:g}\n")  # fmt: skip
    manifests = {name: encoder_of(name, asked) for name in asked.arm or ARMS}
    if not asked.train_only:
        judge([*(str(m) for m in manifests.values()), "spectral"], asked)


def encoder_of(name: str, asked: argparse.Namespace) -> Path:
    """Train an arm, unless it is trained, and return the manifest of its encoder."""
    began, cpu = time.perf_counter(), time.process_time()
    before = None
    for number, (stage, changes) in enumerate(ARMS[name].stages):
        before = train(stage, changes, name, number, before, asked)
    assert before is not None
    folder = asked.out / "encoders" / name
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        export_encoder(before, folder, ExportConfig(name=name, scores=False))
    print(f"{name} ({ARMS[name].text}): {time.perf_counter() - began:.0f} s, "
          f"{time.process_time() - cpu:.0f} CPU-s of the main process\n")  # fmt: skip
    return folder / f"{name}.yaml"


def run_name(name: str, number: int) -> str:
    """Name a stage's run so that arms which begin alike share it."""
    arm = ARMS[name]
    shared = [
        other
        for other, one in ARMS.items()
        if one.share == arm.share and one.stages[: number + 1] == arm.stages[: number + 1]
    ]
    return f"{min(shared)}-{number}"


def train(
    stage: str,
    changes: dict[str, Any],
    name: str,
    number: int,
    before: Path | None,
    asked: argparse.Namespace,
) -> Path:
    """Run one stage of an arm in a folder of its own and return that."""
    changes = dict(changes)
    values: dict[str, Any] = {
        "seed": asked.seed,
        "loop.device": asked.device,
        "loop.precision": asked.precision,
        "data.workers": asked.workers,
        **sounds(changes.pop("sounds", tuple(SOUNDS)), asked),
        **changes,
    }
    plain = load_run_config(EXAMPLES / f"{stage}.yaml")
    values.setdefault(
        "loop.steps", max(2, round(plain.loop.steps * ARMS[name].share * asked.scale))
    )
    if before is not None:
        values.pop("backbone", None)
        values |= {"init_from": str(before.resolve()), "front_end": None, "backbone": None}
    config = load_run_config(EXAMPLES / f"{stage}.yaml", values)
    folder: Path = asked.out / "runs" / run_name(name, number)
    run_stage(config, folder, reporter=RichReporter())
    return folder


def sounds(domains: tuple[str, ...], asked: argparse.Namespace) -> dict[str, Any]:
    """Write the sounds of domains, unless they are written, and return them as settings."""
    sources = []
    for domain in domains:
        folder = (asked.sounds or asked.out / "sounds").resolve() / domain
        bio, general, clips = SOUNDS[domain]
        settings = FolderSettings(
            seed=asked.seed, n_bio=bio, n_general=general, levels=("class", "family")
        )
        write_repertoire(folder, clips=clips, validation=0, settings=settings)
        tables = {"labels": str(folder / "labels.csv"), "metadata": str(folder / "clips.csv")}
        source = {"kind": "folder", "name": domain, "domain": domain, "path": str(folder)}
        sources.append({**source, **tables, "exhaustive": "all", "split_column": "split"})
    weights = {"bio": 3, "general": 2}
    return {"data.sources": sources, "data.mix": {name: weights[name] for name in domains}}


def judge(encoders: list[str], asked: argparse.Namespace) -> None:
    """Print the tables of unheard classes and of the development recordings."""
    unheard = asked.out / "unheard"
    settings = FolderSettings(seed=UNHEARD_SEED, **UNHEARD)
    write_repertoire(unheard, clips=asked.unheard, validation=0, settings=settings)
    labels = single_class_clips(unheard)
    print("## Unheard synthesised classes, clips with one of them\n")
    table(unheard, ["classification"], encoders, asked.out / "judged-unheard", asked, labels)
    given = os.environ.get("ANTIPHON_REAL_DATA")
    if not given or not Path(given).is_dir():
        print("No recordings: set ANTIPHON_REAL_DATA to the folder of the development recordings.")
        return
    for name, families in (
        ("esc10", ["classification"]),
        ("bengalese_finch", ["repertoire", "individual"]),
    ):
        if (Path(given) / name).is_dir():
            print(f"## {name}\n")
            table(Path(given) / name, families, encoders, asked.out / f"judged-{name}", asked)


def single_class_clips(folder: Path) -> Path:
    """Write a table of the clips in which exactly one class is heard; return it."""
    path = folder / "single.csv"
    with (folder / "clips.csv").open(encoding="utf-8") as given, path.open("w") as out:
        out.write("filename,label\n")
        for row in csv.DictReader(given):
            if row["classes"] and ";" not in row["classes"]:
                out.write(f"{row['filename']},{row['classes']}\n")
    return path


def table(
    folder: Path,
    families: list[str],
    encoders: list[str],
    out: Path,
    options: argparse.Namespace,
    labels: Path | None = None,
) -> None:
    """Judge encoders on a folder and print measures with intervals."""
    sources, _ = local_sources([folder], labels=labels, families=families, each_individual=True)
    asked = Asked(tuple(sources), parse_encoders(encoders), out, workers=max(1, options.workers))
    report = run_suite(asked)
    for failure in report.failed:
        print(f"Not judged: {failure.what}: {failure.reason}\n")
    results, _ = ResultFolder(out).results()
    made = make_table(results)
    write_exports(out, made, results)
    print(markdown(made))
    print()


if __name__ == "__main__":
    main()

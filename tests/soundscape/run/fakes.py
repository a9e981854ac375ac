"""Members whose faults are chosen, and small worlds of recordings for them."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import yaml

from antiphon.soundscape.ensemble.config import read_ensemble
from antiphon.soundscape.members.member import MemberScores, Prepared
from antiphon.soundscape.run.job import MemberSpec

RATE = 1000
SOURCE = f"{__name__}:specs"
FAULTS_ABOVE = 0.9
"""A member with a fault shows it on audio of this level or more."""

_IN_THE_FILE = ("priority", "context_hop_s", "stride", "shifts", "class_map")


@dataclass(frozen=True)
class Fake:
    """Scores class ``c`` of a context with its mean magnitude over ``c + 1``, and may fail."""

    name: str
    classes: tuple[str, ...]
    context_s: float = 5.0
    sample_rate: int = RATE
    front_end_key: str = "magnitude"
    sleep_s: float = 0.0
    fault: str = ""
    log: str = ""

    def prepare(self, audio: np.ndarray, valid: np.ndarray) -> Prepared:
        level = np.abs(audio).sum(axis=1) / valid
        if self.fault == "front end" and level.max() > FAULTS_ABOVE:
            raise RuntimeError("no spectrum today")
        return Prepared(level.astype(np.float32), valid)

    def score(self, prepared: Prepared) -> MemberScores:
        time.sleep(self.sleep_s * len(prepared))
        level = prepared.features
        if level.max() > FAULTS_ABOVE and self.fault:
            _fail(self.fault)
        if self.log:
            with Path(self.log).open("a") as file:
                file.write(f"{self.name} {len(prepared)}\n")
        parts = 1.0 / np.arange(1, len(self.classes) + 1, dtype=np.float32)
        scores = level[:, None] * parts
        if self.fault == "nan" and level.max() > FAULTS_ABOVE:
            scores[0, 0] = np.nan
        return MemberScores(scores.astype(np.float32), None)


def _fail(fault: str) -> None:
    if fault == "raise":
        raise ValueError("bad weather")
    if fault == "crash":
        ctypes.string_at(0)
    if fault == "abort":
        os.abort()
    if fault == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if fault == "exit":
        os._exit(7)
    if fault == "hang":
        threading.Event().wait()


def specs(ensemble: Path) -> list[MemberSpec]:
    """Return the members of an ensemble whose models are files of JSON."""
    found = []
    for member in read_ensemble(ensemble).members:
        assert member.model is not None
        facts: dict[str, Any] = json.loads(member.model.read_text())
        found.append(
            MemberSpec(
                name=member.name,
                key=f"{member.name}-{facts.pop('key', '')}",
                load=_loader(member.name, facts),
                priority=member.priority,
                hop_s=member.context_hop_s,
                shifts=tuple(member.shifts.items()),
                stride=member.stride,
            )
        )
    return found


def _loader(name: str, facts: dict[str, Any]) -> Any:
    def load(threads: int) -> Fake:
        if facts.get("fault") == "load":
            raise ImportError("no such runtime")
        return Fake(
            name, tuple(facts["classes"]), **{k: v for k, v in facts.items() if k != "classes"}
        )

    return load


def write_ensemble(
    folder: Path,
    members: Mapping[str, Mapping[str, Any]],
    classes: Sequence[str] = ("a", "b", "c"),
    **more: Any,
) -> Path:
    """Write an ensemble of fakes; keys of a member are those of the ensemble's file or of Fake."""
    folder.mkdir(parents=True, exist_ok=True)
    listed = []
    for name, given in members.items():
        own = {"classes": list(classes)}
        entry: dict[str, Any] = {"name": name, "model": f"{name}.json"}
        for key, value in given.items():
            (entry if key in ("priority", "context_hop_s", "stride", "shifts") else own)[key] = (
                value
            )
        (folder / f"{name}.json").write_text(json.dumps(own))
        listed.append(entry)
    blend = {"kind": "probability", "of": dict.fromkeys(members, 1)}
    facts = {"name": "fakes", "classes": list(classes), "members": listed, "blend": blend, **more}
    path = folder / "ensemble.yaml"
    path.write_text(yaml.safe_dump(facts, sort_keys=False))
    return path


def write_recordings(
    folder: Path, levels: Mapping[str, float], seconds: float = 20.0, rate: int = RATE
) -> Path:
    """Write recordings of a constant magnitude."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, level in levels.items():
        signs = np.where(np.arange(round(seconds * rate)) % 2, 1.0, -1.0)
        soundfile.write(folder / f"{name}.wav", signs * level, rate, subtype="FLOAT")
    return folder

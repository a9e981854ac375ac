"""Tones as species, members that measure them, and students that are quick to train."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from antiphon.soundscape.members.member import MemberScores, Prepared
from antiphon.training.pseudo.config import MassConfig, ScoringConfig, TeacherConfig
from antiphon.training.pseudo.out_of_fold import Soundscape, write_trained_on
from antiphon.training.pseudo.store import TeacherFacts, read_labels
from antiphon.training.pseudo.students import Trained
from antiphon.training.pseudo.teachers import MemberTeacher, Teacher
from tests.training.data.making import RATE, tone, write, write_csv

CLASSES = ("frog", "wren")
PITCH = {"frog": 200.0, "wren": 400.0}

Song = tuple[str, float, float]
"""Class, start and end in seconds."""


class ToneMember:
    """Hears the tones of classes: a frame's probability grows with the power at its pitch.

    ``deaf`` takes away from what it hears of each class; ``frames`` False makes it one of clips.
    """

    def __init__(
        self,
        name: str = "tones",
        *,
        deaf: Sequence[float] = (0.0, 0.0),
        frames: bool = True,
        clip: bool = False,
        context_s: float = 2.0,
        classes: tuple[str, ...] = CLASSES,
    ) -> None:
        self.name, self.classes, self.sample_rate = name, classes, RATE
        self.context_s, self.front_end_key = context_s, "none"
        self._deaf, self._frames, self._clip = deaf, frames, clip
        self.heard = 0

    def prepare(self, audio: np.ndarray, valid: np.ndarray) -> Prepared:
        return Prepared(audio, valid)

    def score(self, prepared: Prepared) -> MemberScores:
        self.heard += len(prepared)
        audio = prepared.features
        per = RATE // 4
        pieces = audio.reshape(len(audio), -1, per)
        t = np.arange(per) / RATE
        found = []
        for name, deaf in zip(self.classes, self._deaf, strict=True):
            wave = np.exp(-2j * np.pi * PITCH[name] * t)
            # A tone of amplitude 0.3 gives 0.15; four times that is 0.6.
            found.append(np.clip(6 * np.abs(pieces @ wave) / per - deaf, 0.0, 1.0))
        frames = np.stack(found, axis=2).astype(np.float32)
        clip = frames.max(axis=1) if self._clip or not self._frames else None
        return MemberScores(clip, frames if self._frames else None)


def teacher(member: ToneMember, hop_s: float | None = None) -> MemberTeacher:
    facts = TeacherFacts(member.name, f"print of {member.name} {member._deaf}", "none")
    return MemberTeacher(member, facts, ScoringConfig(context_hop_s=hop_s, batch=3))


def soundscape(path: Path, seconds: float, songs: Sequence[Song], seed: int = 0) -> Path:
    """Write noise with the tones of some classes at some times."""
    rng = np.random.default_rng([seed, *path.name.encode()])
    audio = 0.01 * rng.standard_normal(round(seconds * RATE)).astype(np.float32)
    for name, start, end in songs:
        length = round((end - start) * RATE)
        at = round(start * RATE)
        audio[at : at + length] += tone(PITCH[name], end - start)[:length]
    return write(path, audio)


class CountingStudents:
    """Students whose ears get better with the mass of their labels, by a plan of deafness.

    Student ``fold`` of a round is deaf by ``plan[round][class]``; it never heard the recordings of
    its fold, which are every ``folds``-th.
    """

    def __init__(self, plan: Sequence[Sequence[float]], folds: int = 2) -> None:
        self._plan, self._folds = plan, folds
        self.trained: list[str] = []
        self.weights: list[float] = []
        self._recordings: list[Soundscape] = []

    def focal_mass(self, classes: Sequence[str]) -> np.ndarray:
        return np.array([8.0 for _ in classes])

    def prepare(self, recordings: Sequence[Soundscape], out: Path) -> None:
        self._recordings = list(recordings)

    def train(
        self, labels: Path | None, weight: float, caps: MassConfig | None, out: Path, note: object
    ) -> Trained:
        self.trained.append(out.name)
        self.weights.append(weight)
        if labels is not None:
            assert len(read_labels(labels))
        number = int(out.name.rpartition("-")[2])
        students = []
        for fold in range(self._folds):
            mine = [one for i, one in enumerate(self._recordings) if i % self._folds != fold]
            rows = [(one.stem, one.site or "", one.content) for one in mine]
            seen = write_trained_on(out / f"trained_on-{fold}.csv", rows)
            model = out / f"fold{fold}.json"
            model.write_text(json.dumps(list(self._plan[number])))
            students.append(TeacherConfig(name=f"fold{fold}", model=model, trained_on=seen))
        return Trained(tuple(students), {"share": 0.5})


def open_tones(config: TeacherConfig) -> Teacher:
    """Open what :class:`CountingStudents` left."""
    text = config.model.read_text()
    member = ToneMember(config.name, deaf=json.loads(text))
    facts = TeacherFacts(
        config.name, hashlib.blake2b(text.encode(), digest_size=8).hexdigest(), str(config.model)
    )
    return MemberTeacher(member, facts, ScoringConfig())


def world(root: Path, unlabelled: int = 6, held: int = 6) -> Path:
    """Write soundscapes to label, labelled ones to be judged by, and their truth; return settings.

    Every other one has the frog, two of three the wren, and some both at once.
    """
    rows = []
    for folder, count, first in (("unlabelled", unlabelled, 1), ("labelled", held, 50)):
        for i in range(count):
            name = f"X_{i:03d}_S{first + i:02d}_20250101_000000"
            songs: list[Song] = []
            songs += [("frog", 1.0, 3.5)] if i % 2 == 0 else []
            songs += [("wren", 2.0, 5.0)] if i % 3 else []
            soundscape(root / folder / f"{name}.wav", 6.0, songs, seed=first)
            for start in range(0, 6, 2):
                present = sorted({s for s, low, high in songs if low < start + 2 and high > start})
                if folder == "labelled":
                    rows.append([f"{name}.wav", start, start + 2, ";".join(present)])
    write_csv(root / "truth.csv", ["filename", "start", "end", "primary_label"], rows)
    settings = root / "rounds.yaml"
    settings.write_text(
        "name: tones\n"
        "audio: {path: unlabelled}\n"
        "targets: {window_s: 2, frame_s: 0.25, floor: 0.1}\n"
        "rounds:\n"
        "  student: student.yaml\n"
        "  folds: 2\n"
        "  gammas: [1.0, 1.54, 1.82]\n"
        "  held_out: {audio: labelled, truth: truth.csv, resamples: 50}\n"
    )
    return settings

"""From an ensemble's file to members that can be loaded, and what makes them the same again."""

from __future__ import annotations

import hashlib
import json
from glob import escape
from pathlib import Path
from typing import Any

from antiphon.encoders.manifest import Manifest, load_manifest
from antiphon.encoders.modelfile import check_sha256, find_beside, find_model
from antiphon.errors import FileError
from antiphon.soundscape.ensemble.config import EnsembleConfig, MemberConfig, read_ensemble
from antiphon.soundscape.members.member import Member
from antiphon.soundscape.run.job import MemberSpec

# What says when and for whom a member scores, but not what it says.
_NO_PART_OF_SCORES = {"priority", "class_map"}


def member_specs(ensemble: Path) -> list[MemberSpec]:
    """Return the members of an ensemble's file, in its order, without loading them.

    Raises
    ------
    FileError
        The file is not valid, or a file that a member needs is not there.
    """
    config = read_ensemble(ensemble)
    return [_spec(config, member) for member in config.members]


def _spec(config: EnsembleConfig, member: MemberConfig) -> MemberSpec:
    def load(threads: int) -> Member:
        # Runtimes cost time to import, and only the scoring process needs them.
        from antiphon.soundscape.members.loading import load_member

        return load_member(member, threads=threads)

    return MemberSpec(
        name=member.name,
        key=_key(member),
        load=load,
        priority=member.priority,
        hop_s=member.context_hop_s,
        shifts=tuple(member.shifts.items()),
        reduce=member.reduce,
        use=member.scores,
        stride=member.stride,
    )


def _key(member: MemberConfig) -> str:
    """Return a hash of all that decides a member's scores."""
    facts: dict[str, Any] = member.model_dump(mode="json", exclude=_NO_PART_OF_SCORES)
    # Where a file lies is no part of what it says.
    for field in ("model", "encoder", "head"):
        value = facts.pop(field)
        if value is not None:
            facts[field] = _content(Path(value)) if field != "encoder" else _encoder(value)
    text = json.dumps(facts, sort_keys=True)
    return f"{member.name}-{hashlib.blake2b(text.encode(), digest_size=8).hexdigest()}"


def _encoder(name: str) -> str:
    path = Path(name)
    return _content(path) if path.suffix in (".yaml", ".yml") else name


def _content(path: Path) -> str:
    if not path.is_file():
        raise FileError(path, "there is no such file", "Correct its path in the ensemble's file")
    if path.suffix not in (".yaml", ".yml"):
        return check_sha256(path, None)
    manifest: Manifest = load_manifest(path)
    model = find_model(manifest, path.parent)
    # ONNX may keep its weights in a file of their own, named after the model's.
    beside = sorted(one for one in model.parent.glob(f"{escape(model.name)}?*") if one.is_file())
    files = [path, model, *beside]
    if isinstance(manifest.labels, str):
        labels = find_beside(manifest.labels, path.parent)
        files += [] if labels is None else [labels]
    # All of it: a network that was trained on has the same size, and many of the same bytes.
    return "|".join(check_sha256(file, None) for file in files)

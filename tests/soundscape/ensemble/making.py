"""Ensembles and rows for tests."""

from __future__ import annotations

from antiphon.soundscape.ensemble.blending import Ensemble
from antiphon.soundscape.ensemble.config import EnsembleConfig


def config_of(blend=None, *, classes=("a", "b"), members=None, groups=None, **more):
    """Return an ensemble of the members that the blends name."""
    groups = groups or {}
    if members is None:
        used = {n for g in ((blend or {}), *groups.values()) for n in g.get("of", {})}
        members = [n for n in sorted(used) if n not in groups] or ["m"]
    return EnsembleConfig.model_validate(
        {
            "name": "test",
            "classes": list(classes) if isinstance(classes, tuple) else classes,
            "members": [{"name": n, "model": f"{n}.yaml"} for n in members],
            "groups": groups,
            "blend": blend,
            **more,
        }
    )


def ensemble_of(blend=None, knows=None, **more):
    """Return it opened; ``knows`` are the classes of members that lack some."""
    config = config_of(blend, **more)
    classes = config.classes
    knows = knows or {}
    return Ensemble.open(config, {m.name: knows.get(m.name, classes) for m in config.members})


def rows_of(files, windows, hop=5):
    """Return row names, file by file."""
    return [f"{file}_{hop * (k + 1)}" for file in files for k in range(windows)]

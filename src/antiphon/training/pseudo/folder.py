"""The folder of a run of ``antiphon pseudo-label``, and whose it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml
from filelock import FileLock, Timeout

from antiphon.encoders.checking import read_yaml
from antiphon.errors import UserError
from antiphon.replacing import write_whole
from antiphon.training.loop.tables import differing_keys
from antiphon.training.pseudo.config import PseudoConfig

SETTINGS, SCORES, LABELS, TOLD = "settings.yaml", "scores", "labels.parquet", "labels.json"
GROUPS, FOLDS = "groups.csv", "folds.csv"
_LOCK = ".lock"

# What is made anew, or named by its content, and so binds no settings.
_LOOSE = {SETTINGS, SCORES, GROUPS, FOLDS, _LOCK}


@contextmanager
def held(config: PseudoConfig, out: Path) -> Iterator[None]:
    """Make a folder this run's meanwhile, and keep other processes out.

    Settings that led to no labels leave it free for corrected ones; scores stay.

    Raises
    ------
    UserError
        It holds a run of other settings or something else, or another process is at work there.
    """
    _claim(config, out)
    lock = FileLock(out / _LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise UserError(f"{out}: another process is at work here. Give another --out.") from None
    try:
        yield
    except BaseException:
        if _names(out) <= _LOOSE:
            (out / SETTINGS).unlink(missing_ok=True)
        raise
    finally:
        lock.release()


def _names(out: Path) -> set[str]:
    return {one.name for one in out.iterdir()}


def _claim(config: PseudoConfig, out: Path) -> None:
    place = out / SETTINGS
    mine = config.model_dump(mode="json")
    if place.is_file():
        keys = differing_keys(read_yaml(place), mine)
        if keys:
            told = "; ".join(f"{key} is {old} there and {new} here" for key, old, new in keys)
            raise UserError(f"{out} holds a run of other settings: {told}. Give another --out.")
        return
    if out.exists() and (not out.is_dir() or not _names(out) <= _LOOSE):
        raise UserError(f"{out} is there already and holds no such run. Give another --out.")
    write_whole(place, yaml.safe_dump(mine, sort_keys=False, allow_unicode=True))

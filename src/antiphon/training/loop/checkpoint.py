"""The state of a run on disk: written whole or not at all, read without executing anything."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import torch

from antiphon.errors import DiskFullError, FileError, ModelError
from antiphon.replacing import replacing

FORMAT = 1
SUFFIX = ".pt"
_KEYS = {"format", "step", "task", "optimiser", "precision", "progress"}
_FULL = (errno.ENOSPC, errno.EDQUOT)


class CheckpointFolder:
    """Checkpoints of one run, ``step-00001000.pt`` after 1,000 steps.

    Parameters
    ----------
    path
        The folder; made when the first one is written.
    keep
        How many of the newest stay.
    """

    def __init__(self, path: Path, keep: int = 2) -> None:
        self.path = path
        self.keep = keep

    def files(self) -> list[Path]:
        """Return the checkpoints, the newest first."""
        found = [f for f in self.path.glob(f"step-*{SUFFIX}") if _number(f) is not None]
        return sorted(found, key=lambda f: _number(f) or 0, reverse=True)

    def save(self, state: dict[str, Any]) -> Path:
        """Write a checkpoint and remove those beyond ``keep``.

        Parameters
        ----------
        state
            ``step`` (steps done), ``task``, ``optimiser``, ``precision``, ``progress``: tensors
            and plain values only.

        Raises
        ------
        DiskFullError
            The disk is full; earlier checkpoints stay.
        FileError
            It cannot be written for another reason; earlier ones stay as well.
        """
        path = self.path / f"step-{state['step']:08d}{SUFFIX}"
        with _whole(path) as file:
            torch.save({"format": FORMAT, **state}, file)
        for old in self.files()[self.keep :]:
            old.unlink(missing_ok=True)
        return path

    def newest(self) -> dict[str, Any] | None:
        """Return the newest checkpoint's content, or None where there is none.

        Raises
        ------
        ModelError
            It cannot be read.
        """
        files = self.files()
        return read_checkpoint(files[0]) if files else None


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Read a checkpoint on the CPU; nothing in it is executed.

    Raises
    ------
    ModelError
        It is damaged, or of another kind.
    """
    advice = "Remove it, so that the run goes on from the one before"
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        # torch raises RuntimeError, UnpicklingError, EOFError or OSError, as the damage is.
        said = str(error).splitlines() or [type(error).__name__]
        raise ModelError(path, f"the checkpoint cannot be read ({said[0]})", advice) from error
    if not isinstance(state, dict) or set(state) != _KEYS:
        raise ModelError(path, "is no checkpoint of a training run", advice)
    if state["format"] != FORMAT:
        raise ModelError(
            path,
            f"has format {state['format']}, but this version reads {FORMAT}",
            "Go on with the version of antiphon that wrote it (environment.json of the run)",
        )
    return state


@contextmanager
def _whole(path: Path) -> Iterator[_Watched]:
    """Open a file that takes its name only when it is complete and on the disk."""
    watched: _Watched | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        for left in path.parent.glob(".step-*.part"):
            left.unlink(missing_ok=True)
        with replacing(path, sync=True) as part, part.open("wb") as file:
            watched = _Watched(file)
            yield watched
    except (OSError, RuntimeError) as error:
        # torch turns a failed write into a RuntimeError without the reason.
        reason = watched.fault if watched is not None and watched.fault is not None else error
        if not isinstance(reason, OSError):
            raise
        if reason.errno in _FULL:
            raise DiskFullError(
                f"{path}: the disk is full, and this checkpoint was not written. Checkpoints from "
                "before are kept: free some space and run the same command again to go on from "
                "the last of them."
            ) from error
        raise FileError(
            path,
            f"the checkpoint cannot be written ({reason.strerror or reason})",
            "Checkpoints from before are kept. Check the disk and the permissions",
        ) from error


class _Watched:
    """A file that remembers why a write failed."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.fault: OSError | None = None

    def write(self, data: Any) -> int:
        try:
            return self._file.write(data)
        except OSError as error:
            self.fault = error
            raise

    def flush(self) -> None:
        self._file.flush()


def _number(path: Path) -> int | None:
    digits = path.stem.removeprefix("step-")
    return int(digits) if digits.isdigit() else None

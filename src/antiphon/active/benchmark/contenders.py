"""Where the strategies of a benchmark come from, as plain values."""

from __future__ import annotations

import hashlib
import importlib.util
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from antiphon.active.base import Strategy
from antiphon.active.learner.config import LoopConfig
from antiphon.errors import FileError


@dataclass(frozen=True, slots=True)
class StrategySource:
    """A strategy of the registry, or one from a participant's file.

    Parameters
    ----------
    name
        What results call it; in the registry unless ``path`` is given.
    path
        A ``sampling.py`` written for BaseAL; its code is executed.
    method
        What BaseAL's setting ``sampling_strategy`` would be.
    """

    name: str
    path: str = ""
    method: str = "custom"

    @classmethod
    def named(cls, name: str) -> StrategySource:
        """Return a strategy of the registry.

        Raises
        ------
        UserError
            If there is none of that name.
        """
        from antiphon.active.registry import get_strategy

        return cls(get_strategy(name).name)

    @classmethod
    def file(cls, path: Path, method: str = "custom") -> StrategySource:
        """Return a participant's file, named by method, file or folder, whichever tells most.

        Raises
        ------
        FileError
            If there is no such file.
        """
        if not path.is_file():
            raise FileError(path, "there is no such file")
        whole = path.resolve()
        stem = whole.parent.name if whole.stem == "sampling" else whole.stem
        return cls(stem if method == "custom" else method, str(whole), method)

    def load(self, config: LoopConfig) -> str | Strategy:
        """Return the strategy; a participant's file is run for that."""
        if not self.path:
            return self.name
        from antiphon.active.baseal.participant import load_sampling

        found = load_sampling(
            Path(self.path),
            self.method,
            compat=config.compat,
            passes=config.dropout_passes if config.dropout else 1,
            dropout=config.dropout,
        )
        # Such code is handed the head as a model of torch where torch is installed. To import it
        # takes seconds, which are not the selection's.
        if importlib.util.find_spec("torch") is not None:
            importlib.import_module("torch")
        return found

    def identity(self) -> str:
        """Return the name, and for a file the digest of its content and the method."""
        if not self.path:
            return self.name
        try:
            content = Path(self.path).read_bytes()
        except OSError as error:
            raise FileError(self.path, f"it cannot be read: {error.strerror or error}") from error
        return f"{hashlib.blake2b(content, digest_size=16).hexdigest()}:{self.method}"

    def to_json(self) -> dict[str, Any]:
        """Return plain values; ``StrategySource(**values)`` reads them."""
        return asdict(self)

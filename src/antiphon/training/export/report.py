"""What came of an export: parity, speed and files, as a value, as JSON and as tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from antiphon.training.export.config import Bounds, Precision
from antiphon.training.export.parity import Parity
from antiphon.training.export.speed import Speed

FORMAT = 1


@dataclass(frozen=True, slots=True)
class ExportReport:
    """An export.

    Parameters
    ----------
    folder
        That holds the encoder.
    name
        Of the encoder; its files are called so.
    precision
        That was asked for.
    quantisation
        ``weights``, ``dynamic`` or ``static`` for int8, otherwise None.
    bounds
        That its parity keeps.
    audio
        What it was judged on.
    parity
        By precision, that asked for among them.
    speed
        torch first.
    files
        Bytes and SHA-256 (hex) of each file, but for the report itself.
    model
        Facts of the model: its name, checksum, sizes.
    environment
        Versions and machine.
    notes
        What was left out or could not be done.
    """

    folder: Path
    name: str
    precision: Precision
    quantisation: str | None
    bounds: Bounds
    audio: str
    parity: Mapping[Precision, Parity]
    speed: Sequence[Speed]
    model: Mapping[str, Any]
    environment: Mapping[str, Any]
    files: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def manifest(self) -> Path:
        """The file to give as the name of the encoder."""
        return self.folder / f"{self.name}.yaml"

    def to_json(self) -> dict[str, Any]:
        """Return the content of ``export.json``."""
        return {
            "format": FORMAT,
            "name": self.name,
            "precision": self.precision,
            "quantisation": self.quantisation,
            "bounds": self.bounds.model_dump(exclude_none=True),
            "audio": self.audio,
            "model": dict(self.model),
            "parity": {name: found.to_json() for name, found in self.parity.items()},
            "speed": [one.to_json() for one in self.speed],
            "files": {name: dict(facts) for name, facts in self.files.items()},
            "environment": dict(self.environment),
            "notes": list(self.notes),
        }


PARITY_COLUMNS = (
    "precision", "windows", "padded", "mean", "max", "max, padded", "scores", "frames",
)  # fmt: skip
SPEED_COLUMNS = ("runtime", "windows/s", "x real time", "MB")


def parity_rows(report: ExportReport) -> list[list[str]]:
    """Return the rows below :data:`PARITY_COLUMNS`."""
    return [
        [
            precision,
            str(found.windows),
            str(found.padded),
            f"{found.mean:.2e}",
            f"{found.max:.2e}",
            f"{found.max_padded:.2e}" if found.padded else "-",
            "-" if found.max_score is None else f"{found.max_score:.2e}",
            "-" if found.max_frame is None else f"{found.max_frame:.2e}",
        ]
        for precision, found in report.parity.items()
    ]


def speed_rows(report: ExportReport) -> list[list[str]]:
    """Return the rows below :data:`SPEED_COLUMNS`."""
    return [
        [
            one.runtime,
            f"{one.windows_per_s:.1f}",
            f"{one.real_time:.0f}",
            "-" if one.size is None else f"{one.size / 1e6:.2f}",
        ]
        for one in report.speed
    ]

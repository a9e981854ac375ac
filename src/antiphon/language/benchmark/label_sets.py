"""Label sets that are given: the data set's own configuration, or lists of one's own."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from antiphon.errors import FileError, FormatError
from antiphon.language.benchmark.components import TASKS, Task, component_name


@dataclass(frozen=True, slots=True)
class GivenLabels:
    """A label set that was given: its labels, those for "nothing", and the task, if it is said."""

    labels: tuple[str, ...]
    nothing: tuple[str, ...] = ()
    task: Task | None = None


def read_label_sets(path: Path) -> dict[str, GivenLabels]:
    """Read label sets: the data set's configuration, or ``{component: [labels]}`` as JSON.

    Raises
    ------
    FormatError
        If it is neither.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise FileError(path, "there is no such file", "Check the path") from None
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise FormatError(path, f"is not JSON ({error})", "Give {component: [labels]}") from None
    found = _label_sets(data)
    if found is None:
        raise FormatError(
            path,
            "holds no label sets",
            "Give {component: [labels]}, or the data set's configuration",
        )
    return found


def label_sets_beside(path: Path) -> dict[str, GivenLabels]:
    """Return the label sets of a JSON file in the same folder; none where there is no such file."""
    folder = path if path.is_dir() else path.parent
    names = ("labels.json", "beans_zero_dataset_config.json")
    return next((read_label_sets(folder / n) for n in names if (folder / n).is_file()), {})


def _label_sets(data: Any) -> dict[str, GivenLabels] | None:
    if not isinstance(data, dict):
        return None
    listed = data.get("metadata", {}) if isinstance(data.get("metadata"), dict) else {}
    if isinstance(listed.get("components"), list):
        found = {}
        for one in listed["components"]:
            name, task = component_name(str(one.get("name", ""))), one.get("task")
            nothing = ("None",) if one.get("unknown_label") == "None" else ()
            found[name] = GivenLabels(
                tuple(map(str, one.get("labels") or ())), nothing, task if task in TASKS else None
            )
        return found
    if not all(isinstance(v, list) and all(isinstance(x, str) for x in v) for v in data.values()):
        return None
    return {component_name(name): GivenLabels(tuple(labels)) for name, labels in data.items()}

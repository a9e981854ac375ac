"""A strategy as a self-contained ``sampling.py`` for BaseAL, with a notebook that describes it."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path

from antiphon._version import __version__
from antiphon.active.baseal.linker import gather
from antiphon.active.baseal.notebook import describe
from antiphon.active.baseal.source import Thing
from antiphon.active.learner.schedule import Schedule
from antiphon.active.registry import get_strategy
from antiphon.active.schedules import SUGGESTED
from antiphon.errors import UserError
from antiphon.labels.formats.table import write_text

SAMPLING, NOTEBOOK, REQUIREMENTS = (
    "sampling.py",
    "method_description.ipynb",
    "requirements.txt",
)
_ADAPTER = "antiphon.active.baseal.adapter"
_PARTS = ("SamplingStrategy", "batch_size", "densityEstimation")
# What strategies fall back to while nothing is known of a head.
_WITHOUT_HEAD = "coreset-whitened"


def export_sampling(
    name: str,
    out: Path,
    *,
    warm_up: str | None = None,
    schedule: Schedule | None = None,
    budget: int = 500,
) -> list[Path]:
    """Write ``sampling.py``, ``requirements.txt`` and ``method_description.ipynb`` into a folder.

    Parameters
    ----------
    name
        A strategy of the registry.
    out
        The folder; made if missing.
    warm_up
        The strategy that chooses the first batch, or None for ``name`` itself.
    schedule
        Labels of each cycle; that suggested for the strategy, else batches of 50, if None.
    budget
        Labels in all.

    Returns
    -------
    files
        The three paths.

    Raises
    ------
    UserError
        If the strategy is unknown, or needs what BaseAL does not give or a package that does not
        come with NumPy and scikit-learn.
    FileError
        If a file cannot be written.
    """
    files = {
        out / SAMPLING: sampling_source(name, warm_up=warm_up, schedule=schedule, budget=budget),
        out / REQUIREMENTS: "numpy\nscipy\nscikit-learn\n",
        out / NOTEBOOK: json.dumps(
            describe(get_strategy(name), warm_up, _batches(name, schedule, budget)),
            indent=1,
            ensure_ascii=False,
        )
        + "\n",
    }
    for path, text in files.items():
        write_text(path, text)
    return list(files)


def sampling_source(
    name: str,
    *,
    warm_up: str | None = None,
    schedule: Schedule | None = None,
    budget: int = 500,
) -> str:
    """Return the text of a ``sampling.py`` that holds the strategy and all it uses.

    The code is cut from this package's modules (:func:`~antiphon.active.baseal.linker.gather`).
    In BaseAL a strategy knows recordings only by a column of the metadata (``recording``, say, or
    ``filename``), and dropout passes only if ``mc_dropout_passes`` asks for enough of them.

    Raises
    ------
    UserError
        See :func:`export_sampling`.
    """
    card = get_strategy(name)
    chosen = _function(name)
    first = _function(warm_up) if warm_up is not None else None
    adapter = {part: Thing(_ADAPTER, part) for part in ("NAME", "CHOOSE", "WARM_UP")}
    settings = {
        adapter["NAME"]: f'NAME = "{card.name}"',
        adapter["CHOOSE"]: "CHOOSE = {0}",
        adapter["WARM_UP"]: "WARM_UP = {1}" if first else "WARM_UP = None",
        Thing(_ADAPTER, "SCHEDULE"): f"SCHEDULE = {_batches(name, schedule, budget)!r}",
    }
    roots = [chosen, *([first] if first else [])]
    try:
        text = gather([Thing(_ADAPTER, part) for part in _PARTS], settings, roots)
    except UserError as error:
        raise UserError(f"Strategy {name!r}: {error}") from error
    how = (
        "Sampling strategy for BaseAL (BioDCASE Task 4): put this file in the place of "
        "core/utils/sampling.py and set sampling_strategy to custom. `batch_size` gives the size "
        f"of each batch. Written by antiphon {__version__}, Apache-2.0 licence. NumPy and "
        "scikit-learn suffice to run it."
    )
    about = [f"{card.name}: {card.summary}.", f"Source: {card.source}.", how]
    paragraphs = [textwrap.fill(part, 98).replace("\\", "\\\\") for part in about]
    return '"""' + "\n\n".join(paragraphs) + '\n"""\n\n' + text


def _batches(name: str, schedule: Schedule | None, budget: int) -> tuple[int, ...]:
    if budget < 1:
        raise UserError(f"The budget is {budget}; it must be 1 or more.")
    if schedule is None:
        schedule = Schedule.parse(SUGGESTED.get(name, "50"))
    return schedule.batches(budget)


def _function(name: str) -> Thing:
    """Return where the strategy's function is defined."""
    card = get_strategy(name)
    function = card.strategy
    where = getattr(function, "__module__", ""), getattr(function, "__name__", "")
    if not all(where) or not where[0].startswith("antiphon."):
        raise UserError(f"Strategy {name!r} is no function of this package; it cannot be exported.")
    return Thing(*where)

"""A notebook that describes an exported strategy and runs it in BaseAL."""

from __future__ import annotations

from typing import Any

from antiphon.active.base import StrategyCard


def describe(card: StrategyCard, warm_up: str | None, schedule: tuple[int, ...]) -> dict[str, Any]:
    """Return the notebook, nbformat 4.5, as a JSON object; its code needs BaseAL beside it.

    Parameters
    ----------
    card
        The strategy.
    warm_up
        Name of the strategy of the first batch, or None.
    schedule
        Labels of each cycle.
    """
    first = f"The first batch is chosen by `{warm_up}`. " if warm_up else ""
    cells = [
        _text(
            f"# {card.name}\n\n{card.summary[0].upper()}{card.summary[1:]}.\n\n"
            f"Source: {card.source}.\n\n"
            f"{first}Batches: {' + '.join(map(str, schedule))} = {sum(schedule)} labels.\n\n"
            "To run this notebook, put `sampling.py` in the place of BaseAL's "
            "`core/utils/sampling.py` and this file into `core/docs/`."
        ),
        _code(
            "import sys\n"
            "from pathlib import Path\n"
            "\n"
            "ROOT = Path().absolute().parent.parent\n"
            "sys.path.insert(0, str(ROOT))\n"
            "\n"
            "from core.active_learner import ActiveLearner\n"
            "from core.utils.sampling import SCHEDULE, batch_size\n"
            "\n"
            'SUBSET, MODEL = "ESC10_BASEAL", "birdnet"\n'
            "EPOCHS, TRAINING_BATCH, REPEATS, BUDGET = 10, 32, 5, sum(SCHEDULE)"
        ),
        _text(
            "## The loop\n\nEach repeat starts with a new head. `batch_size` says how many labels "
            "to ask for next; it is 0 when the budget is spent."
        ),
        _code(
            "histories = []\n"
            "for repeat in range(REPEATS):\n"
            "    learner = ActiveLearner(\n"
            '        embeddings_dir=ROOT / SUBSET / "embeddings" / MODEL,\n'
            '        annotations_path=ROOT / SUBSET / "labels.csv",\n'
            "        model_name=MODEL,\n"
            "        dataset_name=SUBSET,\n"
            '        sampling_strategy="custom",\n'
            "        verbose=False,\n"
            "    )\n"
            "    while wanted := batch_size(len(learner.labeled_indices)):\n"
            "        chosen = learner.sample(n_samples=wanted)\n"
            "        if not chosen:\n"
            "            break\n"
            "        learner.add_samples(chosen)\n"
            "        learner.train_step(epochs=EPOCHS, batch_size=TRAINING_BATCH)\n"
            "    histories.append(learner.training_history)"
        ),
        _text("## Result\n\nMean over the repeats of the area under the learning curve."),
        _code(
            'areas = [history[-1]["aulc_mAP"] for history in histories]\n'
            "mean = sum(areas) / len(areas)\n"
            "sd = (sum((a - mean) ** 2 for a in areas) / len(areas)) ** 0.5\n"
            'print(f"AULC {mean:.4f}, SD {sd:.4f}, {len(areas)} repeats")\n'
            "learner.export(\n"
            f'    "{card.name}_ESC10_lastname.yaml",\n'
            '    author_lastname="lastname",\n'
            "    max_budget=BUDGET,\n"
            ")"
        ),
    ]
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    return {
        "cells": cells,
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def _text(source: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": source.splitlines(keepends=True)}


def _code(source: str) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "execution_count": None,
        "metadata": {},
        "outputs": [],
        "source": source.splitlines(keepends=True),
    }

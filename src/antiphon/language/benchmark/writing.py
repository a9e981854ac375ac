"""The files of a run."""

from __future__ import annotations

import json
from pathlib import Path

from antiphon.language.benchmark.page import report_page
from antiphon.language.benchmark.run import Report
from antiphon.language.benchmark.tables import answers_csv, markdown, measures_csv, rejected_csv
from antiphon.replacing import write_whole


def write_report(report: Report, folder: Path) -> list[Path]:
    """Write a run: ``report.json``, ``report.html``, ``table.md``, ``measures.csv``, and more.

    ``answers.csv`` has every question with what was true, said and understood; ``rejected.csv``
    every row that was not used.

    Raises
    ------
    FileError
        If one cannot be written; files that are there stay whole.
    """
    texts = {
        "report.json": json.dumps(report.to_json(), indent=2, ensure_ascii=False) + "\n",
        "report.html": report_page(report),
        "table.md": markdown(report),
        "measures.csv": measures_csv(report),
        "answers.csv": answers_csv(report),
        "rejected.csv": rejected_csv(report),
    }
    for name, text in texts.items():
        write_whole(folder / name, text)
    return [folder / name for name in texts]

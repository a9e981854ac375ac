"""Learning curves of a few runs as a picture that a notebook shows and a browser opens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import escape

from antiphon.active.benchmark.compute import mean_curve
from antiphon.active.benchmark.curves import curve_series
from antiphon.active.learner.record import Run
from antiphon.errors import UserError
from antiphon.plots.lines import line_chart
from antiphon.plots.page import Section, figure, render_page
from antiphon.replacing import write_whole

_HEIGHT = 560


@dataclass(frozen=True, slots=True)
class Picture:
    """A page of its own; notebooks show it, :meth:`save` writes it.

    Parameters
    ----------
    html
        The page.
    """

    html: str

    def save(self, path: Path | str) -> Path:
        """Write the page.

        Raises
        ------
        FileError
            If it cannot be written.
        """
        write_whole(Path(path), self.html)
        return Path(path)

    def _repr_html_(self) -> str:
        """Return the page as a frame, so that its styles stay its own."""
        page = escape(self.html)
        return f'<iframe srcdoc="{page}" width="100%" height="{_HEIGHT}" frameborder="0"></iframe>'


def learning_curves(runs: Sequence[Run], title: str = "Learning curves") -> Picture:
    """Draw mAP against labels spent, with bands of one standard deviation over the repeats.

    Parameters
    ----------
    runs
        Of any number of strategies on one set; those of one strategy are repeats.

    Raises
    ------
    UserError
        If there are no runs, or they are of several sets.
    """
    if not runs:
        raise UserError("There are no runs to draw.")
    sets = sorted({run.dataset for run in runs})
    if len(sets) > 1:
        raise UserError(f"These runs are of {len(sets)} sets: {', '.join(sets)}. Draw each alone.")
    names = list(dict.fromkeys(run.strategy for run in runs))
    lines = [
        curve_series(name, mean_curve([run for run in runs if run.strategy == name]))
        for name in names
    ]
    chart = line_chart(
        lines,
        label=f"{title}, {sets[0]}",
        x_title="labels",
        y_title="mAP",
        x_range=(0, max(run.cycles[-1].n_labelled for run in runs)),
        width=680,
        height=340,
    )
    said = f"{sets[0]}: mean mAP, with a band of one standard deviation over the repeats."
    return Picture(render_page(title, [Section("curves", sets[0], figure(chart, said))]))

"""The first page: where the project stands, and the next sensible step."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from shlex import quote

from fastapi import Request
from nicegui import ui

from antiphon.app.api.status import ProjectStatus, status
from antiphon.app.context import AppContext
from antiphon.app.pages.frame import frame, text

_DOORS = (
    ("Label", "/label", "One clip after the other, by keyboard."),
    ("Loop", "/loop", "Train, see what the last batch bought, choose what comes next."),
    ("Search", "/search", "Find sounds like one you have, or by label and score."),
    ("Map", "/map", "All windows in two dimensions; label what lies together."),
    ("Recordings", "/recordings", "Days of sound with detections; tables and export."),
    ("Agreement", "/agreement", "Who said what, and where people differ."),
    ("Benchmark", "/benchmark", "Runs of strategies and encoders beside each other."),
)
# A detector learns little from less, and cannot be judged.
_FEW = 20


@dataclass(frozen=True, slots=True)
class Step:
    """What to do next.

    Parameters
    ----------
    title, text
        In words.
    command
        To type into a terminal; empty when it is done here.
    link
        Label and address of the page where it is done; None when it is not done here.
    """

    title: str
    text: str
    command: str = ""
    link: tuple[str, str] | None = None


def next_step(now: ProjectStatus, folder: str) -> Step:
    """Return the next sensible step of a project.

    Parameters
    ----------
    folder
        The project's folder, for commands.
    """
    project = quote(folder)
    if not now.recordings:
        return Step(
            "Add recordings",
            "This project has no recordings that can be read. Add a folder of them in a terminal.",
            f"antiphon init {project} --audio FOLDER",
        )
    if not now.windows:
        return Step(
            "Make embeddings",
            "Recordings are cut into windows, and an encoder turns each into a vector. "
            "Run this in a terminal; afterwards there is something to label here.",
            f"antiphon embed {project} --encoder spectral",
        )
    if now.labels_spent < _FEW:
        return Step(
            "Label the first windows",
            f"{now.windows:,} windows wait. The first ones are chosen to be as different from each "
            "other as can be; a few dozen are enough for a first detector.",
            link=("Start labelling", "/label"),
        )
    if now.detector is None:
        return Step(
            "Train a first detector",
            f"{now.labels_spent:,} windows are labelled. Training takes seconds; from then on the "
            "app suggests labels and chooses the windows that teach most.",
            link=("Go to the loop", "/loop"),
        )
    if now.labels_spent > now.detector.labels_spent:
        return Step(
            "Train again",
            f"{now.labels_spent - now.detector.labels_spent:,} windows were labelled since "
            f"{now.detector.name!r} was trained.",
            link=("Go to the loop", "/loop"),
        )
    return Step(
        "Label the next batch",
        f"{now.detector.name!r} knows all {now.labels_spent:,} labelled windows. The next ones are "
        "those it can learn most from.",
        link=("Label on", "/label"),
    )


def register(context: AppContext) -> None:
    """Make the page known."""
    root = context.settings.root_path

    @ui.page("/")
    async def home(request: Request) -> None:
        with frame(request, "Home", reading=True) as person:
            now = await asyncio.to_thread(status, context, person)
            step = next_step(now, str(context.folder.root))
            with ui.element("div").classes("stack"):
                text("h1", now.name)
                with ui.element("section").classes("card next-step") as card:
                    card.props('aria-label="Next step"')
                    text("h2", step.title)
                    text("p", step.text)
                    if step.command:
                        text("code", step.command).classes("command")
                    if step.link is not None:
                        name, address = step.link
                        ui.link(name, f"{root}{address}").classes("button primary")
                _figures(now)
                with ui.element("ul").classes("doors").props('aria-label="Pages and what they do"'):
                    for name, address, what in _DOORS:
                        with ui.element("li"), ui.link(target=f"{root}{address}"):
                            text("strong", name)
                            text("span", what)


def _figures(now: ProjectStatus) -> None:
    rows = [
        ("Recordings", f"{now.recordings:,}", _length(now.hours)),
        ("Windows", f"{now.windows:,}", now.encoder or "no embeddings yet"),
        ("Labelled", f"{now.labels_spent:,}", "windows"),
        ("Labels", f"{len(now.labels):,}", _some(now.labels)),
    ]
    if now.detector is not None:
        about = f"from {now.detector.labels_spent:,} labelled windows"
        rows.append(("Detector", now.detector.name, about))
    if now.missing:
        rows.append(("Not there", f"{now.missing:,}", "recordings missing or unreadable"))
    with ui.element("dl").classes("figures"):
        for name, number, about in rows:
            with ui.element("div"):
                text("dt", name)
                with ui.element("dd").classes("name" if name == "Detector" else ""):
                    text("span", number)
                    text("small", about)


def _length(hours: float) -> str:
    return f"{hours:,.1f} hours" if hours >= 0.95 else f"{60 * hours:.1f} minutes"


def _some(names: list[str]) -> str:
    shown = ", ".join(names[:3])
    return f"{shown} …" if len(names) > 3 else shown or "none yet"

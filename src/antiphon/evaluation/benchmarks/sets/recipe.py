"""Entries of the suite: one short table for each published data set, checked when it is read."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import pydantic
from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt

from antiphon.encoders.checking import Strict, check_file, nearest
from antiphon.errors import UserError

Suite = Literal["beans", "birdset", "individual", "repertoire"]
Family = Literal["classification", "detection", "birdset", "individual", "repertoire"]
SUITES: tuple[str, ...] = ("beans", "birdset", "individual", "repertoire")
FAMILIES: tuple[Family, ...] = (
    "classification",
    "detection",
    "birdset",
    "individual",
    "repertoire",
)

Reader = Literal["table", "names", "beside", "events", "jsonl", "song_xml", "birdset"]


class Download(Strict):
    """One file of a publisher.

    Parameters
    ----------
    url
        Where it is.
    file
        Its name in the data set's folder.
    md5
        Hexadecimal, where the publisher states it.
    into
        Subfolder to unpack it into; the data set's folder when empty. Archives only.
    """

    url: str
    file: str
    md5: str = ""
    into: str = ""


class Splitting(Strict):
    """How items come to the sides of the split.

    Parameters
    ----------
    rule
        ``given`` (by the files themselves), ``folds`` (by fold numbers), ``stratified`` and
        ``shuffled`` (60 : 20 : 20 as scikit-learn divides with seed 42, with and without classes),
        ``groups`` (groups shuffled with seed 42, 60 : 20 : 20), ``chunks`` (stretches of
        ``chunk_s`` within each recording, the first 60 %, the next 20 %, the rest), ``files``
        (recordings in the order of their names), ``none`` (everything is test).
    train, validation
        Folds, or the number of files, that go to each side; the rest is test.
    chunk_s
        Length of the stretches that recordings are cut into before they are split.
    every
        Use every n-th stretch only.
    validation_share
        Share of the training side that becomes validation where the publisher gives none.
    """

    rule: Literal["given", "folds", "stratified", "shuffled", "groups", "chunks", "files", "none"]
    train: tuple[int, ...] = ()
    validation: tuple[int, ...] = ()
    chunk_s: PositiveFloat | None = None
    every: PositiveInt = 1
    validation_share: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0


class Recipe(Strict):
    """What is known of one published data set.

    Parameters
    ----------
    name
        Short and unique.
    title
        For people.
    suite, family
        Where it belongs, and which protocols judge it.
    folder
        Its folder under ``--data``.
    page
        The publisher's page.
    licence
        As the publisher states it.
    reader, read
        How files become items: a function of :mod:`.layouts` and its options.
    split
        How items come to the sides.
    classes
        Number of classes in the publisher's files.
    published_classes
        Number of classes in the published tables, where it differs.
    clips
        Number of items on each side, or ``all``, as far as the publisher or the benchmark states
        it.
    max_s
        Only this much from the start of each clip.
    window_s, shift_s
        Windows of detection.
    layout, why
        ``documented`` when the publisher's or the benchmark's own material says how files lie;
        ``assumed``, with the reason, otherwise.
    downloads
        Files that a plain request gets.
    refused
        Why there is nothing to download: a login, or a licence that must be accepted.
    notes
        What a reader of the results has to know.
    """

    name: str
    title: str
    suite: Suite
    family: Family
    folder: str
    page: str
    licence: str
    reader: Reader
    read: dict[str, Any]
    split: Splitting
    classes: PositiveInt
    published_classes: PositiveInt | None = None
    clips: dict[Literal["all", "train", "validation", "test"], NonNegativeInt] = Field(
        default_factory=dict
    )
    max_s: PositiveFloat | None = None
    window_s: PositiveFloat | None = None
    shift_s: PositiveFloat | None = None
    layout: Literal["documented", "assumed"] = "documented"
    why: str = ""
    downloads: tuple[Download, ...] = ()
    refused: str = ""
    notes: tuple[str, ...] = ()

    @pydantic.model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.layout == "assumed") != bool(self.why):
            raise ValueError("'why' goes with layout = \"assumed\", and only with it")
        if (self.family == "detection") != (self.window_s is not None):
            raise ValueError("window_s and shift_s are of detection, and needed there")
        if (self.window_s is None) != (self.shift_s is None):
            raise ValueError("window_s and shift_s go together")
        if bool(self.downloads) == bool(self.refused):
            raise ValueError("say either what can be downloaded or why nothing can")
        return self

    @property
    def multilabel(self) -> bool:
        """Whether an item may have several labels, or none."""
        return self.family in ("detection", "birdset")


class _File(Strict):
    dataset: tuple[Recipe, ...]


@cache
def all_recipes() -> tuple[Recipe, ...]:
    """Return the 26 entries, in the order of the published tables."""
    folder = files("antiphon.evaluation.benchmarks.sets").joinpath("recipes")
    found: list[Recipe] = []
    for suite in SUITES:
        name = f"{suite}.toml"
        data = tomllib.loads(folder.joinpath(name).read_text(encoding="utf-8"))
        found += check_file(_File, data, Path(name)).dataset
    return tuple(found)


def recipes_of(suite: str) -> tuple[Recipe, ...]:
    """Return the entries of a suite, ``all``, or a single data set by its name.

    Raises
    ------
    UserError
        If there is no such suite or data set.
    """
    every = all_recipes()
    if suite == "all":
        return every
    if suite in SUITES:
        return tuple(r for r in every if r.suite == suite)
    named = tuple(r for r in every if r.name == suite)
    if not named:
        known = ["all", *SUITES, "local", *(r.name for r in every)]
        raise UserError(
            f"There is no suite or data set {suite!r}.{nearest(suite, known)} There are the suites "
            f"all, {', '.join(SUITES)} and local, and the data sets "
            f"{', '.join(r.name for r in every)}."
        )
    return named

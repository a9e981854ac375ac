"""The 22 components of BEANS-Zero as a table of facts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from antiphon.encoders.checking import nearest
from antiphon.errors import UserError

Task = Literal["classification", "detection", "captioning"]
TASKS: tuple[Task, ...] = ("classification", "detection", "captioning")

PAGE = "https://huggingface.co/datasets/EarthSpeciesProject/BEANS-Zero"
ROWS = 91_965
"""Rows of all components together, as the publisher counts them."""

LEADING: dict[Task, str] = {
    "classification": "accuracy",
    "detection": "macro_f1",
    "captioning": "cider_d",
}
"""The measure that each task is ranked by."""

_PER_FILE = "of each file"
_THREE = "Xeno-canto, iNaturalist, Animal Sound Archive"


@dataclass(frozen=True, slots=True)
class Component:
    """One component of the benchmark.

    Parameters
    ----------
    name
        Value of ``dataset_name`` in its rows.
    source
        Where the audio comes from.
    task
        What is asked: one label, any number of labels, or a sentence.
    kind
        What its labels are.
    n_labels
        Size of the label set, a label for "nothing" included; None for captions.
    nothing
        Labels that say that nothing of the others is there.
    licence
        As the publisher states it; "of each file" where the rows have one each.
    sample_rate
        Hz.
    max_s
        Longest clip in seconds; None where the publisher gives none.
    """

    name: str
    source: str
    task: Task
    kind: str
    n_labels: int | None
    licence: str
    sample_rate: int = 16_000
    max_s: float | None = 10.0
    nothing: tuple[str, ...] = ()

    @property
    def measure(self) -> str:
        """The measure that it is ranked by."""
        return LEADING[self.task]


def _unseen(rank: str, counts: tuple[int, int, int]) -> list[Component]:
    """Return the three components of species whose ``rank`` no training row has."""
    kinds = {
        "cmn": "common names of species",
        "sci": "scientific names of species",
        "tax": "phylum, class, order, family and species in one line",
    }
    return [
        Component(f"unseen-{rank}-{key}", _THREE, "classification", kind, count, _PER_FILE)
        for (key, kind), count in zip(kinds.items(), counts, strict=True)
    ]


COMPONENTS: tuple[Component, ...] = (
    Component("esc50", "ESC-50", "classification", "everyday sounds", 50, "CC-BY-NC", 44_100, 5.0),
    Component(
        "watkins",
        "Watkins Marine Mammal Sound Database",
        "classification",
        "common names of species",
        31,
        "free for personal and academic use",
        44_100,
        3.0,
    ),
    Component(
        "cbi",
        "Cornell Birdcall Identification",
        "classification",
        "common names of species",
        264,
        "CC-BY-NC-SA",
    ),
    Component(
        "humbugdb", "HumBugDB", "classification", "mosquito species", 14, "CC-BY", 44_100, 3.0
    ),
    Component(
        "enabirds",
        "dawn chorus of eastern North America",
        "detection",
        "common names of species",
        34,
        "CC0",
        32_000,
        None,
    ),
    Component(
        "hiceas",
        "Hawaiian Islands Cetacean and Ecosystem Assessment Survey",
        "detection",
        "one species or none",
        2,
        "free to use without restriction",
        22_050,
        None,
        ("None",),
    ),
    Component(
        "rfcx",
        "Rainforest Connection",
        "detection",
        "common names of species",
        25,
        "academic, research and non-commercial use",
        48_000,
        None,
        ("None",),
    ),
    Component(
        "gibbons",
        "Hainan gibbons",
        "detection",
        "call types",
        4,
        "CC-BY-NC-SA",
        9_600,
        None,
        ("None",),
    ),
    Component(
        "dcase",
        "DCASE 2021 task 5",
        "detection",
        "common names of species",
        18,
        "CC-BY",
        max_s=None,
    ),
    Component("lifestage", "Xeno-canto", "classification", "life stages", 3, _PER_FILE),
    Component("call-type", "Xeno-canto", "classification", "call or song", 2, _PER_FILE),
    *_unseen("species", (202, 200, 200)),
    *_unseen("genus", (105, 101, 101)),
    *_unseen("family", (40, 36, 36)),
    Component("captioning", "iNaturalist", "captioning", "descriptions", None, _PER_FILE),
    Component("zf-indiv", "Elie et al. 2020", "classification", "one caller or more", 2, "CC-BY"),
)
"""As the data set's configuration (version 0.1.1) lists them. Its text gives CC-BY-NC for
``zf-indiv``, its table CC-BY."""

_BY_NAME = {component.name: component for component in COMPONENTS}
_ALIASES = {
    "esc-50": "esc50",
    "hainan-gibbons": "gibbons",
    "rainforest-connection": "rfcx",
    "zf-indv": "zf-indiv",
    "calltype": "call-type",
    "captions": "captioning",
}


def known_component(name: str) -> Component | None:
    """Return the component of a name, whatever its case, ``_`` or ``-``; None for another set."""
    key = name.strip().lower().replace("_", "-").replace(" ", "-")
    return _BY_NAME.get(_ALIASES.get(key, key))


def component_name(name: str) -> str:
    """Return the published name of a component, and the name as it is for another set."""
    found = known_component(name)
    return found.name if found else name.strip()


def chosen_components(wanted: list[str], there: list[str]) -> list[str]:
    """Return which of the sets that are there are wanted; all when none is named.

    Raises
    ------
    UserError
        If a wanted name is not there; the message names the closest one.
    """
    if not wanted:
        return there
    names = [component_name(name) for name in wanted]
    for given, name in zip(wanted, names, strict=True):
        if name not in there:
            raise UserError(
                f"There is no component {given!r} among the references.{nearest(name, there)} "
                f"There are: {', '.join(there)}."
            )
    return [name for name in there if name in names]

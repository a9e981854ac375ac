"""Licences under one canonical name each, and what they allow."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from antiphon.language.sources.values import text

RESERVED = "ALL-RIGHTS-RESERVED"
WATKINS = "LicenseRef-Watkins"
MACAULAY = "LicenseRef-Macaulay"
INAT_SOUNDS = "LicenseRef-iNatSounds"
AUDIOSET = "LicenseRef-YouTube"


@dataclass(frozen=True, slots=True)
class Licence:
    """What a licence allows.

    Parameters
    ----------
    id
        Canonical name: SPDX's where it has one, such as "CC-BY-NC-SA-4.0".
    url
        Of its text; None where there is none.
    redistribution
        Whether copies may be passed on.
    commercial, derivatives
        Whether commercial use and changed or derived works are allowed.
    attribution, share_alike
        Whether the author must be named, and whether derived works must carry the same licence.
    """

    id: str
    url: str | None
    redistribution: bool = True
    commercial: bool = True
    derivatives: bool = True
    attribution: bool = True
    share_alike: bool = False


_CC = "https://creativecommons.org"
_OTHERS = (
    Licence("CC0-1.0", f"{_CC}/publicdomain/zero/1.0/", attribution=False),
    Licence("CC-PDM-1.0", f"{_CC}/publicdomain/mark/1.0/", attribution=False),
    # Parts may be sampled, also commercially (not in advertising); whole copies only shared freely.
    Licence("CC-SAMPLING-PLUS-1.0", f"{_CC}/licenses/sampling+/1.0/", commercial=False),
    Licence(RESERVED, None, redistribution=False, commercial=False, derivatives=False),
    Licence(
        WATKINS,
        "https://whoicf2.whoi.edu/science/B/whalesounds/index.cfm",
        redistribution=False,
        commercial=False,
    ),
    Licence(
        MACAULAY,
        "https://www.macaulaylibrary.org/using-and-requesting-media/",
        redistribution=False,
        commercial=False,
    ),
    Licence(
        INAT_SOUNDS,
        "https://github.com/visipedia/inat_sounds/tree/main/2024",
        redistribution=False,
        commercial=False,
    ),
    Licence(AUDIOSET, "https://www.youtube.com/t/terms", redistribution=False, commercial=False),
    Licence("ODbL-1.0", "https://opendatacommons.org/licenses/odbl/1-0/", share_alike=True),
    Licence("MIT", "https://opensource.org/license/mit"),
    Licence("Apache-2.0", "https://www.apache.org/licenses/LICENSE-2.0"),
)
_BY_ID = {licence.id.lower(): licence for licence in _OTHERS}
_PORTED = re.compile(r"/licenses/([a-z-]+)/(\d\.\d)(?:/([a-z]{2,3}))?(?:/|$|\?)")
_FAMILY = re.compile(
    r"(?:cc|creative\s*commons)?[\s_-]*"
    r"(by(?:[\s_-]*(?:nc|sa|nd))*)"
    r"(?:[\s_-]*v?\.?\s*(\d(?:\.\d)?))?(?:[\s_-]+([a-z]{2}|igo|int|international|unported|generic))?"
)
_WORDS = (
    (r"attribution", "by"),
    (r"non\s*-?\s*commercial", "nc"),
    (r"no\s*-?\s*deriv(?:atives|ative works|s|)", "nd"),
    (r"share\s*-?\s*alike", "sa"),
)
_ZERO = re.compile(
    r"cc[\s_-]*(?:0|zero)(?:[\s_-]*(?:v)?1(?:\.0)?)?(?: universal)?|publicdomain/zero|"
    r"creative commons (?:0|zero)"
)
_DOMAIN = re.compile(
    r"public\s*domain(?: mark)?(?: 1\.0)?|pd|pdm|cc[\s_-]*pdm?(?:[\s_-]*1\.0)?|no known copyright"
)
_RESERVED = re.compile(r"(?:©|\(c\)|copyright\b|all rights reserved\b|arr$).*")


def canonical(said: Any) -> str | None:
    """Return the canonical name of a licence.

    Parameters
    ----------
    said
        Its address, its name or a code, as publishers write them: ``cc-by-nc``,
        ``//creativecommons.org/licenses/by-nc-sa/4.0/``, ``CC BY-NC 4.0``, ``Attribution``.

    Returns
    -------
    str or None
        Such as "CC-BY-NC-SA-4.0"; without a version where none is said ("CC-BY-NC"). None where
        it is not known, or nothing is said.
    """
    found = text(said)
    return None if found is None else _canonical(found)


@lru_cache(maxsize=4096)
def _canonical(said: str) -> str | None:
    if said.lower() in _BY_ID:
        return _BY_ID[said.lower()].id
    # GBIF writes CC_BY_NC_4_0.
    words = re.sub(r"_(\d)_(\d)$", r" \1.\2", said.lower().strip())
    if "creativecommons.org" in words:
        return _from_address(words)
    if _ZERO.fullmatch(words):
        return "CC0-1.0"
    if _DOMAIN.fullmatch(words):
        return "CC-PDM-1.0"
    if re.fullmatch(r"(?:cc[\s_-]*)?sampling[\s_-]*(?:\+|plus)(?:[\s_-]*1\.0)?", words):
        return "CC-SAMPLING-PLUS-1.0"
    for pattern, code in _WORDS:
        words = re.sub(pattern, code, words)
    words = re.sub(r"\b(?:creative commons|licen[cs]e|public|\(|\))", " ", words)
    words = re.sub(r"[\s_,]+", " ", words).strip()
    match = _FAMILY.fullmatch(words)
    if match:
        return _family(match[1], match[2], match[3])
    if _RESERVED.fullmatch(said.lower().strip()):
        return RESERVED
    return None


def _from_address(address: str) -> str | None:
    if "/publicdomain/zero" in address:
        return "CC0-1.0"
    if "/publicdomain/mark" in address or "/licenses/publicdomain" in address:
        return "CC-PDM-1.0"
    if "/licenses/sampling+" in address:
        return "CC-SAMPLING-PLUS-1.0"
    match = _PORTED.search(address)
    return _family(match[1], match[2], match[3]) if match else None


def _family(parts: str, version: str | None, port: str | None) -> str | None:
    found = re.findall(r"by|nc|sa|nd", parts)
    if "by" not in found:
        return None
    # Old addresses have "nd-nc"; SPDX has one order.
    name = "-".join(["CC", *(part for part in ("by", "nc", "nd", "sa") if part in found)]).upper()
    if version:
        name += f"-{version if '.' in version else version + '.0'}"
        if port and port not in ("int", "international", "unported", "generic"):
            name += f"-{port.upper()}"
    return name


@lru_cache(maxsize=4096)
def facts(name: str | None) -> Licence | None:
    """Return what a licence allows; None for one that is not known.

    Parameters
    ----------
    name
        Canonical, as :func:`canonical` returns it.
    """
    if name is None:
        return None
    if name.lower() in _BY_ID:
        return _BY_ID[name.lower()]
    match = re.fullmatch(r"CC-(BY(?:-NC)?(?:-ND)?(?:-SA)?)(?:-(\d\.\d)(?:-([A-Z]+))?)?", name)
    if match is None:
        return None
    parts = match[1].lower().split("-")
    # A family without a version has several texts, hence no address.
    port = f"{match[3].lower()}/" if match[3] else ""
    url = f"{_CC}/licenses/{match[1].lower()}/{match[2]}/{port}" if match[2] else None
    return Licence(
        name,
        url,
        commercial="nc" not in parts,
        derivatives="nd" not in parts,
        share_alike="sa" in parts,
    )

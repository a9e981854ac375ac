"""Scientific names as they are compared, and what stands in a name besides the name."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

_PLAIN = r"^[a-z\-]+( [a-z\-]+)*$"
_LETTERS = str.maketrans(
    {"æ": "ae", "œ": "oe", "ø": "o", "ß": "ss", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i"}
)
_DROPPED = re.compile(r"[†‡\"“”«»]")
_CROSSES = re.compile(r"[×✕✖⨯]|\+(?=[^\W\d_])")

_MARKERS = {
    "subsp": "subspecies",
    "ssp": "subspecies",
    "subspecies": "subspecies",
    "nothosubsp": "subspecies",
    "var": "variety",
    "nothovar": "variety",
    "variety": "variety",
    "subvar": "subvariety",
    "f": "form",
    "fo": "form",
    "forma": "form",
    "subf": "subform",
}
_DOTTED_ONLY = frozenset({"f", "fo"})
_OPEN = frozenset({"sp", "spp", "spec", "indet", "gen", "ssp", "subsp"})
_DOUBT = frozenset({"cf", "aff", "nr", "gr", "?"})
_SMALL_WORDS = (
    "de del della delle dello di da du do dos das des la le van von vom zu zur den der ter ten "
    "et and ex in al auct auctt nec non sensu emend fil y e i pro sic nom"
)
_PARTICLES = frozenset(_SMALL_WORDS.split())
_SUBGENUS = re.compile(r"\([^\W\d_][\w\-]+\.?\)")
_EPITHET = re.compile(r"[a-z][a-z\-]+")
_MARKED = re.compile(r" (?:" + "|".join(_MARKERS) + r")(?: |$)")
_USUAL = re.compile(
    r"(([A-Z][a-z\-]+) ([a-z][a-z\-]+)(?: ([a-z][a-z\-]+))?)(?: (\(?[A-Z][A-Za-z.,&()\- \d]*))?"
)
_NO_EPITHETS = _PARTICLES | _OPEN | _DOUBT | frozenset(_MARKERS)
_CROSSED = re.compile(r"(?:^| )x ")


@dataclass(frozen=True, slots=True)
class ParsedName:
    """A scientific name taken apart.

    Parameters
    ----------
    key
        The name as it is compared: genus and epithets, lower case, without diacritics, hybrid
        signs, rank markers, subgenus and authors.
    authorship
        What followed the name, such as "(Linnaeus, 1758)".
    rank
        That a marker in it tells ("var." is ``variety``); empty without one.
    hybrid
        Whether it carries a hybrid sign, or is the formula of a hybrid.
    qualifier
        Of open nomenclature: "sp.", "cf.", "aff."; empty without one. ``key`` is then what stands
        before it, the part that is certain.
    """

    key: str
    authorship: str = ""
    rank: str = ""
    hybrid: bool = False
    qualifier: str = ""


def fold(text: str) -> str:
    """Return text in lower case, without diacritics, with single spaces."""
    if text.isascii():
        return " ".join(text.replace("_", " ").replace('"', "").lower().split())
    text = unicodedata.normalize("NFKD", _CROSSES.sub(" x ", text))
    text = "".join(c for c in text if not unicodedata.combining(c))
    text = _DROPPED.sub("", text.replace("_", " ")).lower().translate(_LETTERS)
    return " ".join(text.split())


def name_key(name: str) -> str:
    """Return a name, given without authors, as it is compared.

    Folded (:func:`fold`), without the hybrid sign before a genus or epithet and without rank
    markers; in the formula of a hybrid a genus is not repeated ("anas acuta x crecca").
    """
    text = fold(name)
    if _MARKED.search(text.replace(".", "")):
        words = text.split()
        kept = [w for i, w in enumerate(words) if not _is_marker(w, i, words)]
        text = " ".join(kept)
    return _without_cross(text) if _CROSSED.search(text) or text.startswith("+") else text


def name_keys(names: pa.Array) -> pa.Array:
    """Return :func:`name_key` of each name of a text column; a null stays one."""
    keys = pc.utf8_lower(names)
    plain = pc.and_kleene(
        pc.match_substring_regex(keys, _PLAIN),
        pc.invert(pc.match_substring_regex(keys, r"(^| )(x|" + "|".join(_MARKERS) + r")( |$)")),
    )
    odd = pc.invert(pc.fill_null(plain, True))
    if not pc.any(odd).as_py():
        return keys
    slow = pa.array([name_key(name) for name in names.filter(odd).to_pylist()], pa.string())
    return pc.replace_with_mask(keys, odd, slow)


def parse_name(text: str) -> ParsedName:
    """Take a scientific name apart, with authors or without.

    Made for names of animals and plants as data sets write them, not for every form that the codes
    of nomenclature allow: what cannot be taken apart stays in ``authorship``.
    """
    if usual := _usual(text):
        return usual
    text = _DROPPED.sub("", _CROSSES.sub(" × ", text).replace("_", " ")).strip()
    if text.isupper():
        text = text.capitalize()
    words = text.split()
    hybrid = bool(words) and words[0] in ("×", "x", "X")
    words = words[1:] if hybrid else words
    if not words:
        return ParsedName("")
    parts, rank, qualifier, at = [fold(words[0])], "", "", 1
    if len(words) > 2 and _SUBGENUS.fullmatch(words[1]) and _epithet(words[2]):
        at = 2
    while at < len(words) and len(parts) < 4:
        word = words[at]
        bare = word.rstrip(".").lower()
        if word in ("×", "x", "X"):
            if len(parts) > 1:
                return ParsedName(_formula(parts, words[at + 1 :]), hybrid=True)
            hybrid = True
        elif bare in _DOUBT or (bare in _OPEN and not _follows(words, at)):
            qualifier = word
            break
        elif _is_marker(word.lower(), at, [w.lower() for w in words]):
            rank = _MARKERS[bare]
        elif _epithet(word) and word.islower():
            parts.append(fold(word))
        else:
            break
        at += 1
    rest = words[at:] if not qualifier else []
    # Botany: authors of the species, then a marked epithet, then its own authors.
    for i, word in enumerate(rest[:-1]):
        if (
            _is_marker(word.lower(), i + 1, ["", *(w.lower() for w in rest)])
            and rest[i + 1].islower()
        ):
            parts, rank = [*parts, fold(rest[i + 1])], _MARKERS[word.rstrip(".").lower()]
            rest = rest[i + 2 :]
            break
    return ParsedName(" ".join(parts), " ".join(rest), rank, hybrid, qualifier)


def strip_authorship(name: str, authorship: str | None) -> str:
    """Return a full name without its authors, given as the checklist gives them."""
    name = name.strip()
    if authorship and name.endswith(authorship.strip()):
        return name[: -len(authorship.strip())].rstrip(" ,")
    return name


def _usual(text: str) -> ParsedName | None:
    """Take the commonest form apart, genus, epithets and plain authors; None for others."""
    found = _USUAL.fullmatch(text)
    if found is None:
        return None
    name, _, second, third, authorship = found.groups(default="")
    if second in _NO_EPITHETS or third in _NO_EPITHETS:
        return None
    if " x " in authorship or _MARKED.search(f" {authorship.replace('.', '')}"):
        return None
    return ParsedName(name.lower(), authorship)


def _epithet(word: str) -> bool:
    text = fold(word)
    return bool(_EPITHET.fullmatch(text)) and text not in _PARTICLES


def _is_marker(word: str, place: int, words: list[str]) -> bool:
    """Whether a word of a folded name only tells the rank of the epithet behind it."""
    bare = word.rstrip(".")
    if place < 1 or bare not in _MARKERS or place + 1 >= len(words):
        return False
    if bare in _DOTTED_ONLY and not word.endswith(".") and place < 2:
        return False
    return _epithet(words[place + 1])


def _follows(words: list[str], at: int) -> bool:
    return at + 1 < len(words) and words[at + 1].islower() and _epithet(words[at + 1])


def _without_cross(text: str) -> str:
    words = [word for word in text.replace("+", " x ").split() if word]
    if words and words[0] == "x":
        words = words[1:]
    if len(words) > 2 and words[1] == "x" and words[2] != words[0]:
        words = [words[0], *words[2:]]
    if "x" in words[1:]:
        cross = words.index("x", 1)
        return _formula(words[:cross], words[cross + 1 :])
    return " ".join(words)


def _formula(left: list[str], right: list[str]) -> str:
    parts = [fold(word) for word in right]
    if parts and parts[0] in (left[0], f"{left[0][:1]}."):
        parts = parts[1:]
    return " ".join([*left, "x", *parts])

"""What the verb blend reads from its options, and what it prints."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from antiphon.errors import FileError, UserError

if TYPE_CHECKING:
    from antiphon.evaluation.blending.evaluate import Evaluation
    from antiphon.evaluation.blending.settings import Settings
    from antiphon.evaluation.blending.systems import System
    from antiphon.evaluation.blending.trust.provenance import Declaration


def named(text: str) -> tuple[str | None, Path]:
    """Return the name, if one is given, and the path of ``NAME=FILE`` or ``FILE``."""
    name, equals, path = text.partition("=")
    if not equals or Path(text).exists():
        return None, Path(text)
    if not name or not path:
        raise UserError(f"{text!r} is neither FILE nor NAME=FILE.")
    return name, Path(path)


def _pair(text: str, option: str, names: list[str]) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name or not value:
        raise UserError(f"{option} {text!r} is not MODEL=FILE, as in {option} {names[0]}=list.csv")
    if name not in names:
        raise UserError(f"{option} {text!r}: the models are {', '.join(names)}.")
    return name, value


def declared_of(
    names: list[str], trained_on: list[str], out_of_fold: list[str]
) -> dict[str, Declaration]:
    """Return what is declared of each model by ``MODEL=LIST`` and ``MODEL=map.csv``.

    Raises
    ------
    UserError
        If a text has another form, a model does not exist, or a file cannot be read.
    """
    from antiphon.evaluation.blending.trust.provenance import (
        Declaration,
        read_out_of_fold,
        read_trained_on,
    )

    lists: dict[str, frozenset[str]] = {}
    for text in trained_on:
        name, value = _pair(text, "--trained-on", names)
        more = frozenset() if value == "none" else read_trained_on(value)
        lists[name] = lists.get(name, frozenset()) | more
    maps: dict[str, Any] = {}
    for text in out_of_fold:
        name, value = _pair(text, "--out-of-fold", names)
        if name in maps:
            raise UserError(f"--out-of-fold is given twice for {name}.")
        maps[name] = read_out_of_fold(value)
    return {n: Declaration(lists.get(n), maps.get(n)) for n in names if n in lists or n in maps}


def settings_of(
    names: list[str],
    *,
    kind: str,
    weights: str | None,
    steps: list[str],
    taxonomy: Path | None,
    unlisted: str,
    **others: Any,
) -> Settings:
    """Return the settings that the options ask for; ``others`` are fields as they are.

    Raises
    ------
    UserError
        If an option says nothing that exists.
    """
    from antiphon.evaluation.blending.choosing.postprocess import parse_step
    from antiphon.evaluation.blending.files.taxonomy import read_taxonomy
    from antiphon.evaluation.blending.scoring.blends import KINDS
    from antiphon.evaluation.blending.settings import Settings

    if kind not in KINDS:
        raise UserError(f"--blend {kind!r} is not known. There are: {', '.join(KINDS)}.")
    if unlisted not in ("error", "negative", "leave-out"):
        raise UserError(f"--unlisted {unlisted!r} is none of error, negative, leave-out.")
    return Settings(
        kind=kind,
        weights={} if weights is None else _weights(weights, names),
        steps=tuple(parse_step(text) for text in steps),
        taxa=None if taxonomy is None else read_taxonomy(taxonomy),
        unlisted=unlisted,  # type: ignore[arg-type]
        **others,
    )


def _weights(text: str, names: list[str]) -> dict[str, float]:
    parts = [part.strip() for part in text.split(",")]
    by_name = any("=" in part for part in parts)
    if not by_name and len(parts) != len(names):
        raise UserError(
            f"--weights {text!r} has {len(parts)} numbers for {len(names)} models; give one for "
            "each, or MODEL=NUMBER."
        )
    found = {}
    for name, part in zip(names, parts, strict=False) if not by_name else ():
        found[name] = _number(part, text)
    for part in parts if by_name else ():
        name, value = _pair(part, "--weights", names)
        found[name] = _number(value, text)
    return found


def _number(part: str, text: str) -> float:
    try:
        return float(part)
    except ValueError:
        raise UserError(f"--weights {text!r}: {part!r} is no number.") from None


def names_in(path: Path) -> tuple[str, ...]:
    """Return the lines of a file, without comments, empty ones and repeats."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise FileError(path, f"it cannot be read: {error}") from None
    lines = (line.partition("#")[0].strip() for line in text.splitlines())
    return tuple(dict.fromkeys(line for line in lines if line))


def check_suffix(path: Path) -> None:
    """Raise :class:`~antiphon.errors.FileError` if scores cannot be written under this name."""
    if not path.name.lower().endswith((".csv", ".csv.gz", ".parquet")):
        raise FileError(path, "it is none of .csv, .csv.gz, .parquet", "Name the file by its kind")


def tell(found: Evaluation, written: list[str]) -> None:
    """Print provenance, scores and findings, and where files were written; warnings apart."""
    from antiphon.cli.show import say, table, warn
    from antiphon.evaluation.blending.report import number_text, wording

    for one in wording.verdicts(found):
        if one.warning:
            warn(f"Warning: {one}")
    table(
        ["model", "standing", "declared", "seen", "surer by", "p"],
        [
            [
                c.name,
                wording.standing(c),
                c.provenance.status,
                len(c.provenance.overlap),
                None if c.membership is None else number_text.signed(c.membership.effect, 2),
                None if c.membership is None else number_text.p_text(c.membership.p_holm),
            ]
            for c in found.components
        ],
        title="What each model may have seen",
    )
    table(
        ["system", "macro AUC", "95 %", "difference", "95 %", "detectable", "p"],
        [_row(s) for s in sorted(found.systems, key=lambda s: -s.auc)],
        title=f"Models and blends; differences from {found.systems[0].name}"
        if len(found.problem.models) == 1
        else "Models and blends; differences from equal rank",
    )
    for note in found.notes:
        say(note)
    for one in wording.verdicts(found):
        if not one.warning:
            say(str(one))
    for line in written:
        say(line)


def _row(s: System) -> list[object]:
    from antiphon.evaluation.blending.report.number_text import area, p_text, signed

    d = s.delta
    ends = f"{area(s.low)}..{area(s.high)}"
    if d is None:
        return [s.name, area(s.auc), ends, None, None, None, None]
    return [
        s.name,
        area(s.auc),
        ends,
        signed(d.value),
        f"{signed(d.low)}..{signed(d.high)}",
        area(d.detectable),
        p_text(s.p_holm),
    ]

"""What a check of a split found, what it looked at and what it could not look at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One kind of thing that two sides share.

    Parameters
    ----------
    kind
        ``item``, ``recording``, ``source``, ``content``, ``copied audio``, ``similar audio``,
        ``equal embedding``, ``near embedding``, ``site``, ``day``, ``site and day``, ``same set``
        or ``trained on``.
    severity
        ``error``: scores on the second side are not those of unseen data. ``warning``: they may be
        too good for other sites or days.
    sides
        The two sides, or a component and a side.
    count, of
        Items of the second side that are affected, and how many it has.
    examples
        A few of them.
    advice
        What to do, a sentence without a full stop.
    more
        Whether there are more than the examples.
    """

    kind: str
    severity: Severity
    sides: tuple[str, str]
    count: int
    of: int
    examples: tuple[str, ...] = ()
    advice: str = ""
    more: bool = False

    def line(self) -> str:
        """Return one sentence or two."""
        first, second = self.sides
        what = _WHAT.get(self.kind, self.kind)
        said = (
            f"{self.severity.upper()}: {self.count:,} of {self.of:,} {second} items {what} "
            f"{first} side"
        )
        if self.kind == "trained on":
            said = (
                f"{self.severity.upper()}: {self.count:,} of {self.of:,} {second} items are among "
                f"the files that {first} was trained on"
            )
        elif self.kind == "same set":
            said = f"{self.severity.upper()}: the {second} side is contained in the {first} side"
        if self.examples:
            more = "; ..." if self.more else ""
            said += f" ({'; '.join(self.examples)}{more})"
        return f"{said}. {self.advice}." if self.advice else f"{said}."


_WHAT = {
    "item": "are also on the",
    "recording": "are from recordings on the",
    "source": "have a source on the",
    "content": "have the same file content as some on the",
    "copied audio": "hold a copy of sound on the",
    "similar audio": "sound nearly like something on the",
    "equal embedding": "have the same embedding as some on the",
    "near embedding": "have nearly the same embedding as some on the",
    "site": "are from sites on the",
    "day": "are from days on the",
    "site and day": "are from the same day at the same site as some on the",
}


@dataclass(frozen=True, slots=True)
class LeakageReport:
    """The result of :func:`~antiphon.evaluation.leakage.check.check_split`.

    Parameters
    ----------
    sizes
        Items of each side, by its name.
    findings
        Errors first.
    checked
        What was compared, as ``recording (train, test)``.
    not_checked
        What could not be, and why.
    """

    sizes: dict[str, int]
    findings: tuple[Finding, ...]
    checked: tuple[str, ...]
    not_checked: tuple[str, ...]

    @property
    def errors(self) -> tuple[Finding, ...]:
        """Findings that make scores wrong."""
        return tuple(one for one in self.findings if one.severity == "error")

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """Findings that limit what scores say."""
        return tuple(one for one in self.findings if one.severity == "warning")

    @property
    def ok(self) -> bool:
        """Whether no error was found in what could be checked."""
        return not self.errors

    def lines(self) -> list[str]:
        """Return the report as sentences, the summary first."""
        sides = ", ".join(f"{n:,} {name}" for name, n in self.sizes.items())
        if self.findings:
            counts = f"{_plural(self.errors, 'error')}, {_plural(self.warnings, 'warning')}"
        elif self.checked:
            counts = "nothing found in what was checked"
        else:
            counts = "nothing could be checked"
        said = [f"Leakage (items: {sides}): {counts}."]
        said += [one.line() for one in self.findings]
        if self.checked:
            said.append(f"Checked: {_grouped(self.checked)}.")
        if self.not_checked:
            said.append(f"Not checked: {_grouped(self.not_checked)}.")
        return said

    def to_json(self) -> dict[str, Any]:
        """Return the fields as plain values."""
        return {
            "sizes": dict(self.sizes),
            "errors": len(self.errors),
            "warnings": len(self.warnings),
            "findings": [
                {**asdict(one), "sides": list(one.sides), "examples": list(one.examples)}
                for one in self.findings
            ],
            "checked": list(self.checked),
            "not_checked": list(self.not_checked),
        }


def ordered(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Return findings with errors first, otherwise as they are."""
    return tuple(sorted(findings, key=lambda one: one.severity != "error"))


def _plural(found: Sequence[Finding], word: str) -> str:
    return f"{len(found)} {word}" + ("" if len(found) == 1 else "s")


def _grouped(said: Sequence[str]) -> str:
    """Join what has the same words in brackets: ``site, day (not given); audio (train)``."""
    groups: dict[str, list[str]] = {}
    for one in said:
        what, _, brackets = one.partition(" (")
        groups.setdefault(brackets, []).append(what)
    return "; ".join(
        ", ".join(names) + (f" ({brackets}" if brackets else "")
        for brackets, names in groups.items()
    )

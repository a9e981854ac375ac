"""What a run did, for people and for programs: the truth about every row."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from antiphon.replacing import write_whole
from antiphon.soundscape.run.assembling import Assembled
from antiphon.soundscape.run.budget import DROPPED
from antiphon.soundscape.run.job import MemberSpec
from antiphon.soundscape.run.results import MemberResult, Results
from antiphon.soundscape.run.rows import Rows
from antiphon.soundscape.run.supervise import Watched

COMPLETE, REDUCED, PARTIAL, PRIORS, INTERRUPTED = 0, 3, 4, 5, 130
"""Exit codes; see :data:`EXIT_CODES`."""

EXIT_CODES: Mapping[int, tuple[str, str]] = {
    COMPLETE: ("complete", "every row was scored by every member in full"),
    REDUCED: ("reduced", "every row was scored, some by fewer members or with contexts left out"),
    PARTIAL: ("partial", "some rows have no score of any member"),
    PRIORS: ("priors", "no row has a score: the file holds priors"),
    INTERRUPTED: ("interrupted", "stopped with Ctrl-C; the same command goes on"),
}
"""Name and meaning of each exit code of a run that left a complete file."""


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What a run was asked for, and what it took.

    Parameters
    ----------
    directory, ensemble, out
        Recordings, ensemble and submission.
    budget_s
        Seconds that it had; None for no limit.
    workers
        Cores.
    seconds
        That it took.
    earlier
        Pieces that an earlier call had scored.
    notes
        Sentences about rows and sample.
    """

    directory: Path
    ensemble: Path
    out: Path
    budget_s: float | None
    workers: int
    seconds: float
    earlier: int
    notes: tuple[str, ...]


def exit_code(assembled: Assembled, watched: Watched) -> int:
    """Return the exit code that tells the truth about a file."""
    if watched.ending == "interrupted":
        return INTERRUPTED
    if not assembled.heard.any():
        return PRIORS
    if not assembled.heard.all():
        return PARTIAL
    return COMPLETE if assembled.full.all() else REDUCED


def make_report(
    facts: RunFacts,
    rows: Rows,
    members: Sequence[MemberSpec],
    results: Results,
    assembled: Assembled,
    watched: Watched,
    unusable: Mapping[str, str],
) -> dict[str, Any]:
    """Return the report as plain values.

    Parameters
    ----------
    facts
        What was asked for.
    rows, members
        All rows and members.
    results, assembled
        What was scored, and what stands in the file.
    watched
        What happened on the way.
    unusable
        Members whose scores could not be used, and why.
    """
    code = exit_code(assembled, watched)
    problems = {one.stem: one.problem for one in rows.recordings.values() if one.problem}
    audio_s = _audio_s(results)
    speed = audio_s / facts.seconds if facts.seconds > 0 else 0.0
    return {
        "status": EXIT_CODES[code][0],
        "meaning": EXIT_CODES[code][1],
        "exit_code": code,
        "directory": str(facts.directory),
        "ensemble": str(facts.ensemble),
        "out": str(facts.out),
        "seconds": round(facts.seconds, 2),
        "budget_s": facts.budget_s,
        "ending": watched.ending,
        "workers": facts.workers,
        "rows": {
            "all": len(rows),
            "in_full": int(assembled.full.sum()),
            "reduced": int((assembled.heard & ~assembled.full).sum()),
            "without_score": int((~assembled.heard).sum()),
            "why": dict(assembled.reasons.most_common()),
            "from": rows.source,
        },
        "recordings": {
            "all": len(rows.recordings),
            "problems": problems,
            "not_in_sample": list(rows.unused),
        },
        "members": [
            _member(spec, results.members[spec.name], results, unusable) for spec in members
        ],
        "plans": results.plans,
        "crashes": watched.crashes,
        "fault": watched.fault,
        "blend": assembled.blend,
        "speed": {
            "audio_s": round(audio_s, 1),
            "times_real_time": round(speed, 2),
            "times_real_time_per_core": round(speed / max(1, facts.workers), 2),
            "cpu_s": round(results.cpu_s, 3),
            "times_real_time_per_cpu_s": round(audio_s / results.cpu_s, 2)
            if results.cpu_s
            else None,
        },
        "resumed": {"pieces_scored_before": facts.earlier},
        "memory_mb": _memory(results),
        "files_written": watched.rewrites + 2,
        "notes": list(facts.notes),
    }


def write_report(path: Path, report: Mapping[str, Any]) -> None:
    """Write a report as JSON."""
    write_whole(path, json.dumps(report, indent=2, ensure_ascii=False) + "\n")


def summary(report: Mapping[str, Any]) -> list[str]:
    """Return the report as a few sentences; the members' table is not in them."""
    rows, speed = report["rows"], report["speed"]
    budget = "" if report["budget_s"] is None else f" of {_duration(report['budget_s'])}"
    cores = "1 core" if report["workers"] == 1 else f"{report['workers']} cores"
    counts = (
        f"{rows['all']:,} rows: {rows['in_full']:,} in full, {rows['reduced']:,} reduced, "
        f"{rows['without_score']:,} without a score; {_duration(report['seconds'])}{budget}, "
        f"{speed['times_real_time']:,.0f} times real time on {cores}."
    )
    lines = [f"{report['out']}: {report['status']}, {report['meaning']}.", counts]
    lines += [f"{n:,} rows without a score: {why}" for why, n in list(rows["why"].items())[:8]]
    if len(rows["why"]) > 8:
        lines.append(f"{len(rows['why']) - 8} further reasons are in the report.")
    lines += [
        f"Plan at {plan['windows_left']:,} windows left: "
        + ", ".join(f"{name} {_thinned(k)}" for name, k in plan["now"].items())
        + "."
        for plan in report["plans"][-4:]
    ]
    for member in report["members"]:
        if member["given_up"]:
            lines.append(f"{member['name']} was given up: {member['given_up']}")
        elif member["failed_pieces"]:
            why = next(iter(member["why_failed"]))
            lines.append(f"{member['name']} failed on {member['failed_pieces']} pieces: {why}")
    return lines + list(report["crashes"]) + list(report["notes"])


MEMBER_COLUMNS = ("member", "priority", "windows", "thinned", "before", "seconds", "windows/s")


def member_rows(report: Mapping[str, Any]) -> list[list[object]]:
    """Return a row for each member, as :data:`MEMBER_COLUMNS` names them."""
    return [
        [
            one["name"],
            one["priority"],
            one["windows"],
            one["windows_thinned"],
            one["windows_before"],
            one["seconds"],
            one["windows_per_second"],
        ]
        for one in report["members"]
    ]


def _member(
    spec: MemberSpec, found: MemberResult, results: Results, unusable: Mapping[str, str]
) -> dict[str, Any]:
    sizes = {i: len(results.pieces[i]) for i in found.blocks}
    thinned = sum(sizes[i] for i, block in found.blocks.items() if block.thinning > 1)
    total = sum(sizes.values())
    return {
        "name": spec.name,
        "priority": spec.priority,
        "windows": total,
        "windows_thinned": thinned,
        "windows_before": max(0, total - found.windows),
        "seconds": round(found.seconds, 3),
        "windows_per_second": round(found.windows / found.seconds, 2) if found.seconds else None,
        "given_up": found.dropped or unusable.get(spec.name, ""),
        "failed_pieces": len(found.failed),
        "why_failed": dict(Counter(found.failed.values()).most_common(5)),
        **found.facts,
    }


def _audio_s(results: Results) -> float:
    """Return the seconds of audio whose windows were scored in this call."""
    total = 0.0
    for i in results.fresh:
        piece = results.pieces[i]
        span = float(piece.start_s[-1] - piece.start_s[0]) + results.window_s
        total += min(span, piece.recording.duration_s)
    return total


def _memory(results: Results) -> dict[str, float]:
    """Return the most memory after a tenth, half and all of the pieces, in MB."""
    if not results.memory:
        return {}
    values = results.memory
    at = {"tenth": len(values) // 10, "half": len(values) // 2, "all": len(values) - 1}
    return {name: values[i] for name, i in at.items()}


def _thinned(k: int) -> str:
    if k == DROPPED:
        return "left out"
    return "in full" if k == 1 else f"every {'2nd' if k == 2 else f'{k}th'} context"


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.1f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"

"""Find the format of a label table, read it or write it.

A format is one module of this folder that holds an :class:`AnnotationFormat` named ``FORMAT``;
nothing else has to be changed to add one.
"""

from __future__ import annotations

import difflib
import importlib
import inspect
import pkgutil
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa

from antiphon.errors import FileError, FormatError, UserError
from antiphon.labels import formats as _folder
from antiphon.labels.annotation import ANNOTATION_SCHEMA, validate

_HEAD_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a format's reader finds in one file.

    Parameters
    ----------
    table
        Annotations, valid.
    reviewed
        Recordings that the file speaks about, also those without a row; empty for a file that
        speaks of single windows only.
    problems
        What was odd but did not stop the reading, one sentence each, without a full stop.
    skipped
        Rows that say nothing (not filled in, no label) and gave no annotation.
    """

    table: pa.Table
    reviewed: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    skipped: int = 0


@dataclass(frozen=True, slots=True)
class AnnotationFormat:
    """One outside format of annotations.

    Parameters
    ----------
    name
        What ``--format`` takes.
    suffixes
        File suffixes it comes with, lower case.
    description
        One line for people.
    sniff
        ``sniff(path, head)``: whether a file is of this format, judged by its name and its first
        64 KiB as text. Quick and strict, for the first format that says yes is taken.
    read
        ``read(path, **options)``; its keyword arguments are the options a user can give.
    write
        ``write(table, target, **options)``: write a valid table, return the files written.
    order
        Formats with a smaller number are asked first; special layouts come before general ones.
    """

    name: str
    suffixes: tuple[str, ...]
    description: str
    sniff: Callable[[Path, str], bool]
    read: Callable[..., Parsed]
    write: Callable[..., list[Path]]
    order: int = 50

    @property
    def options(self) -> tuple[str, ...]:
        """Names of the options that reading takes."""
        return _keywords(self.read)


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with one file.

    Parameters
    ----------
    path
        The file.
    problem
        What is wrong, a sentence.
    unread
        True if nothing of the file was taken, False if it was read all the same.
    """

    path: Path
    problem: str
    unread: bool


@dataclass(frozen=True, slots=True)
class ReadResult:
    """Annotations from a file or a folder.

    Parameters
    ----------
    table
        All annotations, with the columns of ``ANNOTATION_SCHEMA``.
    files
        The files that were read, sorted.
    problems
        Files that could not be read, and oddities in those that could.
    reviewed
        Recordings that the files speak about, each once, also those without a row: an empty
        selection table says that its recording was looked at.
    skipped
        Rows that say nothing and gave no annotation.
    placed
        Names of recordings that their tables give without a folder, and that got the folder in
        which the table lies, relative to the one that was read: ``siteA/X`` for
        ``siteA/X.Table.1.selections.txt``. Where no recording lies in such a folder the name
        without it may be meant.
    """

    table: pa.Table
    files: tuple[Path, ...]
    problems: tuple[Problem, ...] = ()
    reviewed: tuple[str, ...] = ()
    skipped: int = 0
    placed: frozenset[str] = frozenset()

    @property
    def unread(self) -> tuple[Problem, ...]:
        """The problems of files of which nothing was taken."""
        return tuple(problem for problem in self.problems if problem.unread)

    def renamed(self, names: Mapping[str, str]) -> ReadResult:
        """Return the same with other names of some recordings, which are no longer ``placed``."""
        return replace(
            self,
            table=_renamed(self.table, names),
            reviewed=tuple(dict.fromkeys(names.get(name, name) for name in self.reviewed)),
            placed=self.placed - names.keys(),
        )


@cache
def list_formats() -> tuple[AnnotationFormat, ...]:
    """Return all formats, in the order in which they are asked."""
    found = []
    for module in pkgutil.iter_modules(_folder.__path__):
        form = getattr(importlib.import_module(f"{_folder.__name__}.{module.name}"), "FORMAT", None)
        if isinstance(form, AnnotationFormat):
            found.append(form)
    return tuple(sorted(found, key=lambda form: (form.order, form.name)))


def format_names() -> list[str]:
    """Return the names that ``format`` takes, besides "auto", sorted."""
    return sorted(form.name for form in list_formats())


def get_format(name: str) -> AnnotationFormat:
    """Return the format of that name.

    Raises
    ------
    UserError
        If there is none; the message names the ones there are.
    """
    for form in list_formats():
        if form.name == name.lower():
            return form
    near = difflib.get_close_matches(name.lower(), format_names(), n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise UserError(f"Format {name!r} is not known.{hint} There are: {', '.join(format_names())}.")


def read_annotations(path: Path | str, format: str | None = "auto", **options: Any) -> ReadResult:
    """Read annotations from a label table, or from all tables under a folder.

    Parameters
    ----------
    path
        A file or a folder. Of a folder, every file with a suffix of the format (of any format,
        when it is to be found out) is read, recursively and sorted; hidden files are left out.
        Recordings that a table in a sub-folder names without a folder are those of its own.
    format
        A name from :func:`format_names`; "auto" or None finds it out for each file.
    **options
        Passed to the format's reader; None means not given. In a folder of several formats each
        takes the options it knows.

    Returns
    -------
    ReadResult
        In a folder, a file that cannot be read is named in ``problems`` and the rest is read.

    Raises
    ------
    FormatError
        If a single file does not follow its format; the message names row and column.
    FileError
        If the path is missing, cannot be opened, or a folder holds no label table.
    UserError
        If the format or an option is not known.
    """
    path = Path(path)
    chosen = None if format in (None, "auto") else get_format(str(format))
    options = {name: value for name, value in options.items() if value is not None}
    _check_options(options, [chosen] if chosen else list(list_formats()))
    if not path.exists():
        raise FileError(path, "there is no such file or folder", "Check the spelling of the path")
    if not path.is_dir():
        return _join([(path, _read_file(path, chosen, options, whole_folder=False))], [])

    suffixes = chosen.suffixes if chosen else {s for form in list_formats() for s in form.suffixes}
    files = [
        file
        for file in sorted(path.rglob("*"))
        if file.suffix.lower() in suffixes
        and file.is_file()
        and not any(part.startswith(".") for part in file.relative_to(path).parts)
    ]
    if not files:
        raise FileError(
            path,
            f"no label table is in this folder (looked for {', '.join(sorted(suffixes))})",
            "Give the folder that holds the tables, or one table",
        )
    parts: list[tuple[Path, Parsed]] = []
    problems: list[Problem] = []
    placed: set[str] = set()
    for file in files:
        try:
            parsed = _read_file(file, chosen, options, whole_folder=True)
            if "recording" not in options:
                parsed = _in_folder(parsed, file.parent.relative_to(path), placed)
            parts.append((file, parsed))
        except FileError as error:
            advice = f" {error.advice}." if error.advice else ""
            problems.append(Problem(file, f"{error.problem}.{advice}", unread=True))
    return replace(_join(parts, problems), placed=frozenset(placed))


def write_annotations(
    table: pa.Table, target: Path | str, format: str, **options: Any
) -> list[Path]:
    """Write annotations in an outside format.

    Parameters
    ----------
    table
        Annotations, with the columns of ``ANNOTATION_SCHEMA``.
    target
        A file, or a folder for one file per recording, as the format's ``write`` describes.
    format
        A name from :func:`format_names`.
    **options
        Passed to the format's writer; None means not given.

    Returns
    -------
    list of Path
        The files written; each appears whole or not at all.

    Raises
    ------
    UserError
        If the format or an option is not known, or if the format has no way to say what the
        table says.
    FormatError
        If the table is not valid.
    FileError
        If a file cannot be written.
    """
    form = get_format(format)
    options = {name: value for name, value in options.items() if value is not None}
    known = _keywords(form.write)
    for name in options:
        if name not in known:
            raise UserError(f"Writing {form.name} takes no option {name!r}; {_listing(known)}.")
    validate(table, target)
    return form.write(table, Path(target), **options)


def _read_file(
    path: Path, form: AnnotationFormat | None, options: dict[str, Any], *, whole_folder: bool
) -> Parsed:
    head = _head(path)
    found = form or _sniff(path, head)
    if found is None:
        first = head.strip("\ufeff\r\n ").splitlines()
        raise FormatError(
            path,
            f"no known format: the first line is {first[0][:80]!r}" if first else "it is empty",
            f"Known formats are {', '.join(format_names())}; name one with --format",
        )
    if not whole_folder or form is not None:
        _check_options(options, [found])
    try:
        return found.read(path, **{k: v for k, v in options.items() if k in found.options})
    except FormatError as error:
        other = None if form is None or form.sniff(path, head) else _sniff(path, head)
        if other is None:
            raise
        raise FormatError(
            path, error.problem, f"It looks like {other.name}; try --format {other.name}"
        ) from error
    except OSError as error:
        raise FileError(path, f"it cannot be read: {error.strerror or error}") from error


def _head(path: Path) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(_HEAD_BYTES)
    except OSError as error:
        raise FileError(path, f"it cannot be read: {error.strerror or error}") from error
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16", errors="replace")
    return raw.decode("utf-8-sig", errors="replace")


def _sniff(path: Path, head: str) -> AnnotationFormat | None:
    return next((form for form in list_formats() if form.sniff(path, head)), None)


def _in_folder(parsed: Parsed, folder: Path, placed: set[str]) -> Parsed:
    """Lead the names without a folder by that in which their table lies; note the new ones."""
    if folder == Path():
        return parsed
    longer = {
        name: f"{folder.as_posix()}/{name}"
        for name in {*parsed.table.column("recording").to_pylist(), *parsed.reviewed}
        if not re.search(r"[/\\]", name)
    }
    placed.update(longer.values())
    return replace(
        parsed,
        table=_renamed(parsed.table, longer),
        reviewed=tuple(longer.get(name, name) for name in parsed.reviewed),
    )


def _renamed(table: pa.Table, names: Mapping[str, str]) -> pa.Table:
    at = table.schema.get_field_index("recording")
    field = table.schema.field(at)
    column = [names.get(name, name) for name in table.column(at).to_pylist()]
    return table.set_column(at, field, pa.array(column, field.type))


def _join(parts: list[tuple[Path, Parsed]], problems: list[Problem]) -> ReadResult:
    for path, parsed in parts:
        problems += [Problem(path, f"{text}.", unread=False) for text in parsed.problems]
    empty = ANNOTATION_SCHEMA.empty_table()
    return ReadResult(
        table=pa.concat_tables([empty, *(parsed.table for _, parsed in parts)]),
        files=tuple(path for path, _ in parts),
        problems=tuple(sorted(problems, key=lambda problem: problem.path)),
        reviewed=tuple(dict.fromkeys(name for _, parsed in parts for name in parsed.reviewed)),
        skipped=sum(parsed.skipped for _, parsed in parts),
    )


def _keywords(function: Callable[..., Any]) -> tuple[str, ...]:
    parameters = inspect.signature(function).parameters.values()
    return tuple(p.name for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY)


def _check_options(options: dict[str, Any], formats: list[AnnotationFormat]) -> None:
    known = sorted({name for form in formats for name in form.options})
    names = formats[0].name if len(formats) == 1 else "any format"
    for option in options:
        if option not in known:
            raise UserError(f"Reading {names} takes no option {option!r}; {_listing(known)}.")


def _listing(options: tuple[str, ...] | list[str]) -> str:
    return f"there are {', '.join(options)}" if options else "there are none"

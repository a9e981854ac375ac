"""The package of a submission: results, ``sampling.py``, requirements and notebook in a zip."""

from __future__ import annotations

import ast
import io
import json
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from antiphon.active.baseal.export import NOTEBOOK, REQUIREMENTS, SAMPLING
from antiphon.active.baseal.results import Submission, read_submission
from antiphon.active.baseal.source import is_allowed
from antiphon.active.baseal.standings import set_of
from antiphon.active.baseal.submission import submission_name
from antiphon.errors import FileError, FormatError, UserError
from antiphon.replacing import replacing

REPEATS, BUDGET, TASK = 5, 500, 4
_DOMAINS = ("HSN", "POW", "UHH", "ATBFL")
# What BaseAL itself installs.
_WITH_BASEAL = frozenset({"torch", "pandas", "faiss", "skactiveml", "umap", "yaml", "tqdm"})
# A zip stores times; one fixed time makes equal packages equal files.
_TIME = (2026, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Package:
    """A written package.

    Parameters
    ----------
    path
        The zip.
    names
        What it holds.
    warnings
        What the organisers may object to, as sentences.
    """

    path: Path
    names: tuple[str, ...]
    warnings: tuple[str, ...]


def write_package(
    folder: Path,
    results: Sequence[Path],
    sampling: Path,
    *,
    lastname: str,
    institute: str,
    requirements: Path | None = None,
    notebook: Path | None = None,
    index: int = 1,
) -> Package:
    """Write ``{lastname}_{institute}_task4_{index}.zip``.

    Parameters
    ----------
    folder
        Where the zip goes; made if missing.
    results
        Results files; each is stored under the name the task page asks for.
    sampling
        The edited ``sampling.py``. It is checked without being run.
    requirements, notebook
        ``requirements.txt`` and ``method_description.ipynb``, or None.
    index
        Which of several submissions.

    Raises
    ------
    FileError, FormatError
        If a file is missing or broken; results that contradict themselves are.
    UserError
        If there are no results, or two are of the same set.
    """
    if not results:
        raise UserError("There are no results to pack.")
    files: dict[str, bytes] = {}
    found = []
    for path in results:
        one = read_submission(path)
        name = submission_name(one.strategy, one.dataset, lastname)
        if name in files:
            raise UserError(f"{path}: results of {one.strategy} on {one.dataset} are there twice.")
        files[name] = path.read_bytes()
        found.append(one)
    warnings = [warning for one in found for warning in _check_results(one, lastname)]
    warnings += _check_sets(found)
    files[SAMPLING] = _read(sampling)
    needed = _check_sampling(sampling, files[SAMPLING])
    if requirements is not None:
        files[REQUIREMENTS] = _read(requirements)
    elif needed:
        warnings.append(
            f"{SAMPLING} imports {', '.join(needed)}, but there is no {REQUIREMENTS} to say so."
        )
    if notebook is not None:
        files[NOTEBOOK] = _read(notebook)
        _check_notebook(notebook, files[NOTEBOOK])
    elif any(_uneven(one) for one in found):
        warnings.append(
            f"The batches are not all of one size, but there is no {NOTEBOOK} that shows them."
        )
    words = [re.sub(r"[^\w-]+", "", word) for word in (lastname, institute)]
    if not all(words):
        raise UserError("The package is named by last name and institute; one of them is empty.")
    out = folder / f"{words[0]}_{words[1]}_task{TASK}_{index}.zip"
    _write(out, _zipped(files))
    return Package(out, tuple(files), tuple(warnings))


def _check_results(one: Submission, lastname: str) -> list[str]:
    name = one.path.name
    last = one.curve[-1].n_labelled
    said = []
    if one.form != "aggregated":
        said.append(f"{name}: it is the export of one learner, without deviations over repeats.")
    if one.repeats != REPEATS:
        said.append(f"{name}: {one.repeats} repeats; the task asks for {REPEATS}.")
    if last > BUDGET:
        said.append(f"{name}: {last} labels were spent; the budget is {BUDGET}.")
    elif last < BUDGET:
        said.append(f"{name}: only {last} of {BUDGET} labels were spent, the curve ends early.")
    if one.author.casefold() != lastname.casefold():
        said.append(f"{name}: author_lastname is {one.author!r}, the package is of {lastname!r}.")
    return said


def _check_sets(found: Sequence[Submission]) -> list[str]:
    said = []
    methods = sorted({one.strategy for one in found})
    if len(methods) > 1:
        said.append(f"The results are of {len(methods)} methods: {', '.join(methods)}.")
    have = {set_of(one.dataset)[1] for one in found}
    lacking = [name for name in _DOMAINS if name not in have]
    if lacking:
        said.append(f"There are no results of {', '.join(lacking)}.")
    return said


def _check_sampling(path: Path, content: bytes) -> list[str]:
    """Make sure that it is BaseAL's class, and return the packages it needs beyond BaseAL's."""
    try:
        tree = ast.parse(content)
    except (SyntaxError, ValueError) as error:
        raise FormatError(path, f"it is no valid Python: {error}") from error
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    ours = next((node for node in classes if node.name == "SamplingStrategy"), None)
    if ours is None:
        raise FormatError(path, "it has no class SamplingStrategy", "Start from BaseAL's file")
    if not any(isinstance(n, ast.FunctionDef) and n.name == "select" for n in ours.body):
        raise FormatError(path, "its class SamplingStrategy has no method select")
    needed: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            needed.update(one.name.partition(".")[0] for one in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            needed.add((node.module or "").partition(".")[0])
    return sorted(name for name in needed - _WITH_BASEAL if not is_allowed(name))


def _check_notebook(path: Path, content: bytes) -> None:
    try:
        book = json.loads(content)
        good = isinstance(book["cells"], list) and book["nbformat"] == 4
    except (ValueError, KeyError, TypeError):
        good = False
    if not good:
        raise FormatError(path, "it is not a notebook of format 4")


def _uneven(one: Submission) -> bool:
    spent = [0, *(point.n_labelled for point in one.curve)]
    # The last batch may be cut by the budget.
    sizes = {after - before for before, after in pairwise(spent[:-1])}
    return len(sizes) > 1


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise FileError(path, f"it cannot be read: {error.strerror or error}") from error


def _zipped(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, _TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)
    return out.getvalue()


def _write(path: Path, content: bytes) -> None:
    with replacing(path, "it cannot be written") as part:
        part.write_bytes(content)

"""The folder that an export goes to: whole or not at all."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from antiphon.errors import DiskFullError, FileError
from antiphon.store.faults import is_disk_full

REPORT = "export.json"
CARD = "README.md"


def check_target(out: Path, overwrite: bool) -> None:
    """Refuse a target before work is done for it.

    Raises
    ------
    FileError
        It is there already: something else, or an earlier export that is not to be replaced.
    """
    if not out.exists() and not out.is_symlink():
        return
    if not out.is_dir():
        raise FileError(out, "is there already and is no folder", "Give another --out")
    held = sorted(path.name for path in out.iterdir())
    if not held:
        return
    if REPORT not in held:
        raise FileError(out, "is there already and holds no export", "Give another --out")
    if not overwrite:
        raise FileError(
            out, "holds an export already", "Give another --out, or --overwrite to replace it"
        )
    others = sorted(set(held) - _own_files(out))
    if others:
        raise FileError(
            out,
            f"holds {others[0]!r}, which is not of the export, and would be lost",
            "Move it away, or give another --out",
        )


@contextmanager
def staging(out: Path, overwrite: bool) -> Iterator[Path]:
    """Give a folder to write to, which takes the place of ``out`` if all went well.

    Nothing is left behind otherwise.

    Raises
    ------
    DiskFullError
        There was no space.
    FileError
        As :func:`check_target`.
    """
    out = out.absolute()
    check_target(out, overwrite)
    # Beside the target or above it, so that it is on the same disk and a failure leaves no parents.
    place = next(parent for parent in out.parents if parent.is_dir())
    try:
        folder = Path(tempfile.mkdtemp(prefix=".export-", dir=place))
        try:
            yield folder
            _put_in_place(folder, out, overwrite)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    except Exception as error:
        if is_disk_full(error):
            raise DiskFullError(
                f"{out}: the disk is full. Nothing was kept of the export; free some space and "
                "run the same command again."
            ) from error
        raise


def _put_in_place(folder: Path, out: Path, overwrite: bool) -> None:
    # Others may have written there meanwhile.
    check_target(out, overwrite)
    folder.chmod(0o755)
    out.parent.mkdir(parents=True, exist_ok=True)
    if not out.is_dir():
        folder.replace(out)
        return
    if not any(out.iterdir()):
        out.rmdir()
        folder.replace(out)
        return
    before = folder.with_name(f"{folder.name}.before")
    out.replace(before)
    try:
        folder.replace(out)
    except OSError:
        before.replace(out)
        raise
    shutil.rmtree(before, ignore_errors=True)


def _own_files(out: Path) -> set[str]:
    try:
        files = json.loads((out / REPORT).read_text(encoding="utf-8")).get("files", {})
        return {REPORT, *map(str, files)}
    except (OSError, ValueError, AttributeError) as error:
        raise FileError(
            out / REPORT, f"cannot be read: {error}", "Remove the folder, or give another --out"
        ) from error

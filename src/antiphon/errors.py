"""Errors that a user meets: each says where, what is wrong and what to do.

The command line turns them into one sentence and an exit code: 2 for a mistake of the user's
(:class:`UserError` and its kinds), 1 when part of the work failed (:class:`PartialError`).
"""

from __future__ import annotations

from pathlib import Path


class AntiphonError(Exception):
    """Base of all errors raised on purpose; ``exit_code`` is what the command line returns."""

    exit_code = 1


class UserError(AntiphonError):
    """Something the user gave is wrong: an argument, a setting, a path, a name."""

    exit_code = 2


class FileError(UserError):
    """A file that cannot be used.

    Parameters
    ----------
    path
        The file (or folder) at fault.
    problem
        What is wrong with it, without a full stop.
    advice
        What to do about it, a sentence without a full stop; empty when there is nothing to add.
    """

    def __init__(self, path: Path | str, problem: str, advice: str = "") -> None:
        self.path = Path(path)
        self.problem = problem
        self.advice = advice
        super().__init__(f"{path}: {problem}." + (f" {advice}." if advice else ""))

    def __reduce__(self) -> tuple[type[FileError], tuple[Path, str, str]]:
        """Keep the three parts when the error crosses a process boundary."""
        return (type(self), (self.path, self.problem, self.advice))


class AudioError(FileError):
    """A recording that cannot be read, or a span of it that does not exist."""


class FormatError(FileError):
    """A label table, manifest or settings file that does not follow its format."""


class ModelError(FileError):
    """A model or detector file that is corrupt or does not fit."""


class StoreError(UserError):
    """A project folder that cannot be used as it is (newer version, missing part, locked)."""


class DiskFullError(StoreError):
    """A disk without space: no mistake in what was asked, and what was finished is kept."""

    exit_code = 1


class MissingExtraError(UserError):
    """A feature that needs a package which is not installed.

    Parameters
    ----------
    extra
        The extra of this package that brings it, such as ``"m4a"``.
    purpose
        What it is needed for, as in "read M4A recordings".
    """

    def __init__(self, extra: str, purpose: str) -> None:
        self.extra = extra
        self.purpose = purpose
        super().__init__(f"To {purpose}, install the extra: pip install 'antiphon[{extra}]'.")

    def __reduce__(self) -> tuple[type[MissingExtraError], tuple[str, str]]:
        """Keep the two parts when the error crosses a process boundary."""
        return (type(self), (self.extra, self.purpose))


class PartialError(AntiphonError):
    """The run went to its end, but some items failed; the rest is finished and kept."""

    exit_code = 1

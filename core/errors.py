"""The tree of errors: what went wrong, the exit code it ends with, and what to do about it.

BoardlakeError                 1
├── UsageError                 2   an argument or filter that cannot be taken
│   ├── FilterError            2   with the position in the expression
│   ├── SqlError               2   with the position in the statement
│   └── LimitError             2   a statement that takes more than it may
├── ConfigError                3   all that is wrong with a config file, at once
├── LakeError                  4   the lake cannot be opened, or is of another version
│   ├── LakeMissing            4
│   ├── LakeVersionError       4
│   └── LakeBusy               5   another writer holds the lock
├── SourceError                6   a source, or some of them, could not be read
├── VerifyError                7   independent readers disagree with the lake
├── SpaceError                 8   a disk is full
├── IngestRunning              9   other processes are reading all that was asked for
├── HubError                  10   the hub takes nothing of what is pushed to it
│   └── HubAway               10   and may by itself take it later
└── Interrupted              130   stopped by a signal after the current commit
"""

from __future__ import annotations


class BoardlakeError(Exception):
    """Anything a user must be told; *hint* says what to do next."""

    exit_code = 1
    http_status = 500

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n  hint: {self.hint}" if self.hint else self.message


class UsageError(BoardlakeError):
    """An argument that cannot be taken."""

    exit_code = 2
    http_status = 400


class FilterError(UsageError):
    """A filter, column, sort or group expression that cannot be taken.

    *position* is the 0-based index into *text* where it went wrong.
    """

    def __init__(self, message: str, *, text: str, position: int, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.text = text
        self.position = position

    def __str__(self) -> str:
        pointer = f"{self.message}\n  {self.text}\n  {' ' * self.position}^"
        return f"{pointer}\n  hint: {self.hint}" if self.hint else pointer


class SqlError(UsageError):
    """A statement of SQL that cannot be taken.

    *position* is the 0-based index into *text* where it went wrong, if that is known.
    """

    def __init__(
        self, message: str, *, text: str = "", position: int | None = None, hint: str = ""
    ) -> None:
        super().__init__(message, hint=hint)
        self.text = text
        self.position = position


class LimitError(UsageError):
    """A statement that takes more time, memory or rows than it may."""


class ConfigError(BoardlakeError):
    """Everything that is wrong with a config file: *problems* holds one line for each."""

    exit_code = 3

    def __init__(self, problems: list[str], *, hint: str = "") -> None:
        super().__init__("\n".join(problems), hint=hint)
        self.problems = problems


class LakeError(BoardlakeError):
    """The lake cannot be opened, read or written."""

    exit_code = 4
    http_status = 503


class LakeMissing(LakeError):
    """There is no lake at the given place."""


class LakeVersionError(LakeError):
    """The lake's schema is not the one this program knows."""


class LakeBusy(LakeError):
    """Another process holds the writer lock."""

    exit_code = 5


class SourceError(BoardlakeError):
    """A source could not be listed or read."""

    exit_code = 6


class VerifyError(BoardlakeError):
    """An independent reader found other rows than the lake holds."""

    exit_code = 7


class SpaceError(BoardlakeError):
    """A disk is full: nothing was committed, nothing is lost."""

    exit_code = 8
    http_status = 507


class IngestRunning(BoardlakeError):
    """Other processes are reading every source that was asked for: nothing is left to do."""

    exit_code = 9


class HubError(BoardlakeError):
    """The hub that is pushed to refuses."""

    exit_code = 10


class HubAway(HubError):
    """The hub cannot be reached or is busy: what was read waits for it."""


class Interrupted(BoardlakeError):
    """A signal asked to stop, and the current commit is done."""

    exit_code = 130

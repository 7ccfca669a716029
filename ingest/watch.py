"""When each source of `--watch` is scanned again: soon where something happens, ever more rarely elsewhere."""

from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from types import TracebackType

from .inotify import Inotify
from .memory import PATIENCE
from .report import Report
from .setup import SourceSetup
from .sources.base import Source
from .sources.local.mounts import Mounts, is_disk
from .sources.local.source import LocalSource

# A quiet source is scanned at least this often, where its `rescan` is not shorter.
_DISK_S = 60.0
_MOUNT_S = 300.0
# One that failed is tried at least this often.
_FAILED_S = 300.0
# A scan that finds nothing shall not take more than a fifth of the time.
_REST = 4
MOST_WATCHES = 256
_STOP_SEEN_S = 0.25


@dataclass
class Pace:
    """When one source is due, in seconds of a clock that does not jump.

    `shortest` and `longest` lie between its scans.
    """

    shortest: float
    longest: float
    due_at: float = 0.0
    begun_at: float = 0.0
    changed_at: float | None = None
    failures: int = 0

    def is_due(self, now: float, soon: float) -> bool:
        """Whether it is due now, or *soon* and rested."""
        return self.due_at <= now or (self.due_at <= soon and self.begun_at + self.shortest <= now)

    def begin(self, now: float) -> None:
        """A scan begins: whatever comes of it, the next is not due before the interval is over."""
        self.begun_at = now
        self.due_at = now + self.shortest
        if self.changed_at is None:
            self.changed_at = now

    def end(self, now: float, report: Report) -> None:
        """A scan is over: choose when the next one is due."""
        if report.error:
            self.failures += 1
            wait = min(self.shortest * 2.0 ** min(self.failures, 20), max(_FAILED_S, self.shortest))
        elif report.files_changed or report.bytes_read or report.new_runs:
            self.failures, self.changed_at, wait = 0, now, self.shortest
        else:
            self.failures = 0
            quiet = now - (self.changed_at if self.changed_at is not None else now)
            took = report.ended_at - report.started_at
            wait = min(max(self.shortest, quiet / PATIENCE, _REST * took), self.longest)
        self.due_at = max(now, self.begun_at + wait)

    def hint(self, now: float) -> None:
        """Something seems to have happened: be due as soon as the interval allows."""
        self.due_at = min(self.due_at, max(now, self.begun_at + self.shortest))

    @property
    def may_be_hastened(self) -> bool:
        """Whether a hint would change anything."""
        return self.due_at > self.begun_at + self.shortest


@dataclass
class _Local:
    """A source on a disk of this machine: what it was opened as last."""

    root: bytes
    opened: LocalSource | None = None


@dataclass
class _Watches:
    """Which directories are watched, and for which sources."""

    inotify: Inotify
    numbers: dict[bytes, int] = field(default_factory=dict)
    names: dict[int, set[str]] = field(default_factory=dict)


class Watch:
    """The sources of a watch, each with a pace of its own; *seconds* is the shortest interval.

    *tell* is told, once, that hints are not to be had. Polling finds everything without them.
    """

    def __init__(
        self, setups: Iterable[SourceSetup], seconds: float, tell: Callable[[str], None]
    ) -> None:
        self._seconds = seconds
        self._tell: Callable[[str], None] | None = tell
        self._setups: dict[str, SourceSetup] = {}
        self._paces: dict[str, Pace] = {}
        self._local: dict[str, _Local] = {}
        self._mounts = Mounts()
        for setup in setups:
            self._include(setup)
        self._watches: _Watches | None = None
        try:
            if self._local:
                self._watches = _Watches(Inotify())
        except OSError as error:
            self._give_up(error)

    def __enter__(self) -> Watch:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._watches is not None:
            self._watches.inotify.close()

    def begin(self) -> list[SourceSetup]:
        """The sources that are due; their scans are taken to begin now."""
        now = time.monotonic()
        # What is due in a moment goes along.
        soon = now + self._seconds / 4
        due = [name for name, pace in self._paces.items() if pace.is_due(now, soon)]
        for name in due:
            self._paces[name].begin(now)
        return [self._setups[name] for name in due]

    def end(self, reports: Iterable[Report]) -> None:
        """What came of the scans; a source without a report is due after the shortest interval."""
        now = time.monotonic()
        for report in reports:
            self._paces[report.source].end(now, report)
        self._look_at_live()

    def wait(self, stop: threading.Event) -> None:
        """Wait until a source is due, or *stop* is set."""
        while not stop.is_set():
            left = min(pace.due_at for pace in self._paces.values()) - time.monotonic()
            if left <= 0:
                return
            if self._watches is None or not self._to_be_hastened():
                stop.wait(left)
            else:
                # A signal does not end the system's call, and other threads may stop us as well.
                self._hear(self._watches, min(left, _STOP_SEEN_S))

    def _include(self, setup: SourceSetup) -> None:
        longest = setup.settings.rescan
        if setup.facts.kind == "local":
            root = os.fsencode(setup.settings.uri)
            disk = is_disk(self._mounts.kind(root))
            longest = min(longest, _DISK_S if disk else _MOUNT_S)
            if disk:
                root = os.path.dirname(root) if os.path.isfile(root) else root
                local = self._local[setup.name] = _Local(root)
                setup = replace(setup, open=_kept(setup.open, local))
        self._setups[setup.name] = setup
        self._paces[setup.name] = Pace(self._seconds, max(self._seconds, longest))

    def _to_be_hastened(self) -> bool:
        return any(self._paces[name].may_be_hastened for name in self._local)

    def _hear(self, watches: _Watches, seconds: float) -> None:
        happened, ended, lost = watches.inotify.wait(seconds)
        now = time.monotonic()
        names = set(self._local) if lost else set[str]()
        for number in happened:
            names |= watches.names.get(number, set())
        for number in ended:
            names |= watches.names.pop(number, set())
            watches.numbers = {d: n for d, n in watches.numbers.items() if n != number}
        for name in names:
            self._paces[name].hint(now)

    def _look_at_live(self) -> None:
        """Watch the roots, where something happened lately, and the directories above."""
        watches = self._watches
        if watches is None:
            return
        wanted: dict[bytes, set[str]] = {}
        for name, local in self._local.items():
            wanted.setdefault(local.root, set()).add(name)
        for name, local in self._local.items():
            for directory in self._live(local, MOST_WATCHES - len(wanted)):
                wanted.setdefault(directory, set()).add(name)
        for directory in watches.numbers.keys() - wanted.keys():
            number = watches.numbers.pop(directory)
            if number not in watches.numbers.values():
                watches.inotify.unwatch(number)
        watches.names = {}
        for directory, names in wanted.items():
            try:
                if directory not in watches.numbers:
                    watches.numbers[directory] = watches.inotify.watch(directory)
                watches.names.setdefault(watches.numbers[directory], set()).update(names)
            except OSError as error:
                if error.errno == errno.ENOSPC:
                    self._give_up(error)
                    break

    def _live(self, local: _Local, most: int) -> list[bytes]:
        found: dict[bytes, None] = {}
        for directory in local.opened.live if local.opened else ():
            # A link may lead to where others write.
            if len(found) + 2 > most or not is_disk(self._mounts.kind(directory)):
                break
            found[directory] = None
            if directory != local.root:
                found[os.path.dirname(directory)] = None
        return list(found)

    def _give_up(self, error: OSError) -> None:
        if self._tell is not None and error.errno != errno.ENOSYS:
            limit = "max_user_watches" if error.errno == errno.ENOSPC else "max_user_instances"
            self._tell(
                f"the system gives no more watches on directories ({error.strerror}, see"
                f" fs.inotify.{limit}): changes are found a little later"
            )
        self._tell = None


def _kept(opened: Callable[[], Source], local: _Local) -> Callable[[], Source]:
    def keep() -> Source:
        source = opened()
        local.opened = source if isinstance(source, LocalSource) else None
        return source

    return keep

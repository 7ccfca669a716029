"""Layer 5 and the way in: workers kept warm, a queue before them, and an end to what takes too long."""

from __future__ import annotations

import json
import logging
import os
import pwd
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from queue import Empty, LifoQueue
from typing import Any

from ...core.errors import BoardlakeError, LakeBusy, LakeError, LimitError, SqlError, UsageError
from ..readers import Readers
from . import wire
from .copies import Folder
from .gate import check_text
from .limits import Limits

_log = logging.getLogger(__name__)
_LESS = "ask for less: filter by run_id and tag, aggregate, or leave out columns"
_START = (
    # Whether a value is one of pandas' is asked of pandas itself, which would be loaded for that.
    "import sys, json; sys.modules['pandas'] = None; sys.path[:] = json.loads(sys.argv[1]);"
    "from importlib import import_module; import_module(sys.argv[2]).main()"
)
# Over the bytes of the values, an Arrow stream has its schema and the frames of its batches.
_OVERHEAD = 64 << 20
_OPEN_S = 20.0
# How often it is looked whether someone still waits, and how long a worker has to hear that no one does.
_LOOK_S = 0.05
_STOP_S = 1.0
_MAX_TYPE = 200


class Withdrawn(BoardlakeError):
    """Whoever asked has hung up; nobody reads this."""

    http_status = 499


@dataclass(frozen=True)
class Answer:
    """Rows as an Arrow IPC stream; *cut* is what kept others out: `rows`, `bytes`, or ''.

    *types* are the columns' as DuckDB calls them.
    """

    stream: bytes
    rows: int
    cut: str
    seconds: float
    snapshot: int
    types: tuple[str, ...]

    @property
    def truncated(self) -> bool:
        """Whether there are more rows."""
        return self.cut != ""


class Sandbox:
    """Runs other people's statements on the lake of *readers*, from any number of threads."""

    def __init__(self, readers: Readers, limits: Limits | None = None) -> None:
        self._readers = readers
        self.limits = limits or Limits()
        self._free = threading.BoundedSemaphore(self.limits.workers)
        self._idle: LifoQueue[_Worker] = LifoQueue()
        self._lock = threading.Lock()
        self._all: set[_Worker] = set()
        self._waiting = 0
        self._age = 0
        self._folder: Folder | None = None
        self._closed = False
        self.missing: list[str] = []

    def close(self) -> None:
        """End all workers; statements that run meanwhile fail."""
        with self._lock:
            self._closed = True
            workers, self._all = self._all, set()
            folder, self._folder = self._folder, None
        for worker in workers:
            worker.end()
        if folder is not None:
            folder.close()

    def forget(self) -> None:
        """Let go of all that workers know of the lake as it was."""
        self._age += 1
        while True:
            try:
                self._drop(self._idle.get_nowait())
            except Empty:
                return

    def ask(
        self,
        sql: str,
        parameters: Any = None,
        rows: int = 10_000,
        gone: Callable[[], bool] = lambda: False,
    ) -> Answer:
        """The first *rows* rows of the answer to one reading statement; *parameters* as JSON.

        Once *gone* says that no one waits any more, the statement is stopped. Raises SqlError or
        UsageError for what cannot be taken, LimitError for what takes too much, LakeBusy when too
        many wait, LakeError when the lake cannot be read, Withdrawn for who has gone.
        """
        check_text(sql)
        began = time.monotonic()
        request = {"do": "ask", "sql": sql, "parameters": parameters, "rows": rows}
        with self._worker(gone) as worker:
            for again in (True, False):
                snapshot = self._readers.snapshot()
                if worker.snapshot != snapshot:
                    self._open(worker, snapshot)
                header, body = self._told(worker, request, gone)
                wrong = header.get("error")
                if not wrong:
                    break
                if wrong.get("kind") != "stale" or not again:
                    raise self._error(wrong, sql)
                # Upkeep took a file away that the copy of the catalog still names.
                self._readers.look()
                worker.snapshot = -1
        seconds = time.monotonic() - began
        try:
            count, cut = int(header["rows"]), str(header["cut"])
            types = tuple(str(one)[:_MAX_TYPE] for one in header["types"])
        except (KeyError, TypeError, ValueError) as error:
            raise LakeError("a worker for SQL answered what no worker answers") from error
        return Answer(body, count, cut, seconds, snapshot, types)

    def warm(self) -> None:
        """Have a worker ready soon, without waiting for it: someone is about to ask."""
        with self._lock:
            if self._all or self._closed:
                return
        threading.Thread(target=self._warm, daemon=True).start()

    def _warm(self) -> None:
        try:
            with self._worker(lambda: False) as worker:
                snapshot = self._readers.snapshot()
                if worker.snapshot != snapshot:
                    self._open(worker, snapshot)
        except BoardlakeError as error:
            # Whoever asks is told.
            _log.info("no worker for SQL could be made ready: %s", error)

    @contextmanager
    def _worker(self, gone: Callable[[], bool]) -> Iterator[_Worker]:
        with self._turn(gone):
            worker = self._ready() or self._start()
            try:
                yield worker
            finally:
                if worker.spent or self._closed or worker.age != self._age:
                    self._drop(worker)
                else:
                    self._idle.put(worker)

    def _ready(self) -> _Worker | None:
        """A worker that is warm, if there is one."""
        while True:
            try:
                worker = self._idle.get_nowait()
            except Empty:
                return None
            if worker.alive():
                return worker
            self._drop(worker)

    @contextmanager
    def _turn(self, gone: Callable[[], bool]) -> Iterator[None]:
        with self._lock:
            if self._closed:
                raise LakeError("the service has stopped")
            full = self._waiting >= self.limits.queue + self.limits.workers
            self._waiting += 0 if full else 1
        if full:
            raise LakeBusy(f"{self.limits.queue} statements wait already", hint="try again later")
        try:
            if not self._wait(gone):
                message = f"all {self.limits.workers} workers for SQL are busy"
                raise LakeBusy(message, hint="try again later")
            try:
                yield
            finally:
                self._free.release()
        finally:
            with self._lock:
                self._waiting -= 1

    def _wait(self, gone: Callable[[], bool]) -> bool:
        """Wait for one's turn; whether it came in time."""
        until = time.monotonic() + self.limits.wait_s
        while not self._free.acquire(timeout=_LOOK_S):
            if gone():
                raise Withdrawn("the client has hung up")
            if time.monotonic() >= until:
                return False
        return True

    def _start(self) -> _Worker:
        with self._lock:
            if self._closed:
                raise LakeError("the service has stopped")
            user = _other_user()
            if self._folder is None:
                self._folder = Folder(user[1] if user else None)
            worker = _Worker(self._readers.lake.location.data, self._folder, self.limits, user)
            self._all.add(worker)
            worker.age = self._age
        try:
            missing = worker.begin()
        except BaseException:
            self._drop(worker)
            raise
        if missing and not self.missing:
            _log.warning("SQL of others has fewer walls around it: %s", "; ".join(missing))
        self.missing = missing
        return worker

    def _drop(self, worker: _Worker) -> None:
        with self._lock:
            self._all.discard(worker)
        worker.end()

    def _open(self, worker: _Worker, snapshot: int) -> None:
        with self._lock:
            folder = self._folder
        if folder is None:
            raise LakeError("the service has stopped")
        copy = folder.copy(self._readers.lake)
        try:
            header, _ = worker.tell({"do": "open", "catalog": str(copy)}, _OPEN_S)
        except (wire.Gone, wire.Late) as error:
            header = {"failed": str(error)}
        finally:
            copy.unlink(missing_ok=True)
        if "failed" in header:
            worker.spent = True
            raise LakeError(f"a worker for SQL cannot read the lake: {header['failed']}")
        worker.snapshot = snapshot

    def _told(
        self, worker: _Worker, request: dict[str, Any], gone: Callable[[], bool]
    ) -> tuple[dict[str, Any], bytes]:
        try:
            return worker.tell(request, self.limits.seconds + self.limits.grace_s, gone)
        except wire.Late:
            raise self._too_long() from None
        except wire.Gone:
            if self._closed:
                raise LakeError("the service has stopped") from None
            message = "the statement ended its worker, most likely for want of memory"
            raise LimitError(message, hint=_LESS) from None

    def _error(self, wrong: dict[str, Any], sql: str) -> BoardlakeError:
        kind, message = wrong.get("kind"), str(wrong.get("message", ""))
        hint, at = str(wrong.get("hint", "")), wrong.get("position")
        if kind == "time":
            return self._too_long()
        if kind == "memory":
            return LimitError("the statement needs too much memory", hint=_LESS)
        if kind == "limit":
            return LimitError(message, hint=hint)
        if kind == "usage":
            return UsageError(message, hint=hint)
        if kind == "stale":
            hint = "run `boardlake check` to see what is wrong"
            return LakeError(f"the lake cannot be read: {message}", hint=hint)
        position = at if isinstance(at, int) else None
        return SqlError(message, text=sql, position=position, hint=hint)

    def _too_long(self) -> LimitError:
        return LimitError(
            f"the statement was stopped after {self.limits.seconds:g} seconds", hint=_LESS
        )


class _Worker:
    """One process, and what is known of it here."""

    def __init__(
        self, data: Any, folder: Folder, limits: Limits, user: tuple[int, int] | None
    ) -> None:
        self.snapshot = -1
        self.age = 0
        self.spent = False
        self._limits = limits
        self._told = {
            "data": f"{data}/", "extension": str(folder.extension), "folder": str(folder.path),
            "limits": asdict(limits), "user": user,
        }  # fmt: skip
        self._errors = tempfile.TemporaryFile()
        self._end, theirs = socket.socketpair()
        with theirs:
            module = f"{__package__}.worker"
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-c", _START, json.dumps(sys.path), module],
                stdin=theirs.fileno(), stdout=subprocess.DEVNULL, stderr=self._errors, cwd="/",
                env=_ENVIRONMENT, close_fds=True, start_new_session=True,
            )  # fmt: skip

    def begin(self) -> list[str]:
        """Wait until it is ready; returns which rights it could not give up."""
        try:
            header, _ = self.tell(self._told, self._limits.start_s)
        except (wire.Gone, wire.Late) as error:
            header = {"failed": self._words() or str(error)}
        if "failed" in header:
            raise LakeError(f"no worker for SQL could be started: {header['failed']}")
        return [str(one) for one in header.get("missing", ())]

    def tell(
        self,
        request: dict[str, Any],
        seconds: float,
        gone: Callable[[], bool] | None = None,
    ) -> tuple[dict[str, Any], bytes]:
        """What it answers; raises wire.Late and wire.Gone, and it is of no use then.

        Raises Withdrawn, and it goes on, where *gone* says that no one waits for the answer.
        """
        until = time.monotonic() + seconds
        stopped = False
        try:
            wire.send(self._end, request, until=until)
            while gone is not None and not stopped and not wire.waits(self._end, _LOOK_S, until):
                if gone():
                    stopped = True
                    until = min(until, time.monotonic() + _STOP_S)
                    wire.send(self._end, {"do": "stop"}, until=until)
            header, body = wire.receive(self._end, self._limits.result_bytes + _OVERHEAD, until)
        except (wire.Gone, wire.Late):
            self.spent = True
            self._process.kill()
            if stopped:
                raise Withdrawn("the client has hung up") from None
            raise
        self.spent = self.spent or bool(header.get("spent"))
        if stopped:
            raise Withdrawn("the client has hung up")
        return header, body

    def alive(self) -> bool:
        """Whether its process still runs."""
        return self._process.poll() is None

    def _words(self) -> str:
        """The last line that it wrote to its standard error."""
        try:
            self._process.wait(5)
            self._errors.seek(0)
            lines = self._errors.read(100_000).decode(errors="replace").strip().splitlines()
        except (OSError, ValueError, subprocess.TimeoutExpired):
            lines = []
        return lines[-1][:500] if lines else ""

    def end(self) -> None:
        """End the process at once."""
        self._process.kill()
        self._process.wait()
        self._end.close()
        self._errors.close()


_ENVIRONMENT = {
    "LC_ALL": "C.UTF-8", "TZ": "UTC", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1",
    "ARROW_DEFAULT_MEMORY_POOL": "system", "PYTHONDONTWRITEBYTECODE": "1",
}  # fmt: skip


def _other_user() -> tuple[int, int] | None:
    """Who workers are to be: nobody, where this process may choose."""
    if os.geteuid() != 0:
        return None
    try:
        found = pwd.getpwnam("nobody")
    except KeyError:
        return 65_534, 65_534
    return found.pw_uid, found.pw_gid

"""Processes behind a server: the ingest that reads on while pages stay quick, and how they end."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

_WATCH_S = "5"
# So long may the commit take that is under way when the server is stopped.
_LAST_COMMIT_S = 10.0


@dataclass(frozen=True)
class Heard:
    """Who is told of the child: of the end of each cycle, and of its own (exit code) if unasked."""

    cycle: Callable[[], None]
    died: Callable[[int], None]


class Behind:
    """`boardlake ingest --watch` of *paths* as a child that never outlives this process.

    *options* are the global ones. It ends when its stdin does, which however this process ends it does.
    """

    def __init__(self, options: list[str], paths: Sequence[str], heard: Heard) -> None:
        # A session of its own: Ctrl-C reaches the server, which lets the child finish its commit.
        # -P: what lies in the current directory is no module of ours.
        self._child = subprocess.Popen(
            [
                sys.executable, "-P", "-m", "boardlake", *options,
                "ingest", "--watch", _WATCH_S, "--behind", "--json", "--", *paths,
            ],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, process_group=0,
        )  # fmt: skip
        self._heard = heard
        self._stopping = threading.Event()
        self._listener = threading.Thread(target=self._listen, name="behind", daemon=True)
        self._listener.start()

    @property
    def pid(self) -> int:
        """The number of the child's process."""
        return self._child.pid

    def stop(self) -> None:
        """End the child after its current commit; what it has not read is read next time."""
        self._stopping.set()
        assert self._child.stdin is not None
        self._child.stdin.close()
        try:
            self._child.wait(_LAST_COMMIT_S)
        except (subprocess.TimeoutExpired, KeyboardInterrupt):
            # Killed anywhere, the next cycle goes on from the last commit.
            self._child.kill()
            self._child.wait()
        self._listener.join(1.0)

    def _listen(self) -> None:
        assert self._child.stdout is not None
        for _ in self._child.stdout:
            if not self._stopping.is_set():
                self._heard.cycle()
        code = self._child.wait()
        if not self._stopping.is_set():
            self._heard.died(code)


def follow(stop: threading.Event) -> None:
    """Set *stop* when stdin ends, which it does with the process that holds its other end."""

    def wait() -> None:
        while os.read(0, 4096):
            pass
        stop.set()

    threading.Thread(target=wait, name="follow", daemon=True).start()

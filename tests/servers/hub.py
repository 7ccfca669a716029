"""A boardlake server that takes pushes, as a process of its own that may be killed."""

from __future__ import annotations

import functools
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from boardlake.core import tokens
from boardlake.lake.database import Lake, open_lake
from boardlake.lake.location import locate

_PATIENCE_S = 120
# All that a server imports, once; then one server for each line of stdin, forked. It ends with its stdin.
_NURSERY = """
import json, os, signal, sys
import boardlake.cli.serve, boardlake.web.app
from boardlake.cli.main import main
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
for line in sys.stdin:
    given = json.loads(line)
    child = os.fork()
    if not child:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for number, flags in ((0, os.O_RDONLY), (1, os.O_WRONLY), (2, os.O_WRONLY)):
            os.dup2(os.open(os.devnull, flags), number)
        os.environ.clear()
        os.environ.update(given["environ"])
        code = 1
        try:
            code = main(given["arguments"])
        finally:
            os._exit(code)
    print(child, flush=True)
"""


@functools.cache
def _nursery() -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", _NURSERY], text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )


class Forked:
    """A `boardlake` command that runs in a process of its own, begun in no time."""

    def __init__(self, arguments: list[str], environ: dict[str, str]) -> None:
        nursery = _nursery()
        assert nursery.stdin and nursery.stdout
        nursery.stdin.write(json.dumps({"arguments": arguments, "environ": environ}) + "\n")
        nursery.stdin.flush()
        self._ended = os.pidfd_open(int(nursery.stdout.readline()))

    def wait(self, timeout_s: float) -> bool:
        """Whether it has ended, or does within so long."""
        return bool(select.select([self._ended], [], [], timeout_s)[0])

    def stop(self, number: int) -> None:
        """End it with a signal."""
        signal.pidfd_send_signal(self._ended, number)
        assert self.wait(_PATIENCE_S), "it does not end"
        os.close(self._ended)


class HubServer:
    """A server over a lake in *folder*, on one port for all its lives; `lake` opens that lake."""

    def __init__(self, folder: Path, empty: Path) -> None:
        self.root = folder / "hub"
        shutil.copytree(empty, self.root)
        self.tokens = folder / "tokens"
        self.token = tokens.add(self.tokens, "edge", "push")
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: Forked | None = None

    def start(self) -> None:
        """Serve, and wait until it answers."""
        arguments = ["--lake", str(self.root), "serve", "--port", str(self.port)]
        self._process = Forked(arguments, os.environ | {tokens.ENVIRONMENT: str(self.tokens)})
        until = time.monotonic() + _PATIENCE_S
        while not self._answers():
            assert not self._process.wait(0), "the hub has ended"
            assert time.monotonic() < until, "the hub does not answer"
            time.sleep(0.05)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=10) as answer:
                return bool(answer.status == 200)
        except (OSError, urllib.error.URLError):
            return False

    def stop(self, number: int = signal.SIGTERM) -> None:
        """End it, with SIGKILL at once."""
        if self._process is not None:
            self._process.stop(number)
            self._process = None

    def lake(self) -> Lake:
        """Its lake, read beside it."""
        return open_lake(locate(str(self.root)))

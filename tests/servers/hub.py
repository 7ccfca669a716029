"""A boardlake server that takes pushes, as a process of its own that may be killed."""

from __future__ import annotations

import os
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
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Serve, and wait until it answers."""
        arguments = ["--lake", str(self.root), "serve", "--port", str(self.port)]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "boardlake", *arguments],
            env=os.environ | {tokens.ENVIRONMENT: str(self.tokens)},
            stderr=subprocess.DEVNULL,
        )
        until = time.monotonic() + _PATIENCE_S
        while not self._answers():
            assert self._process.poll() is None, "the hub has ended"
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
            self._process.send_signal(number)
            self._process.wait(_PATIENCE_S)
            self._process = None

    def lake(self) -> Lake:
        """Its lake, read beside it."""
        return open_lake(locate(str(self.root)))

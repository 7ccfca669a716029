"""Azurite, Microsoft's own emulator of Azure Blob Storage; blobs grow in place here, as logs do."""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import quote

from .base import program, stop
from .radosgw import answers, free_port

_PROGRAM = Path(__file__).parents[2] / ".venv/azurite/node_modules/.bin/azurite-blob"
_ACCOUNT = "lab"
_KEY = base64.b64encode(b"azurite-account-key-that-nobody-may-see-in-a-log").decode()
_VERSION = "2023-11-03"


class Container:
    """A container of its own; the tree lies below a prefix in it."""

    kind = "az"

    def __init__(self, port: int, name: str, prefix: str = "lab logs") -> None:
        self.port = port
        self.name = name
        self.prefix = prefix
        self.environ = {"AZURE_STORAGE_ACCOUNT_KEY": _KEY}
        self._ask("PUT", "", {"restype": "container"})
        # What only begins like the prefix is not below it.
        self.prefix = f"{prefix}2"
        self.put("run/events.out.tfevents.1", b"x")
        self.prefix = prefix

    def settings(self) -> dict[str, object]:
        """Keyword arguments of SourceSettings that read the tree."""
        return {
            "uri": f"az://{self.name}/{self.prefix}",
            "endpoint": f"http://127.0.0.1:{self.port}/{_ACCOUNT}",
            "account": _ACCOUNT,
        }

    def put(self, path: str, data: bytes) -> None:
        """Make or replace an append blob."""
        self._ask("PUT", path, {}, {"x-ms-blob-type": "AppendBlob"})
        if data:
            self.append(path, data)

    def append(self, path: str, data: bytes) -> None:
        """Let a blob grow in place."""
        self._ask("PUT", path, {"comp": "appendblock"}, {}, data)

    def delete(self, path: str) -> None:
        """Remove a blob."""
        self._ask("DELETE", path, {})

    def _ask(
        self,
        method: str,
        path: str,
        query: dict[str, str],
        headers: dict[str, str] | None = None,
        data: bytes = b"",
    ) -> None:
        """One request, signed with the account's key."""
        place = f"/{_ACCOUNT}/{self.name}" + (f"/{quote(f'{self.prefix}/{path}')}" if path else "")
        own = {**(headers or {}), "x-ms-date": formatdate(usegmt=True), "x-ms-version": _VERSION}
        lines = [method, "", "", str(len(data) or ""), *[""] * 8]
        lines += [f"{name}:{own[name]}" for name in sorted(own)]
        lines += [f"/{_ACCOUNT}{place}", *(f"{name}:{query[name]}" for name in sorted(query))]
        digest = hmac.digest(base64.b64decode(_KEY), "\n".join(lines).encode(), hashlib.sha256)
        own["Authorization"] = f"SharedKey {_ACCOUNT}:{base64.b64encode(digest).decode()}"
        asked = place + "".join(f"?{name}={value}" for name, value in query.items())
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, asked, data, {**own, "Content-Length": str(len(data))})
            answer = connection.getresponse()
            text = answer.read()
            assert answer.status < 300, (method, path, answer.status, text)
        finally:
            connection.close()


class Account:
    """A running azurite, which makes containers."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._numbers = itertools.count()

    def container(self) -> Container:
        """An empty container."""
        return Container(self.port, f"logs-{next(self._numbers)}")


def missing() -> str:
    """What is not installed; '' where azurite can run."""
    if program("node") and program("setpriv") and _PROGRAM.exists():
        return ""
    return "azurite is not installed: scripts/servers.sh"


@contextmanager
def azurite(root: Path) -> Iterator[Account]:
    """A blob service with its files in *root*."""
    port = free_port()
    # It must not outlive a test run that is killed.
    command = ["setpriv", "--pdeathsig", "KILL", str(_PROGRAM), "--blobHost", "127.0.0.1"]
    command += ["--blobPort", str(port), "--location", str(root / "blobs"), "--silent"]
    # Without the last it reports to its makers.
    command += ["--skipApiVersionCheck", "--disableTelemetry"]
    with (root / "log").open("wb") as log:
        process = subprocess.Popen(
            command,
            env={**os.environ, "AZURITE_ACCOUNTS": f"{_ACCOUNT}:{_KEY}"},
            stdout=log,
            stderr=log,
            cwd=root,
        )
        try:
            answers(f"http://127.0.0.1:{port}/{_ACCOUNT}", root / "log")
            yield Account(port)
        finally:
            stop(process)

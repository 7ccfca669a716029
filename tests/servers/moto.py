"""moto on loopback: buckets that speak the protocols of S3 and, for reading, of Google Cloud Storage."""

from __future__ import annotations

import http.client
import importlib.util
import itertools
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import pytest

from .base import stop

SECRET = "wJalrXUtnFEMI/K7MDENG/KNOWNSECRET"
ACCESS_KEY = "AKIAKNOWNACCESSKEY"
_START_S = 60.0


@dataclass
class Bucket:
    """A bucket of its own; `prefix` is the root of the source in it."""

    kind: str
    port: int
    name: str
    prefix: str
    environ: dict[str, str]
    endpoint: str = ""
    """URL that the settings name; the server itself unless a proxy stands before it."""
    _peer: http.client.HTTPConnection | None = field(default=None, repr=False)

    def settings(self) -> dict[str, object]:
        """Keyword arguments of SourceSettings that read the tree."""
        uri = f"{self.kind}://{self.name}/{self.prefix}".rstrip("/")
        found: dict[str, object] = {
            "uri": uri,
            "endpoint": self.endpoint or f"http://127.0.0.1:{self.port}",
        }
        if self.kind == "s3":
            found["region"] = "us-east-1"
        else:
            found["anonymous"] = True
        return found

    def key(self, path: str) -> str:
        """The whole key of a path below the root."""
        return f"{self.prefix}/{path}" if self.prefix else path

    def put(self, path: str, data: bytes) -> None:
        """Make or replace an object; odd keys are taken as they are."""
        self._ask("PUT", self.key(path), data)

    def get(self, path: str) -> bytes:
        """The whole object."""
        return self._ask("GET", self.key(path))

    def append(self, path: str, data: bytes) -> None:
        """Objects do not grow: a longer one takes the place."""
        self.put(path, self.get(path) + data)

    def delete(self, path: str) -> None:
        """Remove an object."""
        self._ask("DELETE", self.key(path))

    def _ask(self, method: str, key: str, data: bytes | None = None) -> bytes:
        if self._peer is None:
            self._peer = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        # Google's dialect has no signatures here: everybody may read.
        headers = {"x-amz-acl": "public-read", "Content-Type": "application/octet-stream"}
        self._peer.request(method, f"/{self.name}/{quote(key)}", data, headers)
        answer = self._peer.getresponse()
        body = answer.read()
        if answer.status >= 300:
            raise OSError(f"moto: {method} {key!r}: {answer.status}")
        return body


@dataclass
class Moto:
    """A running server."""

    port: int
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def bucket(self, kind: str = "s3", prefix: str = "runs/of the lab") -> Bucket:
        """A new and empty bucket; *kind* is `s3` or `gs`."""
        # The client of Google's dialect writes a dash as %2D, which moto takes as it is.
        name = f"bucket{next(self._numbers)}"
        peer = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        peer.request("PUT", f"/{name}", headers={"x-amz-acl": "public-read"})
        answer = peer.getresponse()
        answer.read()
        peer.close()
        if answer.status != 200:
            raise OSError(f"moto makes no bucket: {answer.status}")
        environ = {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET}
        return Bucket(kind, self.port, name, prefix, environ if kind == "s3" else {})


@contextmanager
def moto() -> Iterator[Moto]:
    """A server on a free port; skips the test where moto is not installed."""
    if importlib.util.find_spec("moto") is None:
        pytest.skip("moto is not installed: pip install 'moto[server]'")
    program = shutil.which("moto_server") or str(Path(sys.executable).parent / "moto_server")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    process = subprocess.Popen(
        [program, "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _await(port, process)
        yield Moto(port)
    finally:
        stop(process)


def _await(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise OSError(f"moto_server ended with {process.returncode}")
        with suppress(OSError):
            peer = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            peer.request("GET", "/moto-api/data.json")
            peer.getresponse().read()
            peer.close()
            return
        time.sleep(0.05)
    raise OSError(f"moto_server does not answer after {_START_S:g} s")

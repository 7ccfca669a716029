"""A proxy before a real server of HTTP that refuses, dawdles and hangs up where a test says so."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "date", "server"}
_REFUSAL = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>%s</Code><Message>no</Message>'
    b"<AWSAccessKeyId>%s</AWSAccessKeyId><RequestId>1</RequestId></Error>"
)


@dataclass
class Faulty:
    """What the proxy does from now on; a test may change it at any time.

    `status` is answered in place of the server's answer, `delay_s` is waited before each answer, a
    body is cut off after `cut_after` bytes. Faults befall requests that `only` (method, target) names,
    and only the first `times` of them. `requests` holds the method and target of each request, and
    `signed` its Authorization. `rewrite` makes of a target what the server is asked for.
    """

    port: int
    status: int = 0
    code: str = "SlowDown"
    delay_s: float = 0.0
    cut_after: int = -1
    only: Callable[[str, str], bool] = lambda method, target: True
    times: int = 1 << 60
    rewrite: Callable[[str], str] = lambda target: target
    requests: list[tuple[str, str]] = field(default_factory=list)
    signed: list[str] = field(default_factory=list)
    bytes: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def count(self, part: str = "") -> int:
        """Requests so far whose target holds *part*."""
        with self.lock:
            return sum(part in target for _, target in self.requests)

    def forget(self) -> None:
        """Count from zero."""
        with self.lock:
            self.requests.clear()
            self.signed.clear()
            self.bytes = 0

    def strikes(self, method: str, target: str, signed: str) -> bool:
        """Count a request; whether it is to meet the faults."""
        with self.lock:
            self.requests.append((method, target))
            self.signed.append(signed)
            if self.times <= 0 or not self.only(method, target):
                return False
            if self.status or self.delay_s or self.cut_after >= 0:
                self.times -= 1
            return True


@contextmanager
def faulty(
    upstream_port: int,
    *,
    status: int = 0,
    delay_s: float = 0.0,
    cut_after: int = -1,
    only: Callable[[str, str], bool] = lambda method, target: True,
    times: int = 1 << 60,
) -> Iterator[Faulty]:
    """A proxy on a free port of 127.0.0.1 before the server at *upstream_port*."""

    class Handler(_Handler):
        upstream = upstream_port

    server = _Server(("127.0.0.1", 0), Handler)
    server.faults = Faulty(
        server.server_port,
        status=status,
        delay_s=delay_s,
        cut_after=cut_after,
        only=only,
        times=times,
    )
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server.faults
    finally:
        server.faults.over.set()
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    faults: Faulty
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def handle_error(self, *_: object) -> None:
        """Clients that hang up are what this is for."""


class _Handler(BaseHTTPRequestHandler):
    upstream = 0
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def log_message(self, *_: object) -> None:
        """Quiet."""

    def _pass_on(self) -> None:
        faults = self.server.faults
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        struck = faults.strikes(self.command, self.path, self.headers.get("Authorization", ""))
        if struck and faults.delay_s and faults.over.wait(faults.delay_s):
            return
        if struck and faults.status:
            key = self.headers.get("Authorization", "").encode()
            self._answer(faults.status, {}, _REFUSAL % (faults.code.encode(), key))
            return
        peer = http.client.HTTPConnection("127.0.0.1", self.upstream, timeout=60)
        try:
            headers = {k: v for k, v in self.headers.items() if k.lower() != "connection"}
            peer.request(self.command, faults.rewrite(self.path), body or None, headers)
            answer = peer.getresponse()
            data = answer.read()
            kept = {k: v for k, v in answer.getheaders() if k.lower() not in _HOP}
            if self.command == "HEAD":
                kept["Content-Length"] = answer.headers.get("Content-Length", "0")
            self._answer(answer.status, kept, data, faults.cut_after if struck else -1)
        finally:
            peer.close()

    def _answer(self, status: int, headers: dict[str, str], body: bytes, cut: int = -1) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if "Content-Length" not in headers:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "HEAD":
            return
        with self.server.faults.lock:
            self.server.faults.bytes += len(body) if cut < 0 else min(cut, len(body))
        if 0 <= cut < len(body):
            self.wfile.write(body[:cut])
            self.wfile.flush()
            time.sleep(0.01)
            with suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
            return
        self.wfile.write(body)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = do_OPTIONS = _pass_on
    do_PROPFIND = do_MKCOL = do_MOVE = _pass_on

"""A web server that answers as a test says: pages of other servers, and what no honest one does."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Asked:
    """One request."""

    method: str
    path: str
    headers: dict[str, str]


@dataclass
class Said:
    """One answer; `parts`, if there are any, are sent one by one, and the connection is closed."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    parts: Iterator[bytes] | None = None


@dataclass
class Scripted:
    """Answers by path; a path that is not there is 404. `asked` holds all requests."""

    port: int
    pages: dict[str, Said | Callable[[Asked], Said]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def html(self, path: str, *links: str) -> None:
        """A page of links at *path*."""
        text = "".join(f'<li><a href="{link}">{link}</a></li>\n' for link in links)
        self.pages[path] = Said(headers={"Content-Type": "text/html"}, body=text.encode())

    def file(self, path: str, data: bytes, **headers: str) -> None:
        """A file at *path*, with ranges; *headers* with `_` for `-`."""
        own = {name.replace("_", "-"): value for name, value in headers.items()}

        def answer(asked: Asked) -> Said:
            wanted = asked.headers.get("Range", "").removeprefix("bytes=")
            if not wanted:
                return Said(200, own, data)
            start, _, end = wanted.partition("-")
            if int(start) >= len(data):
                return Said(416, {"Content-Range": f"bytes */{len(data)}"})
            part = data[int(start) : int(end) + 1]
            span = f"bytes {start}-{int(start) + len(part) - 1}/{len(data)}"
            return Said(206, own | {"Content-Range": span}, part)

        self.pages[path] = answer


@contextmanager
def scripted(context: ssl.SSLContext | None = None) -> Iterator[Scripted]:
    """A server on a free port of 127.0.0.1, of https with a *context*."""

    class Handler(_Handler):
        pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    Handler.script = script = Scripted(server.server_port)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield script
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    script: Scripted
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_: object) -> None:
        """Quiet."""

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        asked = Asked(self.command, self.path, dict(self.headers))
        self.script.asked.append(asked)
        said = self.script.pages.get(self.path, Said(404))
        if callable(said):
            said = said(asked)
        self.send_response(said.status)
        for name, value in said.headers.items():
            self.send_header(name, value)
        if said.parts is None and "Content-Length" not in said.headers:
            self.send_header("Content-Length", str(len(said.body)))
        if said.parts is not None:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command == "HEAD":
            return
        try:
            for part in said.parts or [said.body]:
                self.wfile.write(part)
                self.wfile.flush()
        except OSError:
            self.close_connection = True
        if said.parts is not None or len(said.body) < int(said.headers.get("Content-Length", 0)):
            self.close_connection = True

    do_GET = do_HEAD = do_PROPFIND = _answer

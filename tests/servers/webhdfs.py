"""The part of WebHDFS that reads, over a directory: no namenode is to be had as a package.

It answers as Hadoop documents LISTSTATUS, GETFILESTATUS and OPEN, redirect to a datanode included.
"""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

from .local import Tree

_TOKEN = "webhdfs-token-that-nobody-may-see"


class Folder(Tree):
    """A tree below the root of the file system; a delegation token opens it."""

    kind = "fsspec"

    def __init__(self, root: Path, port: int) -> None:
        super().__init__(root)
        self.port = port
        self.environ = {"FSSPEC_WEBHDFS_TOKEN": _TOKEN}

    def settings(self) -> dict[str, object]:
        """Keyword arguments of SourceSettings that read the tree."""
        return {"uri": f"webhdfs://127.0.0.1:{self.port}/{self.root.name}"}


class Hadoop:
    """A running server; `asked` holds the operation and path of each request."""

    def __init__(self, root: Path, port: int, asked: list[tuple[str, str]]) -> None:
        self._root, self._port, self.asked = root, port, asked
        self._numbers = itertools.count()

    def folder(self) -> Folder:
        """An empty tree."""
        return Folder(self._root / f"logs-{next(self._numbers)}", self._port)


@contextmanager
def webhdfs(root: Path) -> Iterator[Hadoop]:
    """A server of the files in *root*."""
    asked: list[tuple[str, str]] = []

    class Handler(_Handler):
        top, log = root, asked

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield Hadoop(root, server.server_port, asked)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    top = Path()
    log: list[tuple[str, str]]
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_: object) -> None:
        """Quiet."""

    def do_GET(self) -> None:
        """One operation."""
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        path = unquote(parts.path).removeprefix("/webhdfs/v1")
        file = self.top / path.lstrip("/")
        operation = query.get("op", "")
        self.log.append((operation, path))
        if query.get("delegation") != _TOKEN:
            self._refuse(403, "AccessControlException", f"not allowed: {parts.query}")
        elif not file.exists():
            self._refuse(404, "FileNotFoundException", f"File does not exist: {path}")
        elif operation == "GETFILESTATUS":
            self._answer({"FileStatus": _status(file, "")})
        elif operation == "LISTSTATUS":
            found = sorted(file.iterdir()) if file.is_dir() else []
            self._answer({"FileStatuses": {"FileStatus": [_status(f, f.name) for f in found]}})
        elif operation == "OPEN" and "datanode" not in query:
            self.send_response(307)
            node = f"http://127.0.0.1:{self.server.server_address[1]}{quote(parts.path, safe='/%')}"
            self.send_header("Location", f"{node}?{parts.query}&datanode=1")
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif operation == "OPEN":
            start = int(query.get("offset", "0"))
            data = file.read_bytes()
            length = int(query.get("length", len(data)))
            self._send(200, "application/octet-stream", data[start : start + length])
        else:
            self._refuse(400, "UnsupportedOperationException", operation)

    def _answer(self, found: dict[str, Any]) -> None:
        self._send(200, "application/json", json.dumps(found).encode())

    def _refuse(self, status: int, exception: str, message: str) -> None:
        found = {"RemoteException": {"exception": exception, "message": message}}
        self._send(status, "application/json", json.dumps(found).encode())

    def _send(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _status(file: Path, suffix: str) -> dict[str, Any]:
    info = file.stat()
    return {
        "pathSuffix": suffix,
        "type": "DIRECTORY" if file.is_dir() else "FILE",
        "length": 0 if file.is_dir() else info.st_size,
        "modificationTime": info.st_mtime_ns // 10**6,
        "fileId": info.st_ino,
    }

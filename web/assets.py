"""Static files under names that hold a hash of their bytes, so that browsers keep them for good."""

from __future__ import annotations

import gzip
import hashlib
import importlib.util
import mimetypes
import posixpath
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

_FOREVER = "public, max-age=31536000, immutable"
_IMPORT = re.compile(r'^(?:import|export)[^;"]*"(\.[^"]+)";', re.MULTILINE)
_BOKEH = ("bokeh.min.js", "bokeh-api.min.js")


@dataclass(frozen=True)
class _Asset:
    """A file; its body is read when it is first asked for."""

    path: Path
    size: int

    @cached_property
    def body(self) -> bytes:
        return self.path.read_bytes()

    @cached_property
    def packed(self) -> bytes:
        return gzip.compress(self.body, 6)

    @property
    def mime(self) -> str:
        if self.path.suffix == ".js":
            return "text/javascript; charset=utf-8"
        mime = mimetypes.guess_type(self.path.name)[0] or "application/octet-stream"
        return f"{mime}; charset=utf-8" if mime.startswith("text/") else mime


class Assets:
    """The files below a folder, by their path in it, and BokehJS as its Python package has it."""

    def __init__(self, static: Path) -> None:
        files = sorted(path for path in static.rglob("*") if path.is_file())
        self._files = {path.relative_to(static).as_posix(): _asset(path) for path in files}
        self._files |= {f"bokeh/{name}": _asset(_bokeh() / name) for name in _BOKEH}

    def url(self, name: str) -> str:
        """The address of *name*: it changes whenever any of the files does."""
        if name not in self._files:
            raise KeyError(name)
        return f"/static/{self._version}/{name}"

    def script(self, name: str) -> Markup:
        """The tags for module *name*; what it imports is fetched with it, not one level after another."""
        tags = [
            Markup('<link rel="modulepreload" href="{}">').format(self.url(one))
            for one in self._imports(name)
        ]
        tags.append(Markup('<script type="module" src="{}"></script>').format(self.url(name)))
        return Markup("\n").join(tags)

    def _imports(self, name: str) -> list[str]:
        found: dict[str, None] = {}
        waiting = [name]
        while waiting:
            module = waiting.pop()
            for path in _IMPORT.findall(self._files[module].body.decode()):
                known = posixpath.normpath(posixpath.join(posixpath.dirname(module), path))
                if known not in found and known in self._files:
                    found[known] = None
                    waiting.append(known)
        return list(found)

    @cached_property
    def _version(self) -> str:
        # One version for all: modules import each other by relative names.
        known = hashlib.blake2b(digest_size=6)
        for name, asset in self._files.items():
            body = b"" if name.startswith("bokeh/") else asset.body
            known.update(f"{name} {asset.size}".encode() + body)
        return known.hexdigest()

    def before(self, app: WSGIApplication) -> WSGIApplication:
        """*app* with the files served before it: a page asks for dozens of them at once."""

        def serve(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
            asset, fresh = self._found(environ.get("PATH_INFO", ""))
            if asset is None or environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
                return app(environ, start)
            packed = "gzip" in environ.get("HTTP_ACCEPT_ENCODING", "")
            body = asset.packed if packed else asset.body
            headers = [
                ("Content-Type", asset.mime), ("Content-Length", str(len(body))),
                ("Cache-Control", _FOREVER if fresh else "no-cache"),
                ("Vary", "Accept-Encoding"), ("X-Content-Type-Options", "nosniff"),
            ]  # fmt: skip
            start("200 OK", [*headers, *([("Content-Encoding", "gzip")] if packed else [])])
            return [b"" if environ["REQUEST_METHOD"] == "HEAD" else body]

        return serve

    def _found(self, path: str) -> tuple[_Asset | None, bool]:
        """The file at a path, and whether the path names the version that is served."""
        if not path.startswith("/static/"):
            return None, False
        version, _, name = path.removeprefix("/static/").partition("/")
        return self._files.get(name), version == self._version


def _asset(path: Path) -> _Asset:
    return _Asset(path, path.stat().st_size)


def _bokeh() -> Path:
    # Importing the package would take a second; only the files that it carries are needed.
    spec = importlib.util.find_spec("bokeh")
    assert spec is not None and spec.origin is not None
    return Path(spec.origin).parent / "server" / "static" / "js"

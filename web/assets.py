"""Static files under names that hold a hash of their bytes, so that browsers keep them for good."""

from __future__ import annotations

import gzip
import hashlib
import json
import mimetypes
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from flask import Blueprint, Response, abort, make_response, request

_FOREVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True)
class _Asset:
    body: bytes
    packed: bytes
    mime: str
    key: str


class Assets:
    """The files of a folder, read once."""

    def __init__(self, static: Path) -> None:
        self._files = {
            path.name: _load(path) for path in sorted(static.iterdir()) if path.is_file()
        }

    def url(self, name: str) -> str:
        """The address of *name*: it changes whenever any of the modules does."""
        if name not in self._files:
            raise KeyError(name)
        return f"/static/{self._version}/{name}"

    @cached_property
    def _version(self) -> str:
        # One version for all: modules import each other by relative names.
        keys = json.dumps({name: asset.key for name, asset in self._files.items()})
        return hashlib.blake2b(keys.encode(), digest_size=6).hexdigest()

    def blueprint(self) -> Blueprint:
        """The route that serves them."""
        blueprint = Blueprint("assets", __name__)

        @blueprint.get("/static/<version>/<name>")
        def static(version: str, name: str) -> Response:
            if name not in self._files:
                abort(404)
            asset = self._files[name]
            packed = "gzip" in request.headers.get("Accept-Encoding", "")
            response = make_response(asset.packed if packed else asset.body)
            response.content_type = asset.mime
            if packed:
                response.headers["Content-Encoding"] = "gzip"
            response.vary.add("Accept-Encoding")
            fresh = version == self._version
            response.headers["Cache-Control"] = _FOREVER if fresh else "no-cache"
            return response

        return blueprint


def _load(path: Path) -> _Asset:
    body = path.read_bytes()
    mime = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    if path.suffix == ".js":
        mime = "text/javascript"
    if mime.startswith("text/"):
        mime += "; charset=utf-8"
    key = hashlib.blake2b(body, digest_size=8).hexdigest()
    return _Asset(body, gzip.compress(body, 9), mime, key)

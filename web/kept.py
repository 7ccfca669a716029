"""Answers of the API by address: not computed again while what they depend on stays as it is."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable

from flask import Response, g, request

from .. import __version__

_MOST_BYTES = 16 << 20
_LARGEST = 1 << 20


class Kept:
    """ETags for GETs of the API, and the bodies of recent JSON answers of the newest *version*.

    An ETag is of the version before the answer was made: a change meanwhile cannot hide behind it.
    """

    def __init__(self, version: Callable[[], str]) -> None:
        self._version = version
        self._lock = threading.Lock()
        self._bodies: OrderedDict[str, bytes] = OrderedDict()
        self._bytes = 0
        self._of = ""

    def before(self) -> Response | None:
        """The answer, where the client has it already or it is known; else None."""
        if request.method != "GET" or not request.path.startswith("/api/"):
            return None
        if b"now" in request.query_string.lower():
            # A filter with now() has another answer at each moment.
            return None
        version = self._version()
        text = f"{__version__} {version} {request.full_path}"
        g.kept = version, hashlib.blake2b(text.encode(), digest_size=12).hexdigest()
        if request.if_none_match.contains_weak(g.kept[1]):
            return Response(status=304)
        with self._lock:
            body = self._bodies.get(g.kept[1])
            if body is not None:
                self._bodies.move_to_end(g.kept[1])
        return None if body is None else Response(body, content_type="application/json")

    def after(self, response: Response) -> None:
        """Put the ETag on an answer that has none and may be kept, and keep it."""
        known: tuple[str, str] | None = g.pop("kept", None)
        headers = response.headers
        if known is None or response.is_streamed or "ETag" in headers or "Cache-Control" in headers:
            return
        version, tag = known
        if response.status_code not in (200, 304):
            return
        response.set_etag(tag, weak=True)
        headers["Cache-Control"] = "private, no-cache"
        if response.status_code == 200 and response.content_type == "application/json":
            self._keep(version, tag, response.get_data())

    def _keep(self, version: str, tag: str, body: bytes) -> None:
        with self._lock:
            if version != self._of:
                self._bodies.clear()
                self._bytes, self._of = 0, version
            if tag in self._bodies or len(body) > _LARGEST:
                return
            self._bodies[tag] = body
            self._bytes += len(body)
            while self._bytes > _MOST_BYTES:
                self._bytes -= len(self._bodies.popitem(last=False)[1])

"""A dashboard of the profiler's captures: which there are, where they lie, and those in reach to download."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Any, BinaryIO
from urllib.parse import quote

from tensorboard import plugin_util
from tensorboard.plugins import base_plugin
from werkzeug import Request, Response

from ...lake.outside import OutOfReach
from .files import File, Ways, of_kind
from .own import asset, respond
from .provider import index_of

# A capture of many hosts has files of some GB: they are streamed.
_MOST = 16 << 30
_CHUNK = 1 << 18
# Of more it is not looked whether they are still there before someone wants one.
_MOST_LOOKED = 2_000
_CAPTURE = re.compile(r"(?:.*/)?plugins/profile/(?P<time>[^/]+)/[^/]+")
# What profilers write for each host, and what TensorBoard's plugin makes of it.
_HOST = re.compile(
    r"(?P<host>.+?)\.(?:xplane\.pb|(?:pt\.|memory_profile\.)?(?:trace\.)?json(?:\.gz)?"
    r"|[a-z_]+\.(?:pb|json)(?:\.gz)?)"
)


class Profile(base_plugin.TBPlugin):  # type: ignore[misc]
    """Captures of the selection's runs."""

    plugin_name = "profile"

    def __init__(self, ways: Ways) -> None:
        self._ways = ways

    def get_plugin_apps(self) -> dict[str, Any]:
        """Its page, the list of captures, and the bytes of one file."""
        return {
            "/index.js": asset("profile.js"),
            "/files.js": asset("files.js"),
            "/captures": Request.application(self._captures),
            "/file": Request.application(self._file),
        }

    def is_active(self) -> bool:
        """Said by the provider, which knows the selection."""
        return False

    def frontend_metadata(self) -> Any:
        """A page of its own."""
        return base_plugin.FrontendMetadata(
            es_module_path="/index.js", tab_name="Profile", disable_reload=True
        )

    def _captures(self, request: Request) -> Response:
        files = _files(request)
        found = [
            _told(file, self._ways.leads(file) if i < _MOST_LOOKED else "")
            for i, file in enumerate(files)
        ]
        return respond(request, {"files": found}, "application/json")

    def _file(self, request: Request) -> Response:
        key, path = request.args.get("run", ""), request.args.get("path", "")
        # Nothing but what the lake lists is ever opened.
        file = next((f for f in _files(request) if f.run.run_key == key and f.path == path), None)
        if file is None:
            return respond(request, "the selection has no such file", "text/plain", 404)
        try:
            opened = self._ways.open(file, _MOST)
        except OutOfReach as error:
            return respond(request, str(error), "text/plain", 404)
        size = os.fstat(opened.fileno()).st_size
        name = (
            re.sub(r"[^A-Za-z0-9._-]+", "_", path.rpartition("/")[2])[-150:].lstrip(".") or "file"
        )
        answer = Response(
            _chunks(opened) if request.method != "HEAD" else b"",
            content_type="application/octet-stream",
            headers={
                "Content-Disposition": f'attachment; filename="{name}"',
                "Content-Length": str(size), "Cache-Control": "no-store",
                "X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'; sandbox",
            },
        )  # fmt: skip
        answer.call_on_close(opened.close)
        return answer


def _files(request: Request) -> list[File]:
    return of_kind(index_of(plugin_util.context(request.environ)), "profile")


def _told(file: File, why: str) -> dict[str, Any]:
    base = file.path.rpartition("/")[2]
    capture, host = _CAPTURE.fullmatch(file.path), _HOST.fullmatch(base)
    found = file.where() | {
        "file": base, "size": file.size, "mtime": file.mtime, "why": why,
        "time": capture["time"] if capture else "", "host": host["host"] if host else "",
    }  # fmt: skip
    if not why:
        run, path = quote(file.run.run_key, safe=""), quote(file.path, safe="", errors="replace")
        found["url"] = f"file?run={run}&path={path}"
    return found


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while chunk := file.read(_CHUNK):
            yield chunk

"""TensorBoard's pages: its addresses below a selection, and the few that it asks for at the root."""

from __future__ import annotations

import threading
import zipfile
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, abort, redirect, request, url_for
from werkzeug.wrappers import Response as Answer

from ..api import foreign
from ..api.service import Service
from ..api.tensorboard import selection as selections
from ..core.errors import UsageError

_FONTS = "font-roboto/"
_MAX_FILTER = 10_000
_YEAR_S = 365 * 86_400
# TensorBoard's own policy says nothing of who may frame it.
_FRAMES = "frame-ancestors 'self'"


def tensorboard(service: Service) -> Blueprint:
    """TensorBoard over *service*; it is loaded when someone first asks for it."""
    blueprint = Blueprint("tensorboard", __name__)
    once = _Once(service)

    @blueprint.get("/tensorboard")
    def choose() -> Answer:
        """Lead to TensorBoard on the runs that the query names: q, runs, view, dup, arch."""
        refused = foreign.refused()
        return refused or redirect(address(_asked(service)))

    @blueprint.route("/tb/<id>/", methods=["GET", "POST"], defaults={"rest": ""})
    @blueprint.route("/tb/<id>/<path:rest>", methods=["GET", "POST"])
    def inside(id: str, rest: str) -> Answer:
        """A page, asset or answer of TensorBoard for one selection."""
        app = once.tensorboard()
        # Werkzeug merges slashes and decodes: what was asked for is passed on as it came.
        path = request.environ["PATH_INFO"].removeprefix(f"/tb/{id}")

        def call(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
            answer: Iterable[bytes] = app.call(environ, start, id, path)
            return answer

        response = Response.from_app(call, request.environ)
        policy = response.headers.get("Content-Security-Policy")
        if policy:
            response.headers["Content-Security-Policy"] = f"{policy.rstrip('; ')}; {_FRAMES}"
        return response

    @blueprint.get("/font-roboto/<name>")
    def font(name: str) -> Response:
        """TensorBoard asks for its fonts at the root, wherever it is mounted."""
        data = once.fonts().get(name)
        if data is None:
            abort(404)
        response = Response(data, content_type="font/woff2")
        response.cache_control.max_age, response.cache_control.private = _YEAR_S, True
        return response

    @blueprint.get("/experiment/defaultExperimentId/data/<path:rest>")
    def download(rest: str) -> Answer:
        """Links to a card's data have no prefix: the page that they are on says which is meant."""
        parts = urlsplit(request.headers.get("Referer", ""))
        places = parts.path.split("/")
        if parts.netloc != request.host or len(places) < 3 or places[1] != "tb":
            abort(404)
        query = request.query_string.decode("latin-1")
        where = url_for(".inside", id=places[2], rest=f"data/{rest}")
        return redirect(f"{where}?{query}" if query else where)

    return blueprint


def address(id: str) -> str:
    """Where TensorBoard is on a selection."""
    return f"/tb/{id}/"


def _asked(service: Service) -> str:
    """The id of the selection that a query string names; raises UsageError."""
    given = request.args
    unknown = sorted(set(given) - {"q", "runs", "view", "dup", "arch"})
    if unknown:
        raise UsageError(
            f"there is no parameter {unknown[0][:100]!r}",
            hint="q, runs, view, dup and arch are taken",
        )
    if given.get("view"):
        selections.find(service, given["view"])
        return given["view"]
    text, keys = given.get("q", ""), given.get("runs", "").split(",")
    if len(text) > _MAX_FILTER:
        raise UsageError(f"q: {len(text)} characters, at most {_MAX_FILTER} are taken")
    on = {name: given.get(name, "0") not in ("0", "false", "") for name in ("dup", "arch")}
    return selections.keep(
        service,
        selections.Selection(
            text, tuple(dict.fromkeys(key for key in keys if key)), on["dup"], on["arch"]
        ),
    )


class _Once:
    """What is loaded at the first request: a server that nobody asks for TensorBoard stays small."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._loading = threading.Lock()
        self._tensorboard: Any = None
        self._fonts: dict[str, bytes] | None = None

    def tensorboard(self) -> Any:
        """The application for all selections."""
        with self._loading:
            if self._tensorboard is None:
                from ..api.tensorboard.mount import TensorBoard

                self._tensorboard = TensorBoard(self._service)
            return self._tensorboard

    def fonts(self) -> dict[str, bytes]:
        """TensorBoard's fonts by file name."""
        with self._loading:
            if self._fonts is None:
                self._fonts = _read_fonts()
            return self._fonts


def _read_fonts() -> dict[str, bytes]:
    from tensorboard import assets

    with assets.get_default_assets_zip_provider()() as file, zipfile.ZipFile(file) as archive:
        names = [name for name in archive.namelist() if name.startswith(_FONTS)]
        return {name.removeprefix(_FONTS): archive.read(name) for name in names}

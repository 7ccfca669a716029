"""TensorBoard's pages: its addresses below a selection, and the few that it asks for at the root."""

from __future__ import annotations

import difflib
import threading
import traceback
import zipfile
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

from flask import (
    Blueprint,
    Response,
    abort,
    current_app,
    redirect,
    render_template,
    request,
    url_for,
)
from werkzeug.wrappers import Response as Answer

from ..api import foreign
from ..api.service import Service
from ..api.tensorboard import selection as selections
from ..core.errors import UsageError

_FONTS = "font-roboto/"
_MAX_FILTER = 10_000
# What TensorBoard reads of its own address, handed on as it came.
_OWN = ("tagFilter", "smoothing", "runFilter", "pinnedCards")
_FLAGS = ("dup", "arch")
_YES, _NO = ("1", "true"), ("0", "false", "")
_YEAR_S = 365 * 86_400
# TensorBoard's own policy says nothing of who may frame it.
_FRAMES = "frame-ancestors 'self'"


def tensorboard(service: Service) -> Blueprint:
    """TensorBoard over *service*; it is loaded when someone first asks for it."""
    blueprint = Blueprint("tensorboard", __name__)
    once = _Once(service)

    @blueprint.get("/tensorboard")
    def choose() -> Answer:
        """Lead to TensorBoard on the runs that the query names: q, runs, view, dup, arch.

        TensorBoard's own tagFilter, smoothing, runFilter and pinnedCards go along.
        """
        refused = foreign.refused()
        return refused or redirect(address(_asked(service)) + _own())

    @blueprint.route("/tb/<id>/", methods=["GET", "POST"], defaults={"rest": ""})
    @blueprint.route("/tb/<id>/<path:rest>", methods=["GET", "POST"])
    def inside(id: str, rest: str) -> Answer | str:
        """A page, asset or answer of TensorBoard for one selection."""
        if not rest and (empty := _empty(service, id)):
            return empty
        app = once.tensorboard()
        # Werkzeug merges slashes and decodes: what was asked for is passed on as it came.
        path = request.environ["PATH_INFO"].removeprefix(f"/tb/{id}")

        def call(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
            answer: Iterable[bytes] = app.call(environ, start, id, path)
            return answer

        response = _answer(call)
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
        try:
            parts = urlsplit(request.headers.get("Referer", ""))
        except ValueError:
            abort(404)
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


def _empty(service: Service, id: str) -> str:
    """The page of a selection without runs, which TensorBoard's own says nothing of; else ''.

    Raises what leads nowhere before anything of TensorBoard is loaded.
    """
    found = selections.find(service, id)
    if selections.any_runs(service, found):
        return ""
    given = {"q": found.filter} | {
        name: "1" for name, on in (("dup", found.duplicates), ("arch", found.archived)) if on
    }
    return render_template(
        "tensorboard.html", page="tensorboard", title="No runs to show", filter=found.filter.strip(),
        duplicates=found.duplicates, archived=found.archived,
        table=f"/?{urlencode(given)}" if found.filter else "/",
    )  # fmt: skip


def _answer(call: Callable[..., Iterable[bytes]]) -> Answer:
    """What TensorBoard answers; it fails at values that do not fit, which is the question's fault."""
    try:
        return Response.from_app(call, request.environ)
    except (ValueError, TypeError, KeyError, IndexError) as error:
        frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
        if frames[-1].f_globals.get("__name__", "").startswith("boardlake."):
            raise
        current_app.logger.warning("%s %s", request.method, request.path, exc_info=True)
        raise UsageError(
            f"TensorBoard cannot answer this ({type(error).__name__})",
            hint="a parameter is missing or does not fit",
        ) from error


def _asked(service: Service) -> str:
    """The id of the selection that a query string names; raises UsageError."""
    given, known = request.args, (*_FLAGS, "q", "runs", "view", *_OWN)
    for name in given:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            raise UsageError(
                f"there is no parameter {name[:100]!r}",
                hint=f"did you mean {near[0]}?" if near else f"{', '.join(known)} are taken",
            )
    for name, text in given.items():
        if name != "runs" and len(text) > _MAX_FILTER:
            raise UsageError(f"{name}: {len(text)} characters, at most {_MAX_FILTER} are taken")
        if "\0" in text:
            raise UsageError(f"{name}: a NUL character is not taken")
    if given.get("view"):
        if given.get("q") or "runs" in given:
            raise UsageError("view: it says which runs; q and runs cannot stand beside it")
        selections.find(service, given["view"])
        return given["view"]
    keys = dict.fromkeys(key for key in given.get("runs", "").split(",") if key)
    if "runs" in given and not keys:
        # Without a list all runs were meant.
        raise UsageError("runs: no run is named", hint="runs=KEY,KEY names some by run_key")
    dup, arch = (_on(given, name) for name in _FLAGS)
    chosen = selections.Selection(given.get("q", ""), tuple(keys), dup, arch)
    # What leads nowhere is refused here, and not kept.
    selections.any_runs(service, chosen)
    return selections.keep(service, chosen)


def _on(given: Mapping[str, str], name: str) -> bool:
    text = given.get(name, "0").lower()
    if text not in _YES + _NO:
        raise UsageError(f"{name}: {text[:100]!r}, expected 1 or 0")
    return text in _YES


def _own() -> str:
    """What the query string says to TensorBoard itself."""
    given = {name: request.args[name] for name in _OWN if name in request.args}
    return f"?{urlencode(given)}" if given else ""


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

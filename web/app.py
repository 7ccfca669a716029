"""The application: API and pages over one service, behind one set of headers."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Flask, Response, render_template, request
from flask_openapi3.models.info import Info
from flask_openapi3.openapi import OpenAPI
from werkzeug.exceptions import HTTPException

from .. import __version__
from ..api import refusals
from ..api.routes import (
    about,
    ask,
    compared,
    contrast,
    curves,
    delete,
    export,
    importance,
    media,
    notes,
    receive,
    runs,
    sources,
    sql,
    stored,
    tensors,
)  # fmt: skip
from ..api.routes import (
    tensorboard as tensorboard_selections,
)
from ..api.service import Service
from ..core.errors import BoardlakeError
from ..core.tokens import Tokens
from .assets import Assets
from .door import Door
from .kept import Kept
from .metrics import Requests, metrics
from .pages import pages
from .tensorboard import tensorboard
from .twins import twins

_CSP = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline';"
    " img-src 'self' data: blob:; media-src 'self' blob:; object-src 'none';"
    " base-uri 'none'; form-action 'self'; frame-ancestors 'self'"
)
_HEADERS = {
    "Content-Security-Policy": _CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_COMPRESSIBLE = ("text/", "application/json", "application/x-boardlake-frame")
_LEAST_BYTES = 1_024
_MAX_BODY = 4 << 20
_AROUND = 60
_REFUSALS: dict[type[Exception], Callable[[Any], Response]] = {
    BoardlakeError: refusals.of_ours, HTTPException: refusals.of_http,
    RecursionError: refusals.of_depth, Exception: refusals.of_bug,
}  # fmt: skip


def create_app(service: Service, tokens: Tokens | None = None) -> Flask:
    """The WSGI application over *service*, which the caller closes; for those with *tokens*, if any."""
    app = OpenAPI(
        "boardlake.web",
        info=Info(title="boardlake", version=__version__),
        doc_ui=False,
        validation_error_status=400,
        validation_error_callback=refusals.of_validation,
        static_folder=None,
        root_path=str(Path(__file__).parent),
    )
    app.config["MAX_CONTENT_LENGTH"] = _MAX_BODY
    app.json.sort_keys = False  # type: ignore[attr-defined]
    requests = Requests(app)
    for module in (
        about, sources, runs, curves, tensors, media, contrast, stored, delete, export, ask, sql,
        compared, importance, notes, receive, tensorboard_selections,
    ):  # fmt: skip
        app.register_api(module.blueprint(service))
    assets = Assets(Path(__file__).parent / "static")
    app.wsgi_app = assets.before(app.wsgi_app)  # type: ignore[assignment, method-assign]
    app.jinja_env.globals.update(static=assets.url, script=assets.script)
    app.register_blueprint(pages(service, lambda: app.api_doc))
    for kind, refuse in _REFUSALS.items():
        app.register_error_handler(kind, _shown(refuse))
    app.register_blueprint(twins(service))
    app.register_blueprint(tensorboard(service))
    app.register_blueprint(metrics(service, requests))
    door = Door(tokens)
    app.register_blueprint(door.pages())
    app.before_request(door.before)
    app.after_request(door.after)
    kept = Kept(service.version)
    app.before_request(kept.before)
    app.after_request(lambda response: _finish(kept, response))
    return app


def _shown(
    refuse: Callable[[Any], Response],
) -> Callable[[Any], Response | tuple[str, int]]:
    """*refuse*, whose answer people see as a page."""

    def show(error: Any) -> Response | tuple[str, int]:
        response = refuse(error)
        if request.path.startswith("/api/"):
            return response
        told = response.get_json()["error"]
        page = render_template(
            "error.html", page="error", title="This cannot be shown",
            message=told["message"], hint=told["hint"], status=response.status_code,
            where=_pointed(told["text"], told["position"]),
        )  # fmt: skip
        return page, response.status_code

    return show


def _pointed(text: str | None, position: int | None) -> str:
    """What was written, with a mark below its *position*; '' where none is known."""
    if not text or position is None:
        return ""
    first = max(0, position - _AROUND)
    near = "".join(c if c.isprintable() else " " for c in text[first : position + _AROUND])
    return f"{near}\n{' ' * (position - first)}^"


def _finish(kept: Kept, response: Response) -> Response:
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    kept.after(response)
    return _compress(response)


def _compress(response: Response) -> Response:
    local = request.remote_addr in ("127.0.0.1", "::1")
    if (
        local
        or response.direct_passthrough
        or response.is_streamed
        or response.status_code != 200
        or "gzip" not in request.headers.get("Accept-Encoding", "")
        or "Content-Encoding" in response.headers
        or not (response.content_type or "").startswith(_COMPRESSIBLE)
    ):
        return response
    body = response.get_data()
    if len(body) >= _LEAST_BYTES:
        response.set_data(gzip.compress(body, 1))
        response.headers["Content-Encoding"] = "gzip"
        response.vary.add("Accept-Encoding")
    return response

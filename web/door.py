"""Who may come in: by token or session, where the server has tokens; else whoever is on this machine."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from urllib.parse import urlsplit

from flask import Blueprint, Response, g, jsonify, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as Answer

from ..api import refusals
from ..core.tokens import SESSION_S, Token, Tokens

COOKIE = "boardlake_session"
_LOCAL_NAMES = ("127.0.0.1", "localhost", "[::1]")
# Asked without a token: probes, and the page that asks for one.
_OPEN = ("/healthz", "/login", "/login/session")
_PUSHES = "/api/v1/receive"
# What changes nothing though it is no GET: questions that are too long for an address.
_READING = ("histograms", "pr_curves", "texts", "texts/search", "exports", "exports/estimate", "sql",
            "media/tags", "media/steps", "media/bytes", "markdown", "importance", "series", "tensorboard")  # fmt: skip
# TensorBoard posts forms, and only reads.
_TENSORBOARD = "/tb/"
_SAFE = ("GET", "HEAD", "OPTIONS")
_MOST_FAILURES, _WITHIN_S, _MOST_KNOWN = 20, 60.0, 10_000
_HINT = "send Authorization: Bearer TOKEN, or log in at /login; `boardlake token` makes tokens"


class Failures:
    """Wrong tokens by address: whoever shows many is told to wait."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._times: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def count(self, address: str) -> float:
        """Note one more; returns for how many seconds there were too many, or 0."""
        now = time.monotonic()
        with self._lock:
            since, count = self._times.pop(address, (now, 0))
            if now - since > _WITHIN_S:
                since, count = now, 0
            self._times[address] = since, count + 1
            while len(self._times) > _MOST_KNOWN:
                self._times.popitem(last=False)
        return _WITHIN_S - (now - since) if count >= _MOST_FAILURES else 0.0


class Door:
    """Lets in whoever has a token; without *tokens* all that call this machine by a local name."""

    def __init__(self, tokens: Tokens | None) -> None:
        self._tokens = tokens
        self._failures = Failures()

    def before(self) -> Answer | None:
        """The refusal of a request, if it is to be refused; `g.token` is who asks."""
        if self._tokens is None:
            return _refuse_foreign_names() or _refuse_foreign_writes(exact=True)
        g.token, by_header = self._who(self._tokens)
        if (
            not by_header
            and request.method not in _SAFE
            and request.path not in ("/login", "/logout")
        ):
            # A page elsewhere can have a browser send its cookie, but no such header.
            refused = _refuse_foreign_writes(exact=False)
            if refused is not None:
                return refused
        if request.path in _OPEN:
            return None
        if g.token is None:
            return self._stranger()
        return None if _may(g.token) else _not_allowed(g.token)

    def _who(self, tokens: Tokens) -> tuple[Token | None, bool]:
        kind, _, secret = request.headers.get("Authorization", "").partition(" ")
        if kind:
            return (tokens.find(secret.strip()) if kind.lower() == "bearer" else None), True
        cookie = request.cookies.get(COOKIE, "")
        return (tokens.of_session(cookie) if cookie else None), False

    def _stranger(self) -> Answer:
        tried = "Authorization" in request.headers
        wait = self._failures.count(request.remote_addr or "") if tried else 0.0
        if wait:
            return _wait(wait)
        if not request.path.startswith("/api/") and request.method in _SAFE and not tried:
            page = request.path != "/openapi.json" and not request.path.endswith(".json")
            if page:
                return make_response(_page(request.full_path.removesuffix("?")), 401)
        message = "the token is not known here" if tried else "this server asks for a token"
        refused = refusals.refuse(401, "Unauthorized", message, _HINT)
        refused.headers["WWW-Authenticate"] = 'Bearer realm="boardlake"'
        return refused

    def after(self, response: Response) -> Response:
        """Nobody keeps an answer for others."""
        if self._tokens is None:
            return response
        if response.status_code == 401 or request.path in _OPEN:
            response.headers["Cache-Control"] = "no-store"
        else:
            response.headers.setdefault("Cache-Control", "private, no-cache")
        return response

    def pages(self) -> Blueprint:
        """The probe, and where people log in and out."""
        blueprint = Blueprint("door", __name__)

        @blueprint.get("/healthz")
        def healthz() -> Response:
            """Whether the server answers."""
            answer = Response("ok\n", content_type="text/plain")
            answer.headers["Cache-Control"] = "no-store"
            return answer

        if self._tokens is None:
            return blueprint
        tokens = self._tokens

        @blueprint.get("/login")
        def ask() -> str:
            """Ask for a token, or tell whose session this is, and how to end it."""
            return _page(request.args.get("next", "/"), name=g.token.name if g.token else "")

        @blueprint.get("/login/session")
        def session() -> Response:
            """Whether this browser is logged in: a link from elsewhere does not bring its cookie."""
            return jsonify({"in": g.token is not None})

        @blueprint.post("/login")
        def login() -> Answer:
            """Take a token, for a session."""
            onward = _onward(request.form.get("next", "/"))
            if not _same_origin(exact=False):
                return refusals.refuse(403, "Forbidden", "this request comes from elsewhere", "")
            token = tokens.find(request.form.get("token", "").strip())
            if token is None or token.role == "push":
                wait = self._failures.count(request.remote_addr or "")
                if wait:
                    return _wait(wait)
                why = "That token is not known here."
                if token is not None:
                    why = "That token is for pushing only."
                return make_response(_page(onward, why), 401)
            answer = redirect(onward, 303)
            secure = request.is_secure or request.headers.get("X-Forwarded-Proto") == "https"
            answer.set_cookie(
                COOKIE, tokens.session(token), max_age=SESSION_S, httponly=True, secure=secure,
                samesite="Strict",
            )  # fmt: skip
            return answer

        @blueprint.post("/logout")
        def logout() -> Answer:
            """End the session in this browser."""
            answer = redirect("/login", 303)
            answer.delete_cookie(COOKIE, httponly=True, samesite="Strict")
            return answer

        return blueprint


def _may(token: Token) -> bool:
    """Whether a token's role is enough for this request."""
    path, pushes = request.path, request.path == _PUSHES or request.path.startswith(f"{_PUSHES}/")
    if token.role == "full":
        return True
    if token.role == "push":
        return pushes
    if pushes or request.method in _SAFE:
        return not pushes
    asked = path.removeprefix("/api/v1/")
    own_export = request.method == "DELETE" and asked.startswith("exports/")
    reads = asked in _READING or asked.startswith("ask/") or path.startswith(_TENSORBOARD)
    return path == "/logout" or reads or own_export


def _not_allowed(token: Token) -> Response:
    hint = "ask for a token of the role full" if token.role == "read" else "it is for pushing only"
    return refusals.refuse(
        403, "Forbidden", f"a token of the role {token.role} may not do that", hint
    )


def _wait(seconds: float) -> Response:
    refused = refusals.refuse(429, "TooManyRequests", "too many wrong tokens", "wait a minute")
    refused.headers["Retry-After"] = str(int(seconds) + 1)
    return refused


def _page(onward: str, why: str = "", name: str = "") -> str:
    title = "Logged in" if name else "Log in"
    return render_template(
        "login.html", page="login", title=title, next=_onward(onward), why=why, name=name
    )


def _onward(address: str) -> str:
    """*address* if it is a page of this server."""
    try:
        parts = urlsplit(address.replace("\\", "/")[:4096])
    except ValueError:
        return "/"
    here = not parts.scheme and not parts.netloc and address.startswith("/")
    return address if here and not address.startswith(("//", "/\\", "/login")) else "/"


def _name() -> str:
    host = request.host
    if host.startswith("[") and "]" in host:
        return host[: host.index("]") + 1]
    return host.partition(":")[0]


def _refuse_foreign_names() -> Response | None:
    """A page elsewhere may give this machine's address a name of its own (DNS rebinding)."""
    if _name() in _LOCAL_NAMES:
        return None
    hint = "open the address that `boardlake serve` prints"
    return refusals.refuse(403, "Forbidden", f"this server is not called {_name()[:100]!r}", hint)


def _same_origin(*, exact: bool) -> bool:
    origin = request.headers.get("Origin")
    if origin is None:
        return True
    if exact:
        return origin == request.host_url.rstrip("/")
    # Behind a proxy for TLS the scheme is another one.
    return origin.lower() in (f"http://{request.host}".lower(), f"https://{request.host}".lower())


def _refuse_foreign_writes(*, exact: bool) -> Response | None:
    """A page of another origin can send a form here, but neither JSON nor a same-origin header."""
    if request.method in _SAFE:
        return None
    form = request.path.startswith(_TENSORBOARD)
    if _same_origin(exact=exact) and (form or request.mimetype == "application/json"):
        return None
    hint = "send JSON (Content-Type: application/json) from a page of this server"
    return refusals.refuse(403, "Forbidden", "this request comes from elsewhere", hint)

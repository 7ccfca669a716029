"""Plugins of ours among TensorBoard's: how they are loaded, and the modules that draw their pages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tensorboard.backend.http_util import Respond
from werkzeug import Request, Response

_STATIC = Path(__file__).parent / "static"


def respond(request: Request, content: Any, content_type: str, code: int = 200) -> Response:
    """An answer with TensorBoard's headers: never cached, never sniffed."""
    answer: Response = Respond(request, content, content_type, code)
    return answer


def asset(name: str) -> Any:
    """A WSGI application that serves one ES module of ours."""
    data = (_STATIC / name).read_bytes()

    @Request.application
    def serve(request: Request) -> Response:
        return respond(request, data, "text/javascript")

    return serve

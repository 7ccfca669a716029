"""Curves of many runs and tags at once, for charts and for downloads."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from flask import Response, jsonify, make_response, request
from flask_openapi3.blueprint import APIBlueprint

from ...core.errors import UsageError
from ...lake.curve_points import Spans
from ...lake.curve_query import CurvesQuery
from ...lake.curves import curves
from .. import answers, frames
from ..models import FORMATS, SeriesAsked
from ..service import Service

_ANSWER: dict[str | int | HTTPStatus, Any] = {
    200: {
        "content": {
            frames.MIME: {"schema": {"type": "string", "format": "binary"}},
            "application/json": {"schema": {"type": "object"}},
            **FORMATS,
        }
    }
}


class Gone(UsageError):
    """Whoever asked has hung up; nobody reads this."""

    http_status = 499


def _unless_gone() -> Callable[[], None]:
    """Raises once the client of this request has hung up, as browsers do when people scroll on."""
    hung_up = request.environ.get("waitress.client_disconnected", lambda: False)

    def check() -> None:
        if hung_up():
            raise Gone("the client has hung up")

    return check


def blueprint(service: Service) -> APIBlueprint:
    """The routes over *service*."""
    api = APIBlueprint("curves", __name__, url_prefix="/api/v1")
    spans = Spans()

    @api.post("/series", responses=_ANSWER)
    def series(body: SeriesAsked) -> Response:
        """Points where they fit the width, else mean, min and max of buckets on a shared grid."""
        query = CurvesQuery(
            tuple(body.runs), tuple(body.tags), groups=body.groups,
            streams=None if body.streams is None else tuple(body.streams),
            x=body.x, window=body.range, px=body.px, every=body.every, superseded=body.superseded,
        )  # fmt: skip
        with service.cursor() as con:
            charts = curves(con, query, _unless_gone(), spans)
            snapshot = service.readers.snapshot()
        form = body.format
        if form == "json":
            return jsonify(answers.plain({"snapshot": snapshot, "charts": frames.plain(charts)}))
        if form == "frame":
            answer = make_response(frames.encode(charts, snapshot))
            answer.content_type = frames.MIME
            return answer
        answer = make_response(answers.write(frames.table(charts), form))
        answer.content_type = answers.MIME[form]
        answer.headers["Content-Disposition"] = f'attachment; filename="series.{form}"'
        return answer

    return api

"""Curves of many runs and tags at once, for charts and for downloads."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import duckdb
from flask import Response, jsonify, make_response
from flask_openapi3.blueprint import APIBlueprint

from ...lake.contrast import fields
from ...lake.curve_points import Spans
from ...lake.curve_query import CurvesQuery
from ...lake.curves import Chart, curves
from .. import answers, frames
from ..gone import unless_gone
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


def _names(con: duckdb.DuckDBPyConnection, charts: list[Chart]) -> dict[int, str]:
    """What the runs of *charts* are called, by run_id."""
    ids = sorted({curve.owner for chart in charts for curve in chart.curves})
    rows = fields(con, ids).select(["run_id", "name"]).to_pylist() if ids else []
    return {row["run_id"]: row["name"] for row in rows}


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
            charts = curves(con, query, unless_gone(), spans)
            snapshot = service.readers.snapshot()
            form = body.format
            names = {} if body.groups or form in ("json", "frame") else _names(con, charts)
        if form == "json":
            return jsonify(answers.plain({"snapshot": snapshot, "charts": frames.plain(charts)}))
        if form == "frame":
            answer = make_response(frames.encode(charts, snapshot))
            answer.content_type = frames.MIME
            return answer
        answer = make_response(answers.write(frames.table(charts, names), form))
        answer.content_type = answers.MIME[form]
        answer.headers["Content-Disposition"] = f'attachment; filename="series.{form}"'
        return answer

    return api

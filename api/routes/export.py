"""Runs at full resolution as files: written with progress and then taken, or as one download."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from http import HTTPStatus
from typing import Any

from flask import Response, jsonify, make_response, request, send_file
from flask_openapi3.blueprint import APIBlueprint

from ...core.errors import UsageError
from ...lake import outflow
from ...lake.exported import Choice
from .. import answers, chosen, download, foreign, given
from ..asked import ExportAsked, ExportBegun, OneExport
from ..exports import AT_ONCE, Busy, Export, Gone, mime
from ..gone import has_gone, unless_gone
from ..models import Taken
from ..service import Service

_MIMES = ("application/zip", "application/vnd.duckdb", answers.MIME["arrow"])
_FILE: dict[str, Any] = {
    "content": {one: {"schema": {"type": "string", "format": "binary"}} for one in _MIMES}
}
_ANSWER: dict[str | int | HTTPStatus, Any] = {200: _FILE}
_WAIT_S = 0.25
_TAKEN: dict[str | int | HTTPStatus, Any] = {
    200: _FILE,
    206: _FILE,
    304: None,
    410: {"description": "It was stopped, or failed."},
    416: {"description": "Beyond its end."},
}


def blueprint(service: Service) -> APIBlueprint:
    """The routes over *service*."""
    api = APIBlueprint("export", __name__, url_prefix="/api/v1")
    exports = service.exports
    slots = threading.BoundedSemaphore(AT_ONCE)

    @api.post("/exports", responses={202: given.ExportTold})
    def begin(body: ExportBegun) -> Response:
        """Start to write some runs, or all, as one file; it can be taken at once, as it grows."""
        export = exports.begin(body.format, _choice(service, body))
        answer = make_response(jsonify(export.told()), 202)
        answer.headers["Location"] = f"/api/v1/exports/{export.id}"
        return answer

    @api.post("/exports/estimate", responses={200: given.ExportFigures})
    def estimate(body: ExportBegun) -> Response:
        """What such a file would hold, and about how large it would be."""
        found = exports.figures(body.format, _choice(service, body))
        points, total = found.rows["scalar_points"], sum(found.rows.values())
        return jsonify({
            "runs": found.runs, "points": points, "rows": found.rows, "rows_total": total,
            "bytes": found.bytes, "free": exports.free(),
        })  # fmt: skip

    @api.get("/exports/<id>", responses={200: given.ExportTold})
    def told(path: OneExport, query: Taken) -> Response:
        """How far an export is."""
        return _unkept(jsonify(exports.find(path.id).told()))

    @api.delete("/exports/<id>", responses={204: None})
    def drop(path: OneExport) -> Response:
        """Stop an export that is being written, or remove its file."""
        exports.drop(path.id)
        return make_response("", 204)

    @api.get("/exports/<id>/file", responses=_TAKEN)
    def file(path: OneExport, query: Taken) -> Response:
        """The file: in parts (Range) once it is ready, else as it is written, to its end."""
        export = exports.find(path.id)
        # What it has become is known once it is done, and may be known before.
        done = export.done.is_set()
        if not done and request.environ.get("SERVER_PROTOCOL") == "HTTP/1.0":
            # Without chunks a file that ends early would look like a whole one.
            check = unless_gone()
            with exports.taken(export):
                while not (done := export.done.wait(_WAIT_S)):
                    check()
        if export.state == "ready":
            return _unkept(_ready(export))
        if done:
            error = export.error or Gone("the export was removed")
            raise Gone(error.message, hint=error.hint or "start another")
        answer = _attached(Response(content_type=export.mime), export.name)
        if request.method != "HEAD":
            with ExitStack() as stack:
                stack.enter_context(exports.taken(export))
                answer.response = exports.follow(export, has_gone())
                answer.call_on_close(stack.pop_all().close)
        return answer

    @api.get("/export", responses=_ANSWER)
    def whole(query: ExportAsked) -> Response:
        """Runs and all that was logged as one download: a ZIP of tables, DuckDB, or the points."""
        if (refusal := foreign.refused()) is not None:
            return refusal
        with service.cursor() as con:
            ids = chosen.run_ids(con, query, service.names)
        if not ids:
            raise UsageError("no run matches: there is nothing to export", hint="widen the filter")
        if query.format == "points":
            return points(ids, query.tags or None)
        choice = Choice(ids, query.tags or None)
        if request.method == "HEAD":
            exports.figures(query.format, choice)
            return _attached(Response(content_type=mime(query.format)), "export")
        export = exports.begin(query.format, choice)
        with ExitStack() as stack:
            stack.callback(exports.discard, export)
            stack.enter_context(exports.taken(export))
            written = exports.follow(export, has_gone())
            answer = _attached(Response(written, content_type=export.mime), export.name)
            # Also when the client goes away: the server closes what it was given.
            answer.call_on_close(stack.pop_all().close)
        return answer

    def points(ids: list[int], tags: list[str] | None) -> Response:
        """The points alone, which flow from the lake without a file."""
        answer = _attached(Response(content_type=answers.MIME["arrow"]), "points.arrow")
        if request.method == "HEAD":
            return answer
        if not slots.acquire(blocking=False):
            hint = "wait until one is done; `boardlake export` has no such limit"
            raise Busy(f"{AT_ONCE} such streams are being read already", hint=hint)
        with ExitStack() as stack:
            stack.callback(slots.release)
            con = stack.enter_context(service.readers.apart())
            answer.response = download.arrow(outflow.SCHEMA, outflow.points(con, ids, tags))
            answer.call_on_close(stack.pop_all().close)
        return answer

    return api


def _choice(service: Service, body: ExportBegun) -> Choice:
    """The runs and tags that are asked for; raises UsageError where there are none."""
    with service.cursor() as con:
        ids = chosen.by_key(con, body.runs, body, service.names)
    if not ids:
        raise UsageError("no run matches: there is nothing to export", hint="widen the filter")
    return Choice(ids, body.tags or None, body.tag_pattern)


def _ready(export: Export) -> Response:
    """The whole file, or the parts that are asked for."""
    try:
        return send_file(
            export.file, mimetype=export.mime, as_attachment=True, download_name=export.name,
            conditional=True, etag=export.id,
        )  # fmt: skip
    except FileNotFoundError:
        raise Gone("the export was removed", hint="start another") from None


def _attached(answer: Response, name: str) -> Response:
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return _unkept(answer)


def _unkept(answer: Response) -> Response:
    answer.headers["Cache-Control"] = "no-store"
    return answer

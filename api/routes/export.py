"""Runs at full resolution as one download, for other programs and other people."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from http import HTTPStatus
from pathlib import Path
from typing import Any

from flask import Response, request
from flask_openapi3.blueprint import APIBlueprint

from ...core.errors import BoardlakeError, UsageError
from ...lake import outflow
from ...lake.export import export as write
from .. import answers, chosen, download
from ..asked import ExportAsked
from ..service import Service

# An export reads much and may take minutes: the pages go on meanwhile.
_AT_ONCE = 2
_NAME = "boardlake-export"
_FORMS = {
    "parquet": (f"{_NAME}.zip", "application/zip"),
    "csv": (f"{_NAME}.zip", "application/zip"),
    "duckdb": (f"{_NAME}.duckdb", "application/vnd.duckdb"),
    "arrow": (f"{_NAME}.arrow", answers.MIME["arrow"]),
}
_ANSWER: dict[str | int | HTTPStatus, Any] = {
    200: {
        "content": {
            mime: {"schema": {"type": "string", "format": "binary"}}
            for mime in sorted({mime for _, mime in _FORMS.values()})
        }
    }
}


class Busy(BoardlakeError):
    """As many exports as are taken at once are being written."""

    http_status = 503


def blueprint(service: Service) -> APIBlueprint:
    """The routes over *service*."""
    api = APIBlueprint("export", __name__, url_prefix="/api/v1")
    slots = threading.BoundedSemaphore(_AT_ONCE)

    @api.get("/export", responses=_ANSWER)
    def export(query: ExportAsked) -> Response:
        """Runs and all that was logged as a ZIP of Parquet or CSV, or DuckDB; points as Arrow."""
        with service.cursor() as con:
            ids = chosen.run_ids(con, query, service.names)
        if not ids:
            raise UsageError("no run matches: there is nothing to export", hint="widen the filter")
        name, mime = _FORMS[query.format]
        answer = Response(content_type=mime)
        answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        answer.headers["Cache-Control"] = "no-store"
        if request.method == "HEAD":
            return answer
        if not slots.acquire(blocking=False):
            hint = "wait until one is done; `boardlake export` has no such limit"
            raise Busy(f"{_AT_ONCE} exports are being written already", hint=hint)
        with ExitStack() as stack:
            stack.callback(slots.release)
            answer.response = _chunks(query, ids, stack)
            # Also when the client goes away: the server closes what it was given.
            answer.call_on_close(stack.pop_all().close)
        return answer

    def _chunks(asked: ExportAsked, ids: list[int], stack: ExitStack) -> Iterator[bytes]:
        """The download, which needs what *stack* holds until it is read."""
        tags = asked.tags or None
        if asked.format == "arrow":
            con = stack.enter_context(service.readers.apart())
            return download.arrow(outflow.SCHEMA, outflow.points(con, ids, tags))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix=f"{_NAME}-")))
        target = folder / (f"{_NAME}.duckdb" if asked.format == "duckdb" else _NAME)
        with service.readers.again(read_only=True) as lake:
            write(lake, target, form=asked.format, runs=ids, tags=tags)
        if asked.format == "duckdb":
            return download.file(target)
        return download.zipped(target, compress=asked.format == "csv")

    return api

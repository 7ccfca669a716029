"""SQL over HTTP, run where it can only read the lake."""

from __future__ import annotations

import pyarrow as pa
from flask import Response, jsonify, make_response
from flask_openapi3.blueprint import APIBlueprint

from .. import answers, given
from ..asked import SqlAsked
from ..service import Service

_ARROW = {"schema": {"type": "string", "format": "binary"}}
_HEADERS = {
    "X-Boardlake-Rows": {"schema": {"type": "integer"}, "description": "Rows of the answer."},
    "X-Boardlake-Truncated": {
        "schema": {"type": "string", "enum": ["true", "false"]},
        "description": "Whether there are more rows.",
    },
    "X-Boardlake-Seconds": {"schema": {"type": "number"}, "description": "Waiting included."},
    "X-Boardlake-Snapshot": {"schema": {"type": "integer"}, "description": "State of the lake."},
}
_JSON = {"schema": given.SqlAnswer.model_json_schema(ref_template="#/components/schemas/{model}")}
# The document has it among its components already.
_JSON["schema"].pop("$defs")
_ANSWER = {
    "headers": _HEADERS,
    "content": {answers.MIME["arrow"]: _ARROW, "application/json": _JSON},
}


def blueprint(service: Service) -> APIBlueprint:
    """The routes over *service*."""
    api = APIBlueprint("sql", __name__, url_prefix="/api/v1")

    @api.post("/sql", responses={200: _ANSWER})
    def sql(body: SqlAsked) -> Response:
        """The answer to one reading statement, within limits of time, memory and rows.

        SELECT with all that belongs to it, PIVOT, DESCRIBE, SUMMARIZE, SHOW TABLES and EXPLAIN.
        """
        answer = service.sql(body.query, body.parameters, body.limit)
        if body.format == "json":
            table = pa.ipc.open_stream(answer.stream).read_all()
            table.validate(full=True)
            response = jsonify(
                {
                    "columns": answers.columns(table), "rows": answers.rows(table),
                    "truncated": answer.truncated, "seconds": answer.seconds,
                    "snapshot": answer.snapshot,
                }
            )  # fmt: skip
        else:
            response = make_response(answer.stream)
            response.content_type = answers.MIME["arrow"]
        told = (
            answer.rows,
            str(answer.truncated).lower(),
            f"{answer.seconds:.6f}",
            answer.snapshot,
        )
        for name, value in zip(_HEADERS, told, strict=True):
            response.headers[name] = str(value)
        return response

    return api

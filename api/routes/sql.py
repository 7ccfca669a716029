"""SQL over HTTP, run where it can only read the lake."""

from __future__ import annotations

from collections.abc import Callable

from flask import Response, jsonify, make_response, request
from flask_openapi3.blueprint import APIBlueprint

from ...lake.described import schema as described
from ...lake.sandbox import known
from ...lake.sandbox.limits import MAX_QUERY, MAX_ROWS
from ...lake.sandbox.pool import Answer
from .. import answers, foreign, given, sqlforms
from ..asked import SqlAsked, SqlGot
from ..models import Taken
from ..service import Service


def blueprint(service: Service) -> APIBlueprint:
    """The routes over *service*."""
    api = APIBlueprint("sql", __name__, url_prefix="/api/v1")

    @api.post("/sql", responses={200: given.SqlAnswer})
    def sql(body: SqlAsked) -> Response:
        """The answer to one reading statement, within limits of time, memory and rows.

        SELECT with all that belongs to it, PIVOT, DESCRIBE, SUMMARIZE, SHOW TABLES and EXPLAIN. A
        statement whose client hangs up is stopped.
        """
        answer = service.sql(body.query, body.parameters, body.limit, _gone())
        if body.format == "json":
            return _headed(jsonify(sqlforms.told(answer, body.clip)), answer)
        response = make_response(answer.stream)
        response.content_type = answers.MIME["arrow"]
        return _headed(response, answer)

    @api.get("/sql", responses={200: given.SqlFile})
    def sql_by_address(query: SqlGot) -> Response:
        """The same by address, as JSON or as a file: CSV, Parquet or Arrow.

        Texts are exactly those of the lake, also in CSV: what begins with `=` is a formula to some
        spreadsheets. Nested values are JSON in CSV, bytes hexadecimal.
        """
        refusal = foreign.refused()
        if refusal:
            return refusal
        answer = service.sql(query.query, None, query.limit, _gone())
        form = query.format
        if form == "json":
            response = jsonify(sqlforms.told(answer))
        else:
            response = make_response(sqlforms.file_of(answer, form))
            response.content_type = answers.MIME[form]
            response.headers["Content-Disposition"] = f'attachment; filename="boardlake-sql.{form}"'
        # The same statement may have another answer at each moment.
        response.headers["Cache-Control"] = "private, no-store"
        return _headed(response, answer)

    @api.get("/schema", responses={200: given.Schema})
    def schema(query: Taken) -> Response:
        """Tables, views and functions that a statement may name, in words, and its limits."""
        with service.cursor() as con:
            tables = described(con)
        service.sandbox.warm()
        limits = service.sandbox.limits
        return jsonify(
            {
                "tables": tables, "functions": known.functions(), "keywords": known.keywords(),
                "limits": {
                    "seconds": limits.seconds, "memory": limits.memory, "rows": MAX_ROWS,
                    "bytes": limits.result_bytes, "characters": MAX_QUERY,
                },
            }
        )  # fmt: skip

    return api


def _gone() -> Callable[[], bool]:
    """Says whether the client of this request has hung up, as browsers do on Cancel."""
    gone: Callable[[], bool] = request.environ.get("waitress.client_disconnected", lambda: False)
    return gone


def _headed(response: Response, answer: Answer) -> Response:
    told = (
        answer.rows,
        str(answer.truncated).lower(),
        answer.cut,
        f"{answer.seconds:.6f}",
        answer.snapshot,
    )
    for name, value in zip(given.SQL_HEADERS, told, strict=True):
        response.headers[name] = str(value)
    return response

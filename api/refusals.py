"""Errors as the one shape that clients know."""

from __future__ import annotations

import difflib
from typing import Any

from flask import Response, current_app, jsonify, make_response, request
from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import HTTPException

from ..core.errors import BoardlakeError, FilterError, SqlError


def refuse(
    status: int, kind: str, message: str, hint: str = "", **where: str | int | None
) -> Response:
    """The response for an error."""
    error: dict[str, Any] = {"kind": kind, "message": message, "hint": hint}
    error |= {name: where.get(name) for name in ("field", "text", "position")}
    return make_response(jsonify({"error": error}), status)


def of_ours(error: BoardlakeError) -> Response:
    """The response for an error of our tree; a FilterError says where."""
    where: dict[str, str | int | None] = {}
    if isinstance(error, FilterError):
        where = {"field": _field(error.text), "text": error.text, "position": error.position}
    elif isinstance(error, SqlError):
        where = {"field": "query", "text": error.text, "position": error.position}
    return refuse(error.http_status, type(error).__name__, error.message, error.hint, **where)


def of_http(error: HTTPException) -> Response:
    """The response for what Flask itself refuses."""
    hint = "/api lists what there is" if error.code == 404 else ""
    name = error.name.replace(" ", "")
    return refuse(error.code or 500, name, error.description or error.name, hint)


def of_depth(error: RecursionError) -> Response:
    """The response for JSON that nests deeper than anyone can read it."""
    hint = "the body is JSON of a few levels; /api lists the shapes"
    return refuse(400, "UsageError", "nested too deep", hint)


def of_bug(error: Exception) -> Response:
    """The response for what we did not foresee; the log has the rest."""
    current_app.logger.exception("%s %s", request.method, request.path)
    hint = "the server's log tells more; please report it"
    return refuse(500, "InternalError", f"the server failed ({type(error).__name__})", hint)


def of_validation(error: ValidationError) -> Response:
    """The response for parameters or a body that do not fit; the first misfit is told."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    field = ".".join(str(part) for part in first["loc"]) or "body"
    if first["type"] == "extra_forbidden":
        near = difflib.get_close_matches(field, _known(error), 1)
        hint = f"did you mean {near[0]}?" if near else "/api lists the parameters"
        return refuse(
            400, "UsageError", f"there is no parameter {field[:100]!r}", hint, field=field
        )
    return refuse(
        400, "UsageError", f"{field}: {first['msg'].removeprefix('Value error, ')}", "", field=field
    )


def _known(error: ValidationError) -> list[str]:
    models = [BaseModel]
    while models:
        model = models.pop()
        if model.__name__ == error.title:
            return list(model.model_fields)
        models += model.__subclasses__()
    return []


def _field(text: str) -> str | None:
    for name, value in request.args.items():
        if text and text in value:
            return name
    return None

"""Runs: pages of the table, groups, facets, names for completion, and one run in full."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Annotated, Any

import pyarrow as pa
from flask import Response, jsonify, make_response
from flask_openapi3.blueprint import APIBlueprint
from pydantic import (
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    TypeAdapter,
    ValidationError,
)

from ...core.errors import UsageError
from ...lake import facets, history
from ...lake.counted import hparam_names, tags_of
from ...lake.detail import parts, run_row
from ...lake.fields import FUNCTIONS, STATS, hparam_expression
from ...lake.search import DEFAULT_COLUMNS, Query
from .. import answers, tags
from ..models import (
    Chosen,
    Expression,
    FacetsAsked,
    GroupsAsked,
    MembersAsked,
    OneRun,
    RunsAsked,
    Table,
    TagsAsked,
    Taken,
)
from ..service import Service

_MEMBERS: TypeAdapter[list[tuple[Expression, bool | int | float | str | None]]] = TypeAdapter(
    Annotated[
        list[tuple[Expression, StrictBool | StrictInt | StrictFloat | StrictStr | None]],
        Field(max_length=16),
    ]
)


def blueprint(service: Service) -> APIBlueprint:
    """The routes over *service*."""
    api = APIBlueprint("runs", __name__, url_prefix="/api/v1")

    @api.get("/runs", responses={200: Table})
    def runs(query: MembersAsked) -> Response:
        """A page of runs: run_id first, then the columns asked for."""
        chosen = tuple(query.columns) or DEFAULT_COLUMNS
        chosen = ("run_id", *(name for name in chosen if name != "run_id"))
        asked = replace(_query(query, chosen), members=_members(query.members))
        return _page(query, asked)

    @api.get("/groups", responses={200: Table})
    def groups(query: GroupsAsked) -> Response:
        """A page of groups: keys, `runs`, and mean, std, min, max of each numeric column."""
        asked = _query(query, tuple(query.columns) or None, tuple(query.group_by))
        return _page(query, replace(asked, quartiles=query.quartiles))

    @api.get("/facets")
    def counts(query: FacetsAsked) -> Response:
        """How many runs have each value of some fields."""
        with service.cursor() as con:
            found = facets.facets(
                con, _query(query), tuple(query.fields), query.limit, service.names
            )
        return jsonify(
            {
                "facets": [
                    {
                        "field": facet.field,
                        "values": [
                            {"value": answers.plain(value), "runs": count}
                            for value, count in facet.values
                        ],
                    }
                    for facet in found
                ]
            }
        )

    @api.get("/fields")
    def fields(query: Taken) -> Response:
        """Every name that an expression may use."""
        with service.cursor() as con:
            hparams = hparam_names(con).to_pylist()
            tags = history.tags(con).to_pylist()
        for one in hparams:
            one["expr"] = hparam_expression(one["name"])
        names = [{"name": name, "kind": kind} for name, kind in facets.field_names(service.names)]
        return jsonify(
            {
                "fields": names, "hparams": hparams, "tags": tags,
                "stats": list(STATS), "functions": list(FUNCTIONS),
            }
        )  # fmt: skip

    @api.get("/tags")
    def tags_of_runs(query: TagsAsked) -> Response:
        """The tags of some runs with their streams."""
        with service.cursor() as con:
            ids: list[int] | pa.ChunkedArray | None = query.runs or None
            if ids is None and (query.filter.strip() or query.archived):
                table = history.find(con, _query(query, ("run_id",)), service.names)
                ids = table["run_id"]
            found = tags_of(con, ids, query.kind).to_pylist()
        return jsonify({"tags": found} | ({"tree": tags.tree(found)} if query.tree else {}))

    @api.get("/runs/<run_key>")
    def run(path: OneRun, query: Taken) -> Response:
        """One run in full."""
        with service.cursor() as con:
            row = run_row(con, path.run_key)
            rest = parts(con, int(str(row["run_id"])))
        notes = service.state.annotations([path.run_key])
        found: dict[str, Any] = {"run": row, "annotation": asdict(notes[0]) if notes else None}
        return jsonify(answers.plain(found | rest))

    def _page(asked: RunsAsked, query: Query) -> Response:
        with service.cursor() as con:
            if asked.format != "json":
                table = history.find(con, query, service.names)
                form = asked.format
                answer = make_response(answers.write(table, form))
                answer.content_type = answers.MIME[form]
                answer.headers["Content-Disposition"] = f'attachment; filename="runs.{form}"'
                return answer
            table, total = history.find_page(con, query, service.names)
            snapshot = service.readers.snapshot()
        return jsonify(
            {
                "columns": answers.columns(table), "rows": answers.rows(table),
                "total": total, "offset": query.offset, "snapshot": snapshot,
            }
        )  # fmt: skip

    return api


def _query(
    asked: Chosen, columns: tuple[str, ...] | None = None, group_by: tuple[str, ...] = ()
) -> Query:
    query = Query(
        asked.filter, columns, group_by=group_by,
        duplicates=asked.duplicates, archived=asked.archived,
    )  # fmt: skip
    if not isinstance(asked, RunsAsked):
        return query
    return replace(query, sort=tuple(asked.sort), limit=asked.limit, offset=asked.offset)


def _members(text: str) -> tuple[tuple[str, object], ...]:
    if not text:
        return ()
    try:
        return tuple(_MEMBERS.validate_json(text))
    except ValidationError as error:
        raise UsageError(
            f"members: {text[:80]!r} is no list of pairs",
            hint='a JSON list such as [["project", "vision"]] is expected',
        ) from error

"""Groups of runs side by side: the best run of each, and how the values of each lie."""

from __future__ import annotations

from flask import Response, jsonify, make_response
from flask_openapi3.blueprint import APIBlueprint

from ...lake import ranking
from ...lake.search import Query
from .. import answers
from ..compared import BestAsked, BoxesAsked, GroupsOf, Standings
from ..service import Service


def blueprint(service: Service) -> APIBlueprint:
    """The routes over *service*."""
    api = APIBlueprint("compared", __name__, url_prefix="/api/v1")

    @api.get("/best", responses={200: Standings})
    def best(query: BestAsked) -> Response:
        """The best run of each group, with how many runs it is the best of, and their mean.

        Over all runs of a group. A value that is NaN or infinite is none, and never wins; `ties` is
        how many further runs have the same value. `left_out` groups have fewer values than `least`.
        """
        with service.cursor() as con:
            found = ranking.best(
                con, _query(query), query.metric, query.direction, service.names,
                order=query.sort, least=query.least,
            )  # fmt: skip
        if query.format == "json":
            return _answer(query, found)
        answer = make_response(answers.write(found.table, query.format))
        answer.content_type = answers.MIME[query.format]
        answer.headers["Content-Disposition"] = f'attachment; filename="best.{query.format}"'
        return answer

    @api.get("/boxes", responses={200: Standings})
    def boxes(query: BoxesAsked) -> Response:
        """Mean, deviation, quartiles and whiskers of each group, and the runs that lie beyond them.

        Over all runs of a group that have a finite value. Whiskers end at the last value within 1.5
        heights of the box; of small groups, `points` has every run.
        """
        with service.cursor() as con:
            found = ranking.boxes(con, _query(query), query.metric, service.names, order=query.sort)
        return _answer(query, found)

    def _answer(asked: GroupsOf, found: ranking.Groups) -> Response:
        columns = answers.columns(found.table)
        return jsonify(
            {
                "keys": [one["name"] for one in columns[: len(asked.group_by)]],
                "columns": columns, "rows": answers.rows(found.table), "total": found.groups,
                "offset": asked.offset, "left_out": found.left_out,
                "snapshot": service.readers.snapshot(),
            }
        )  # fmt: skip

    return api


def _query(asked: GroupsOf) -> Query:
    return Query(
        asked.filter, group_by=tuple(asked.group_by), limit=asked.limit, offset=asked.offset,
        duplicates=asked.duplicates, archived=asked.archived,
    )  # fmt: skip

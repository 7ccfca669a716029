"""Sources and machines, the record of cycles and problems, copies, disk use, the quality of runs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from flask import Response, jsonify
from flask_openapi3.blueprint import APIBlueprint
from pydantic import BeforeValidator, Field

from ...lake import copies as lake_copies
from ...lake import cycles as lake_cycles
from ...lake import disk as lake_disk
from ...lake import machines, quality
from ...lake.fields import moment
from ...lake.search import Query
from .. import answers
from ..checked import (
    Copies,
    Cycles,
    Disk,
    Problems,
    Quality,
    QualityRows,
    Sources,
)
from ..models import Chosen, Taken
from ..service import Service

Name = Annotated[str, Field(max_length=1_000)]
Offset = Annotated[int, Field(ge=0, lt=1 << 62)]


def _moment(value: object) -> object:
    return moment(value) if isinstance(value, str) else value


class _CyclesAsked(Taken):
    """Which cycles."""

    source: Name | None = Field(None, description="Only of this source.")
    since: Annotated[datetime, BeforeValidator(_moment)] | None = Field(
        None, description="Only those that ended since, ISO 8601; UTC unless it has an offset."
    )
    most: int = Field(
        500, ge=10, le=5_000,
        description="About so many rows for each source: where it has more, neighbours are put together.",
    )  # fmt: skip


class _ProblemsAsked(Taken):
    """Which problems."""

    source: Name | None = Field(None, description="Only of this source.")
    kind: Name | None = Field(None, description="Only of this kind.")
    path: Name = Field("", description="Only files whose path has this in it, in any case.")
    limit: int = Field(100, ge=0, le=1_000)
    offset: Offset = 0


class _CopiesAsked(Taken):
    """A page of the runs with copies."""

    source: Name | None = Field(None, description="Only those of which this source has a place.")
    limit: int = Field(100, ge=0, le=1_000)
    offset: Offset = 0


class _DiskAsked(Taken):
    """How much of the list."""

    limit: int = Field(50, ge=1, le=1_000, description="Projects, and tags: the largest.")


class _Check(Taken):
    """A check of the report."""

    id: str = Field(..., min_length=1, max_length=64)


class _QualityPage(Chosen):
    """Of which runs, and which of their rows."""

    limit: int = Field(100, ge=0, le=1_000)
    offset: Offset = 0


def blueprint(service: Service) -> APIBlueprint:
    """The routes over *service*."""
    api = APIBlueprint("sources", __name__, url_prefix="/api/v1")

    @api.get("/sources", responses={200: Sources})
    def sources(query: Taken) -> Response:
        """The sources of the lake and their machines, and how far behind each is."""
        now = datetime.now(UTC).replace(tzinfo=None)
        with service.cursor() as con:
            found = machines.sources(con, now).to_pylist()
            known = machines.machines(con).to_pylist()
        answer = _given({"now": now, "sources": found, "machines": known})
        # What is late is so by the clock, whatever the lake says.
        answer.headers["Cache-Control"] = "no-store"
        return answer

    @api.get("/cycles", responses={200: Cycles})
    def cycles(query: _CyclesAsked) -> Response:
        """The cycles of the ingester by time."""
        with service.cursor() as con:
            found = lake_cycles.cycles(con, query.source, query.since, query.most)
        return _given({"cycles": found.to_pylist()})

    @api.get("/problems", responses={200: Problems})
    def problems(query: _ProblemsAsked) -> Response:
        """What could not be stored, or not as it should be, the newest first."""
        with service.cursor() as con:
            kinds = lake_cycles.problem_kinds(con, query.source, query.path).to_pylist()
            found = lake_cycles.problems(
                con, query.source, query.kind, query.path, query.limit, query.offset
            ).to_pylist()
        asked = [one for one in kinds if query.kind in (None, one["kind"])]
        total = sum(one["problems"] for one in asked)
        return _given({"total": total, "kinds": kinds, "problems": found})

    @api.get("/copies", responses={200: Copies})
    def copies(query: _CopiesAsked) -> Response:
        """Runs that were found in several places."""
        with service.cursor() as con:
            found, total = lake_copies.copies(con, query.limit, query.offset, query.source)
        return _given({"total": total, "copies": found.to_pylist()})

    @api.get("/disk", responses={200: Disk})
    def disk(query: _DiskAsked) -> Response:
        """What the lake takes on the disk, and what of it is whose."""
        with service.cursor() as con:
            found = lake_disk.disk(con, service.readers.lake.location, query.limit)
        return _given(
            {
                "total": found.total, "catalog": found.catalog, "note": lake_disk.NOTE,
                "tables": found.tables.to_pylist(), "projects": found.projects.to_pylist(),
                "tags": found.tags.to_pylist(),
            }
        )  # fmt: skip

    @api.get("/quality", responses={200: Quality})
    def report(query: Chosen) -> Response:
        """What is wrong with runs: how many of them each check finds."""
        with service.cursor() as con:
            runs, found = quality.tally(con, _query(query), service.names)
        checks = [
            {
                "id": check.id, "title": check.title, "detail": check.detail,
                "runs": found[check.id], "filter": check.filter, "duplicates": check.copies,
            }
            for check in quality.CHECKS.values()
        ]  # fmt: skip
        return _given({"runs": runs, "checks": checks})

    @api.get("/quality/<id>", responses={200: QualityRows})
    def found(path: _Check, query: _QualityPage) -> Response:
        """What one check of the report finds, run by run."""
        check = quality.check_of(path.id)
        with service.cursor() as con:
            table, total = quality.rows(
                con, check, _query(query), service.names, query.limit, query.offset
            )
        return _given(
            {
                "id": check.id, "total": total, "columns": answers.columns(table),
                "rows": answers.rows(table),
            }
        )  # fmt: skip

    return api


def _query(asked: Chosen) -> Query:
    return Query(asked.filter, duplicates=asked.duplicates, archived=asked.archived)


def _given(found: dict[str, Any]) -> Response:
    return jsonify(answers.plain(found))

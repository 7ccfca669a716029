"""What edges push: machines that cannot be reached read for themselves and send what they found."""

from __future__ import annotations

import threading
from typing import Annotated

import duckdb
from flask import Response, g, jsonify, request
from flask_openapi3.blueprint import APIBlueprint
from pydantic import Field

from ...core.errors import BoardlakeError, LakeBusy, UsageError
from ...core.tokens import Token
from ...lake import receive, stock_json, wire
from ...lake.maintain import maintain_due
from .. import refusals
from ..models import Taken
from ..service import Service

_RETRY_S = "2"
_Source = Annotated[str, Field(min_length=1, max_length=255, description="Its name.")]


class _Digests(Taken):
    """What an edge knows of its sources."""

    digests: Annotated[
        dict[_Source, Annotated[str, Field(max_length=64)]],
        Field(max_length=10_000, description="A digest of all that it knows, by source."),
    ]


class _One(Taken):
    """A source."""

    source: _Source


class _Series(_One):
    """A stream of a run."""

    run: Annotated[str, Field(max_length=4_096, description="Its path.")]
    stream: Annotated[str, Field(max_length=4_096)] = ""


def blueprint(service: Service) -> APIBlueprint:
    """The routes over *service*."""
    api = APIBlueprint("receive", __name__, url_prefix="/api/v1")
    upkeep = threading.Lock()

    @api.post("/receive")
    def push() -> Response:
        """Store what an edge found: messages of `boardlake ingest --to`, one transaction each.

        Sent again they change nothing. `passed_over` are files of which other cursors are known here.
        """
        _may()
        request.max_content_length = wire.MOST_BODY
        try:
            with service.writer() as lake:
                found = receive.apply(lake, wire.read(request.get_data(cache=False)), _may_push)
        except LakeBusy as error:
            refused = refusals.of_ours(error)
            refused.headers["Retry-After"] = _RETRY_S
            return refused
        if found.ended and upkeep.acquire(blocking=False):
            threading.Thread(target=_keep_up, args=(service, upkeep), name="upkeep").start()
        passed = [{"source": source, "path": path} for source, path in found.passed_over]
        told = {"points": found.points, "new_runs": found.new_runs, "passed_over": passed}
        return _fresh(jsonify(told))

    @api.post("/receive/differing")
    def differing(body: _Digests) -> Response:
        """Which sources are known otherwise than an edge thinks."""
        _may()
        with service.readers.apart() as con:
            for source in body.digests:
                _allowed(source, con)
            found = [
                source
                for source, digest in body.digests.items()
                if receive.stock(con, source).digest() != digest
            ]
        return _fresh(jsonify({"sources": found}))

    @api.post("/receive/known")
    def known(body: _One) -> Response:
        """All that is known of the files of a source: how far each was read."""
        _may()
        with service.readers.apart() as con:
            _allowed(body.source, con)
            return _fresh(jsonify(stock_json.write(receive.stock(con, body.source))))

    @api.post("/receive/series")
    def series(body: _Series) -> Response:
        """What the writers of a stream said of its series."""
        _may()
        with service.readers.apart() as con:
            _allowed(body.source, con)
            found = receive.metadata(con, body.source, body.run, body.stream)
        return _fresh(jsonify(stock_json.write_series(found)))

    return api


class _NoHub(UsageError):
    http_status = 403


def _may() -> None:
    """Raises where nobody has to say who pushes."""
    if g.get("token") is None:
        raise _NoHub(
            "this server takes no pushes: it has no tokens",
            hint="at the hub: `boardlake token NAME --role push`, then serve with its file",
        )


def _may_push(source: str) -> bool:
    token: Token = g.token
    return token.may_push(source)


def _allowed(source: str, con: duckdb.DuckDBPyConnection) -> None:
    if not _may_push(source):
        hint = "`boardlake token` at the hub makes a token for other names of sources"
        raise receive.Refused(f"the token may not push the source {source!r}", hint=hint)
    receive.require_pushed(con, source)


def _fresh(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response


def _keep_up(service: Service, upkeep: threading.Lock) -> None:
    try:
        with service.writer() as lake:
            maintain_due(lake)
    except (BoardlakeError, duckdb.Error):
        # The next cycle's end tries again.
        pass
    finally:
        upkeep.release()

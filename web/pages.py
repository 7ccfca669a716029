"""The pages: server-rendered shells whose tables can be read without JavaScript."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, jsonify, render_template, request

from ..api import answers
from ..api.service import Service
from ..core.errors import UsageError
from ..lake import history
from ..lake.detail import parts, run_row
from ..lake.search import Query
from . import apidoc

_FIRST_ROWS = 200
_MAX_FILTER = 10_000
_COLUMNS = (
    "name", "state", "machine", "project", "last_event_at", "last_step", "points", "run_key",
)  # fmt: skip

# The pages whose state is all that they are about.
_TITLES = {
    "compare": "Compare", "media": "Media", "analyze": "Analysis", "sql": "SQL",
    "sources": "Sources",
}  # fmt: skip


def pages(service: Service, document: Callable[[], dict[str, Any]]) -> Blueprint:
    """The pages over *service*; *document* gives the OpenAPI document."""
    blueprint = Blueprint("pages", __name__, template_folder="templates")

    def show(page: str, title: str, **more: object) -> str:
        return render_template(f"{page}.html", page=page, title=title, **more)

    @blueprint.get("/")
    def workspace() -> str:
        """The run table and the charts of its runs."""
        return runs()

    @blueprint.get("/v/<id>")
    def saved(id: str) -> Response | str:
        """A page in a state that was saved under a short id."""
        view = service.state.view(id)
        if view.page == "workspace":
            return runs(view.state)
        if view.page == "run":
            return one(str(view.state.get("run", "")), view.state)
        title = view.name or _TITLES.get(view.page)
        if not title or view.page not in _TITLES:
            hint = "it was saved by another version of boardlake"
            raise UsageError(f"the view {id} is of a page that there is not", hint=hint)
        return show(view.page, title, view=view.state)

    def runs(view: dict[str, Any] | None = None) -> str:
        text = request.args.get("q", "")[:_MAX_FILTER]
        query = Query(text, _COLUMNS, limit=_FIRST_ROWS)
        columns: list[dict[str, str]] = []
        rows: list[dict[str, Any]] = []
        total, wrong = 0, ""
        try:
            with service.cursor() as con:
                table, total = history.find_page(con, query, service.names)
            columns = [one for one in answers.columns(table) if one["name"] != "run_key"]
            rows = [answers.plain(row) for row in table.to_pylist()]
        except UsageError as error:
            wrong = str(error)
        return show(
            "workspace", "Runs", q=text, columns=columns, rows=rows, total=total, wrong=wrong,
            view=view,
        )  # fmt: skip

    @blueprint.get("/run/<run_key>")
    def run(run_key: str) -> str:
        """One run."""
        return one(run_key)

    def one(run_key: str, view: dict[str, Any] | None = None) -> str:
        with service.cursor() as con:
            row = run_row(con, run_key)
            rest = parts(con, int(str(row["run_id"])))
        return show(
            "run", str(row["name"]), run=answers.plain(row), parts=answers.plain(rest), view=view
        )

    @blueprint.get("/compare")
    def compare() -> str:
        """Some runs side by side."""
        return show("compare", _TITLES["compare"])

    @blueprint.get("/media")
    def media() -> str:
        """What runs logged besides scalars, side by side."""
        return show("media", _TITLES["media"])

    @blueprint.get("/analyze")
    def analyze() -> str:
        """Plots of many runs at once: hyperparameters against metrics."""
        return show("analyze", _TITLES["analyze"])

    @blueprint.get("/sql")
    def sql() -> str:
        """Questions in SQL."""
        return show("sql", _TITLES["sql"])

    @blueprint.get("/sources")
    def sources() -> str:
        """Where runs come from, what goes wrong there, and how good the data is."""
        return show("sources", _TITLES["sources"])

    @blueprint.get("/api")
    def api() -> str:
        """The API's operations for people."""
        whole, base = apidoc.finish(document()), request.host_url.rstrip("/")
        refused = apidoc.refused(whole)
        return show(
            "api", "API", document=whole, base=base, refused=refused,
            groups=apidoc.operations(whole, base),
        )  # fmt: skip

    @blueprint.get("/openapi.json")
    def openapi() -> Response:
        """The API's OpenAPI 3.1 document."""
        return jsonify(apidoc.finish(document()))

    return blueprint

"""The JSON twin of every page: its address with `.json` behind it leads to the same in the API."""

from __future__ import annotations

from urllib.parse import urlencode

from flask import Blueprint, Response, jsonify, redirect, request
from werkzeug.wrappers import Response as Reply

from ..api import answers
from ..api.service import Service
from ..lake import history
from . import media_twin
from .brushes import narrowed

# What the workspace's address says, by what the API calls it.
_RUNS = {"q": "filter", "cols": "columns", "sort": "sort"}
_SQL = {"q": "query", "limit": "limit"}


def twins(service: Service) -> Blueprint:
    """The routes over *service*."""
    blueprint = Blueprint("twins", __name__)

    @blueprint.get("/index.json")
    @blueprint.get("/analyze.json")
    def index() -> Reply:
        """The runs, or groups of runs, of the address of a workspace or an analysis."""
        given = {name: request.args[key] for key, name in _RUNS.items() if key in request.args}
        flags = {"arch": "archived", "dup": "duplicates"}
        given |= {name: "true" for key, name in flags.items() if request.args.get(key) == "1"}
        if request.args.get("brush"):
            given["filter"] = narrowed(given.get("filter", ""), request.args["brush"])
        if request.args.get("group"):
            return _to("groups", given | {"group_by": request.args["group"]})
        return _to("runs", given)

    @blueprint.get("/run/<run_key>.json")
    def run(run_key: str) -> Reply:
        """One run in full."""
        return _to(f"runs/{run_key}", {})

    @blueprint.get("/compare.json")
    def compare() -> Reply:
        """Runs side by side; the page names them by key."""
        keys = [key for key in request.args.get("runs", "").split(",") if key]
        base = request.args.get("base", "")
        with service.cursor() as con:
            ids = {
                key: history.run_ids(con, [key])[0] for key in [*keys, *([base] if base else [])]
            }
        given = {"runs": ",".join(str(ids[key]) for key in keys)}
        return _to("compare", given | ({"baseline": str(ids[base])} if base else {}))

    @blueprint.get("/sql.<any(json,csv,parquet,arrow):form>")
    def sql(form: str) -> Reply:
        """The answer to the statement of an SQL page's address; without one, what could be asked."""
        if not request.args.get("q"):
            return _to("schema", {})
        given = {name: request.args[key] for key, name in _SQL.items() if key in request.args}
        return _to("sql", given | {"format": form})

    @blueprint.get("/media.json")
    def media() -> Response:
        """The tags of the runs of a media page's address, and all steps of images and sounds."""
        return jsonify(media_twin.shown(service, request.args))

    @blueprint.get("/v/<id>.json")
    def view(id: str) -> Response:
        """The state that a short link stands for."""
        found = service.state.view(id)
        return jsonify(answers.plain({"id": found.id, "page": found.page, "state": found.state}))

    @blueprint.get("/sources.json")
    def sources() -> Reply:
        """The sources and machines that the page begins with."""
        return _to("sources", {})

    @blueprint.get("/api.json")
    def api() -> Reply:
        """The API's document."""
        return redirect("/openapi.json")

    return blueprint


def _to(path: str, given: dict[str, str]) -> Reply:
    query = urlencode(given)
    return redirect(f"/api/v1/{path}" + (f"?{query}" if query else ""))

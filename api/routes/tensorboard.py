"""Selections of runs that TensorBoard is opened on."""

from __future__ import annotations

from flask import Response, jsonify, make_response
from flask_openapi3.blueprint import APIBlueprint

from ...core.errors import UsageError
from ..asked import TensorBoardAsked
from ..given import SelectionGiven
from ..service import Service
from ..tensorboard import selection as selections


def blueprint(service: Service) -> APIBlueprint:
    """The routes over *service*."""
    api = APIBlueprint("tensorboard_selections", __name__, url_prefix="/api/v1")

    @api.post("/tensorboard", responses={201: SelectionGiven})
    def select(body: TensorBoardAsked) -> Response:
        """Make a selection of runs for TensorBoard; the same one has the same id, and shows at `url`.

        A filter follows new runs. Of a list those are left out that are not in the lake; 404 where none
        is. At most 5,000 runs. Views of pages that show no runs are refused.
        """
        if body.view:
            if body.runs or body.filter.strip():
                raise UsageError("view: it says which runs; runs and filter cannot stand beside it")
            id, found = body.view, selections.find(service, body.view)
        else:
            found = selections.Selection(
                body.filter, tuple(dict.fromkeys(body.runs)), body.duplicates, body.archived
            )
            id = ""
        runs = len(selections.run_ids(service, found))
        id = id or selections.keep(service, found)
        return make_response(jsonify({"id": id, "url": f"/tb/{id}/", "runs": runs}), 201)

    return api

"""What people write: names, tags, notes and colours of runs, and saved views."""

from __future__ import annotations

from dataclasses import asdict

from flask import Response, jsonify, make_response
from flask_openapi3.blueprint import APIBlueprint

from .. import answers
from ..models import (
    Annotate,
    AnnotationsAsked,
    AnnotationTagsAsked,
    OneView,
    Saved,
    Taken,
    ViewSaved,
)
from ..service import Service


def blueprint(service: Service) -> APIBlueprint:
    """The routes over *service*."""
    api = APIBlueprint("notes", __name__, url_prefix="/api/v1")
    state = service.state

    @api.get("/annotations")
    def annotations(query: Taken) -> Response:
        """All that was written about runs."""
        return jsonify({"annotations": [asdict(one) for one in state.annotations()]})

    @api.post("/annotations")
    def annotations_of(body: AnnotationsAsked) -> Response:
        """What was written about some runs; runs without a word are left out."""
        found = state.annotations(list(dict.fromkeys(body.runs)))
        return jsonify({"annotations": [asdict(one) for one in found]})

    @api.get("/annotations/tags")
    def tags(query: AnnotationTagsAsked) -> Response:
        """The tags that people gave, and how many runs have each; the commonest first."""
        found = state.tag_counts(query.limit)
        return jsonify({"tags": [{"tag": tag, "runs": runs} for tag, runs in found]})

    @api.patch("/annotations")
    def annotate(body: Annotate) -> Response:
        """Change what is written about some runs: all of them or none."""
        changes = body.set.model_dump(exclude_none=True, exclude_unset=True)
        changed = state.annotate(
            body.runs, changes, add_tags=body.add_tags, remove_tags=body.remove_tags
        )
        return jsonify({"changed": changed})

    @api.get("/views")
    def views(query: Taken) -> Response:
        """The saved views, the newest first."""
        return jsonify({"views": [answers.plain(asdict(one)) for one in state.views()]})

    @api.post("/views", responses={201: Saved})
    def save(body: ViewSaved) -> Response:
        """Keep the state of a page under a short id."""
        return make_response(
            jsonify({"id": state.save_view(body.page, body.state, body.name)}), 201
        )

    @api.get("/views/<id>")
    def view(path: OneView, query: Taken) -> Response:
        """One view."""
        return jsonify(answers.plain(asdict(state.view(path.id))))

    @api.delete("/views/<id>", responses={204: None})
    def remove(path: OneView) -> Response:
        """Drop a view."""
        state.delete_view(path.id)
        return make_response("", 204)

    return api

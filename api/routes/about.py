"""What the service is: the lake, its size, its newest snapshot."""

from __future__ import annotations

from flask import Response, jsonify
from flask_openapi3.blueprint import APIBlueprint

from ... import __version__
from ...lake.overview import totals
from ..models import Taken
from ..service import Service


def blueprint(service: Service) -> APIBlueprint:
    """The routes over *service*."""
    api = APIBlueprint("about", __name__, url_prefix="/api/v1")

    @api.get("/info")
    def info(query: Taken) -> Response:
        """The lake in a few numbers."""
        with service.cursor() as con:
            runs, points = totals(con)
        location = service.readers.lake.location
        return jsonify(
            {
                "version": __version__, "lake": str(location.root), "lake_id": location.identity(),
                "snapshot": service.readers.snapshot(), "runs": runs, "points": points,
            }
        )  # fmt: skip

    return api

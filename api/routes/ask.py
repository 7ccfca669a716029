"""The questions of the Python API over HTTP: JSON in, an Arrow stream out."""

from __future__ import annotations

from flask import Response, make_response
from flask_openapi3.blueprint import APIBlueprint

from .. import answers
from ..questions import Best, History, Hparams, Importance, Keys, Question, Runs, Series, Tags
from ..service import Service

_ARROW = {"content": {answers.MIME["arrow"]: {"schema": {"type": "string", "format": "binary"}}}}


def blueprint(service: Service) -> APIBlueprint:
    """The routes over *service*."""
    api = APIBlueprint("ask", __name__, url_prefix="/api/v1/ask", abp_responses={"200": _ARROW})

    def answer(question: Question) -> Response:
        with service.cursor() as con:
            table = question.ask(con, service.names)
        response = make_response(answers.write(table, "arrow"))
        response.content_type = answers.MIME["arrow"]
        return response

    @api.post("/runs")
    def runs(body: Runs) -> Response:
        """The runs that match a filter, or groups of them."""
        return answer(body)

    @api.post("/keys")
    def keys(body: Keys) -> Response:
        """What the runs are called that a filter or a list of run_ids, run_keys and names means."""
        return answer(body)

    @api.post("/history")
    def history(body: History) -> Response:
        """Every point of some tags in some runs, unsampled."""
        return answer(body)

    @api.post("/series")
    def series(body: Series) -> Response:
        """The series of some runs with their aggregates."""
        return answer(body)

    @api.post("/hparams")
    def hparams(body: Hparams) -> Response:
        """The hyperparameters of some runs with their origins."""
        return answer(body)

    @api.post("/best")
    def best(body: Best) -> Response:
        """The best run of each group."""
        return answer(body)

    @api.post("/importance")
    def importance(body: Importance) -> Response:
        """Which hyperparameters a number depends on."""
        return answer(body)

    @api.post("/tags")
    def tags(body: Tags) -> Response:
        """All tags."""
        return answer(body)

    return api

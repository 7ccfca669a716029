"""Which hyperparameters a number of the runs depends on."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from typing import Any

from flask import Response, jsonify
from flask_openapi3.blueprint import APIBlueprint

from ...lake.factors import factors
from ...lake.search import Query
from .. import answers
from ..compared import Importance, ImportanceAsked
from ..gone import unless_gone
from ..importance import BUSY, importance
from ..service import Service

_KEPT = 16


def blueprint(service: Service) -> APIBlueprint:
    """The routes over *service*."""
    api = APIBlueprint("importance", __name__, url_prefix="/api/v1")
    kept: OrderedDict[tuple[str, str], dict[str, Any]] = OrderedDict()
    keeping = threading.Lock()

    @api.post("/importance", responses={200: Importance})
    def weigh(body: ImportanceAsked) -> Response:
        """How a number goes with each hyperparameter that has more than one value.

        `rank_correlation` is Spearman's for numbers; for texts it is the square root of eta squared
        of the Kruskal-Wallis statistic, from 0 to 1. `importance` is what of the variance of the
        target's ranks a hyperparameter has a hand in: half of what R squared loses, on runs that a
        random forest has not seen, when the hyperparameter is shuffled among them. It needs
        scikit-learn and ten runs; `method` says whether it is there. The same question has the same
        answer. `left_out` runs have no finite target.
        """
        key = (service.version(), body.model_dump_json())
        with keeping:
            found = kept.get(key)
        if found is None:
            began = time.perf_counter()
            query = Query(body.filter, duplicates=body.duplicates, archived=body.archived)
            with service.cursor() as con:
                read = factors(
                    con, query, body.target, service.names, runs=body.runs, hparams=body.hparams
                )
            found = {"target": body.target, **importance(read, body.method, unless_gone())}
            found["seconds"] = round(time.perf_counter() - began, 3)
            # What has another answer at another moment is not kept.
            passing = BUSY in found["note"] or "now" in f"{body.filter} {body.target}".lower()
            with keeping:
                if not passing:
                    kept[key] = found
                while len(kept) > _KEPT:
                    kept.popitem(last=False)
        return jsonify(answers.plain(found))

    return api

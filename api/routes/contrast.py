"""Runs side by side: hyperparameters of some runs, and all in which runs may differ."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
from flask import Response, jsonify
from flask_openapi3.blueprint import APIBlueprint

from ...core.errors import UsageError
from ...lake import contrast, history
from ...lake.fields import hparam_expression
from .. import answers, chosen, given
from ..asked import CompareAsked, HparamsAsked
from ..service import Service

_MAX_RUNS = 2_000
_ABOUT = ("run_id", "run_key", "name", "project", "machine", "state", "created_at", "last_event_at")


def blueprint(service: Service) -> APIBlueprint:
    """The routes over *service*."""
    api = APIBlueprint("contrast", __name__, url_prefix="/api/v1")

    @api.get("/hparams", responses={200: given.HparamTable})
    def hparams(query: HparamsAsked) -> Response:
        """Hyperparameters of some runs by name, with what every origin says if asked for."""
        with service.cursor() as con:
            ids = chosen.run_ids(con, query, service.names, _MAX_RUNS)
            runs = contrast.fields(con, ids)
            table = history.hparams(con, ids, origins=query.origins)
        return jsonify(
            answers.plain(
                {"hparams": _hparams(table, ids, query.origins), "runs": _about(runs, service)}
            )
        )

    @api.get("/compare", responses={200: given.Comparison})
    def compare(query: CompareAsked) -> Response:
        """Fields, hyperparameters and metrics of runs, and in which of them they differ."""
        ids = list(dict.fromkeys(query.runs))
        if query.baseline is not None and query.baseline not in ids:
            message = f"baseline: run {query.baseline} is not one of the runs"
            raise UsageError(message, hint="name one of those in runs")
        with service.cursor() as con:
            runs = contrast.fields(con, ids)
            hparams = history.hparams(con, ids)
            total, metrics = contrast.metrics(con, ids, query.stat)
        base = None if query.baseline is None else ids.index(query.baseline)
        columns = {name: runs[name].to_pylist() for name in contrast.SHOWN}
        return jsonify(
            answers.plain({
                "runs": _about(runs, service),
                "baseline": query.baseline,
                "stat": query.stat,
                "fields": [
                    {"name": name, "differs": _differ(values), "values": values}
                    for name, values in columns.items()
                ],
                "hparams": _hparams(hparams, ids, False),
                "metrics": [_metric(one, base) for one in metrics],
                "metrics_total": total,
            })
        )  # fmt: skip

    return api


def _about(runs: pa.Table, service: Service) -> list[dict[str, Any]]:
    """Which runs they are, and what people call them."""
    notes = {one.run_key: one for one in service.state.annotations(runs["run_key"].to_pylist())}
    rows: list[dict[str, Any]] = runs.select(_ABOUT).to_pylist()
    for row in rows:
        note = notes.get(row["run_key"])
        row["label"] = (note and note.name) or row["name"]
        row["colour"] = note.colour if note else ""
        row["tags"] = list(note.tags) if note else []
    return rows


def _hparams(table: pa.Table, ids: Sequence[int], origins: bool) -> list[dict[str, Any]]:
    """Each name with its values in the order of *ids*; the first origin of a run decides."""
    places = {run_id: at for at, run_id in enumerate(ids)}
    by_name: dict[str, list[list[dict[str, Any]]]] = {}
    for row in table.to_pylist():
        cells = by_name.setdefault(row["name"], [[] for _ in ids])
        cells[places[row["run_id"]]].append(row)
    found = []
    for name in sorted(by_name):
        cells = by_name[name]
        firsts = [cell[0] if cell else None for cell in cells]
        shown = [row for row in firsts if row is not None and row["type"] != "null"]
        numeric = bool(shown) and all(_is_number(row) for row in shown)
        values = [None if row is None else _value(row, numeric) for row in firsts]
        every = [
            [{"origin": row["origin"], "value": _value(row, _is_number(row))} for row in cell]
            for cell in cells
        ]
        found.append({
            "name": name, "expr": hparam_expression(name), "differs": _differ(values),
            "numeric": numeric, "values": values, "origins": every if origins else None,
        })  # fmt: skip
    return found


def _is_number(row: dict[str, Any]) -> bool:
    return row["number"] is not None and row["type"] != "bool"


def _value(row: dict[str, Any], numeric: bool) -> object:
    if row["type"] == "null":
        return None
    if row["type"] == "bool" and row["number"] is not None:
        return bool(row["number"])
    if not numeric:
        return row["value"]
    number = row["number"]
    return int(number) if row["type"] == "int" and math.isfinite(number) else number


def _metric(one: contrast.Metric, base: int | None) -> dict[str, Any]:
    deltas = relative = None
    if base is not None:
        against = one.values[base]
        deltas = [
            None if value is None or against is None else value - against for value in one.values
        ]
        relative = [None if d is None or not against else d / abs(against) for d in deltas]
    return {
        "tag": one.tag, "stream": one.stream, "differs": _differ(one.values),
        "values": one.values, "steps": one.steps, "deltas": deltas, "relative": relative,
    }  # fmt: skip


def _differ(values: Sequence[object]) -> bool:
    """Whether there are two that differ; NaN is like NaN, and missing is a value of its own."""
    return len({"NaN" if one != one else (isinstance(one, bool), one) for one in values}) > 1

"""Histograms, texts and PR curves of one series."""

from __future__ import annotations

from typing import Any

import numpy as np
from flask import Response, jsonify
from flask_openapi3.blueprint import APIBlueprint

from ...lake import tensors
from .. import answers, given, markdown
from ..asked import HistogramsAsked, OneSeries, PrCurvesAsked, TextsAsked
from ..service import Service

# Of all texts of one answer: what is rendered, and what is given at all.
_RENDERED = 400_000
_GIVEN = 4_000_000


def blueprint(service: Service) -> APIBlueprint:
    """The routes over *service*."""
    api = APIBlueprint("tensors", __name__, url_prefix="/api/v1")

    @api.get("/histograms", responses={200: given.Histograms})
    def histograms(query: HistogramsAsked) -> Response:
        """Histograms by step, thinned evenly where there are more than `most`."""
        with service.cursor() as con:
            total, table = tensors.histograms(
                con, query.run, query.tag, query.stream, most=query.most, step=query.step
            )
        lists = {name: table[name].to_pylist() for name in ("left", "right", "count")}
        return _answer(query, table, {"total": total}, lists)

    @api.get("/texts", responses={200: given.Texts})
    def texts(query: TextsAsked) -> Response:
        """All steps, and the last texts or the one nearest `step`, as written and as safe HTML."""
        with service.cursor() as con:
            steps, table = tensors.texts(
                con, query.run, query.tag, query.stream, most=query.most, step=query.step
            )
        shown = _texts(table.to_pylist())
        return jsonify({"tag": query.tag, "stream": query.stream, "steps": steps, "texts": shown})

    @api.get("/pr_curves", responses={200: given.PrCurves})
    def pr_curves(query: PrCurvesAsked) -> Response:
        """PR curves by step, up to the last threshold at which anything is positive."""
        with service.cursor() as con:
            total, table = tensors.pr_curves(
                con, query.run, query.tag, query.stream, most=query.most
            )
        curves = [_curve(row) for row in table.to_pylist()]
        names = ("precision", "recall", "thresholds", "tp", "fp", "tn", "fn")
        lists = {name: [curve[name] for curve in curves] for name in names}
        return _answer(query, table, {"total": total}, lists)

    return api


def _answer(
    asked: OneSeries, table: Any, more: dict[str, Any], lists: dict[str, list[Any]]
) -> Response:
    whose = {"tag": asked.tag, "stream": asked.stream}
    steps = {"steps": table["step"].to_pylist(), "wall_times": table["wall_time"].to_pylist()}
    return jsonify(answers.plain(whose | more | steps | lists))


def _texts(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The texts of an answer, the newest of them whole as long as there is room."""
    left, rendered = _GIVEN, _RENDERED
    shown = []
    for row in reversed(rows):
        text = _joined(row["strings"], row["shape"])
        cut = row["cut"] or len(text) > left
        text = text[:left]
        size = sum(map(len, row["strings"]))
        if size <= min(left, rendered):
            html = markdown.render_array(row["strings"], row["shape"])
        else:
            html = markdown.unrendered(text)
        left, rendered = left - len(text), rendered - size
        shown.append(
            answers.plain({
                "step": row["step"], "wall_time": row["wall_time"], "text": text, "html": html,
                "truncated": cut,
            })
        )  # fmt: skip
    return shown[::-1]


def _joined(strings: list[str], shape: list[int] | None) -> str:
    """A table as lines of cells with tabs between them."""
    columns = shape[-1] if shape and len(shape) > 1 else 1
    if columns <= 1:
        return "\n".join(strings)
    lines = (strings[at : at + columns] for at in range(0, len(strings), columns))
    return "\n".join("\t".join(line) for line in lines)


def _curve(row: dict[str, Any]) -> dict[str, Any]:
    """A PR curve as TensorBoard shows it: without the end at which nothing is positive."""
    tp, fp = (np.trunc(np.nan_to_num(np.array(row[name]))) for name in ("tp", "fp"))
    positive = np.flatnonzero(tp + fp)
    end = int(positive[-1]) + 1 if len(positive) else 1
    thresholds = np.linspace(0.0, 1.0, row["n"])[np.array(row["chosen"]) - 1]
    names = ("tp", "fp", "tn", "fn", "precision", "recall")
    return {"thresholds": thresholds[:end].tolist()} | {name: row[name][:end] for name in names}

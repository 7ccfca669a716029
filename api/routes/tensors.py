"""Histograms, texts and PR curves of one series, in one run or in several."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from flask import Response, jsonify
from flask_openapi3.blueprint import APIBlueprint

from ...lake import across, detail, tensors, text_search
from .. import answers, chosen, given, markdown, several
from ..asked import HistogramsAsked, Listed, OneSeries, PrCurvesAsked, TextsAsked
from ..service import Service

# Of all texts of one answer: what is rendered, and what is given at all.
_RENDERED = 400_000
_GIVEN = 4_000_000
_BUCKETS = ("left", "right", "count")
_CURVE = ("precision", "recall", "thresholds", "tp", "fp", "tn", "fn")


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
        return _answer(query, table, {"total": total}, _lists(table, _BUCKETS))

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
        return _answer(query, table, {"total": total}, _curves(table))

    @api.post("/histograms", responses={200: several.HistogramsGiven})
    def histograms_of_runs(body: several.HistogramsOfRuns) -> Response:
        """Histograms of one series in several runs, thinned evenly or those nearest `step`."""
        with service.cursor() as con:
            found = across.histograms(
                con, body.runs, body.tag, body.stream, most=body.most, step=body.step,
                fine=body.fine,
            )  # fmt: skip
        return _several(body, [_of_run(one) | _lists(one.rows, _BUCKETS) for one in found])

    @api.post("/pr_curves", responses={200: several.PrCurvesGiven})
    def pr_curves_of_runs(body: several.PrCurvesOfRuns) -> Response:
        """PR curves of one series in several runs, thinned evenly or those nearest `step`."""
        with service.cursor() as con:
            found = across.pr_curves(
                con, body.runs, body.tag, body.stream, most=body.most, thresholds=body.thresholds,
                step=body.step,
            )  # fmt: skip
        return _several(body, [_of_run(one) | _curves(one.rows) for one in found])

    @api.post("/texts", responses={200: several.TextsGiven})
    def texts_of_runs(body: several.TextsOfRuns) -> Response:
        """The last text of each of several runs, or that nearest `step`, as written and as HTML."""
        with service.cursor() as con:
            found = across.texts(con, body.runs, body.tag, body.stream, step=body.step)
        # The first runs have their texts rendered as long as there is room.
        rows = [row for one in found for row in one.rows.to_pylist()]
        shown = iter(_texts(rows[::-1])[::-1])
        texts = [
            {"run_key": one.run_key, "total": one.total, "all_steps": one.steps}
            | {"text": next(shown) if one.rows.num_rows else None}
            for one in found
        ]
        return _several(body, texts)

    @api.post("/texts/search", responses={200: several.TextsFound})
    def search_texts(body: several.TextsSearched) -> Response:
        """Texts that match, by run, tag, stream and step, with what stands around the first place.

        Ten seconds are searched at most.
        """
        with service.cursor() as con:
            ids = detail.run_ids(con, body.runs)
            asked = Listed.model_construct(
                runs=ids, filter=body.filter, duplicates=body.duplicates, archived=body.archived
            )
            ids = chosen.run_ids(con, asked, service.names)
            total, hits = text_search.search(
                con, body.query, ids, regex=body.regex, tags=body.tags, limit=body.limit
            )
            names = detail.named(con, sorted({hit.run_id for hit in hits}))
        keys = [key for key, _ in names.values()]
        notes = {one.run_key: one.name for one in service.state.annotations(keys)}
        found = []
        for hit in hits:
            if hit.run_id not in names:
                continue  # deleted meanwhile
            key, name = names[hit.run_id]
            row = asdict(hit)
            del row["run_id"]
            found.append({"run_key": key, "run": notes.get(key) or name} | row)
        more = {"total": total, "truncated": total > len(hits), "searched": len(ids)}
        return jsonify(answers.plain(more | {"hits": found}))

    return api


def _several(asked: several.SeveralAsked, runs: list[dict[str, Any]]) -> Response:
    return jsonify({"tag": asked.tag, "stream": asked.stream, "runs": runs})


def _of_run(one: across.Series) -> dict[str, Any]:
    whose = {"run_key": one.run_key, "total": one.total, "all_steps": one.steps}
    walls = answers.plain(one.rows["wall_time"].to_pylist())
    return whose | {"steps": one.rows["step"].to_pylist(), "wall_times": walls}


def _lists(table: Any, names: tuple[str, ...]) -> dict[str, list[Any]]:
    return {name: _numbers(table[name]) for name in names}


def _numbers(column: pa.ChunkedArray) -> list[Any]:
    """Lists of numbers as JSON has them; those of a million numbers are looked at all at once."""
    lists = column.to_pylist()
    finite = pc.all(pc.is_finite(pc.list_flatten(column)), min_count=0).as_py()
    return lists if finite else [answers.plain(one) for one in lists]


def _curves(table: Any) -> dict[str, list[Any]]:
    curves = [_curve(row) for row in table.to_pylist()]
    return {name: answers.plain([curve[name] for curve in curves]) for name in _CURVE}


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

"""Scalars of many runs for a card of a dashboard: JSON made by column, for as objects it takes ten times as long."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from tensorboard import errors, plugin_util
from tensorboard.backend import http_util, json_util
from tensorboard.data import provider as tb
from tensorboard.plugins.metrics.metrics_plugin import MetricsPlugin
from tensorboard.plugins.scalar.scalars_plugin import ScalarsPlugin
from werkzeug import wrappers
from werkzeug.exceptions import MethodNotAllowed

from .provider import LakeProvider, index_of, wanted

# What stands before, between and behind the numbers of a point: wall time, step, value.
_OBJECT = ('{"wallTime": ', ', "step": ', ', "value": ', "}")
_LIST = ("[", ", ", ", ", "]")
_SCALARS = "scalars"
_LEAST_BYTES = 1_024
# Characters of an answer: the page asks for one card at a time, which has some MB.
_MOST = 100_000_000


class TimeSeries(MetricsPlugin):  # type: ignore[misc]
    """The plugin of Time Series; cards of scalars are answered by column."""

    @wrappers.Request.application  # type: ignore[arg-type]
    def _serve_time_series(self, request: Any) -> Any:
        given = request.form if request.method == "POST" else request.args
        asked = _parsed(given.get("requests"))
        ctx = plugin_util.context(request.environ)
        experiment = plugin_util.experiment_id(request.environ)
        texts, size = list[str](), 0
        for one in asked:
            texts.append(self._card(ctx, experiment, one))
            size += len(texts[-1])
            if size > _MOST:
                raise errors.InvalidArgumentError("'requests' has too many cards: ask for fewer")
        return _answer(request, f"[{', '.join(texts)}]")

    def _card(self, ctx: Any, experiment: str, asked: dict[str, Any]) -> str:
        if asked.get("plugin") != _SCALARS or self._get_invalid_request_error(asked):
            return _json(self._get_time_series(ctx, experiment, asked))
        runs = [str(asked["run"])] if asked.get("run") else None
        most = self._plugin_downsampling[_SCALARS]
        found = _curves(self._data_provider, ctx, asked["tag"], runs, most, _OBJECT)
        return f'{_json(self._create_base_response(asked))[:-1]}, "runToSeries": {found}}}'


class Scalars(ScalarsPlugin):  # type: ignore[misc]
    """The plugin of Scalars; what many runs have of a tag is answered by column."""

    @wrappers.Request.application  # type: ignore[arg-type]
    def scalars_multirun_route(self, request: Any) -> Any:
        """The curves of a tag by run."""
        if request.method != "POST":
            raise MethodNotAllowed(["POST"])
        tags, runs = request.form.getlist("tag"), request.form.getlist("runs")
        if len(tags) != 1:
            raise errors.InvalidArgumentError("tag must be specified exactly once")
        ctx = plugin_util.context(request.environ)
        found = _curves(self._data_provider, ctx, tags[0], runs, self._downsample_to, _LIST)
        return _answer(request, found)


def _curves(
    provider: LakeProvider, ctx: Any, tag: str, runs: list[str] | None, most: int,
    around: tuple[str, ...],
) -> str:  # fmt: skip
    """A JSON object of the points of a tag by run; numbers as TensorBoard writes them."""
    index = index_of(ctx)
    given = tb.RunTagFilter(runs=runs, tags=[tag])
    found, parts = provider.points(
        index, "scalar_points", wanted(index, _SCALARS, given, "scalar"), most
    )
    if not parts:
        return "{}"
    before, between, then, behind = around
    points = pc.binary_join_element_wise(
        before, _numbers(found["wall_time"]), between, pc.cast(found["step"], pa.string()),
        then, _numbers(found["value"]), behind, "",
    ).combine_chunks()  # fmt: skip
    texts = []
    for one, begin, end in parts:
        curve = pa.ListArray.from_arrays(
            pa.array([0, end - begin]), points.slice(begin, end - begin)
        )
        texts.append(f"{json.dumps(one.run)}: [{pc.binary_join(curve, ', ')[0].as_py()}]")
    return f"{{{', '.join(texts)}}}"


def _numbers(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Floats as JSON; what is none there is text, as TensorBoard has it."""
    text = pc.cast(column, pa.string())
    if pc.all(pc.is_finite(column)).as_py() in (True, None) and not column.null_count:
        return text
    endless = pc.if_else(pc.greater(column, 0.0), '"Infinity"', '"-Infinity"')
    odd = pc.if_else(pc.is_nan(column), '"NaN"', endless)
    return pc.fill_null(pc.if_else(pc.is_finite(column), text, odd), "null")


def _parsed(text: str | None) -> list[dict[str, Any]]:
    """The requests for cards; raises InvalidArgumentError where they are none."""
    if not text:
        raise errors.InvalidArgumentError("Missing 'requests' field")
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, list) or not all(_is_request(one) for one in found):
        raise errors.InvalidArgumentError("Unable to parse 'requests' as JSON: a list of objects")
    return found


def _is_request(value: Any) -> bool:
    plain = (str, int, float, type(None))
    return isinstance(value, dict) and all(isinstance(one, plain) for one in value.values())


def _json(value: Any) -> str:
    return json.dumps(json_util.Cleanse(value, "utf-8"))


def _answer(request: Any, text: str) -> Any:
    body, encoding = text.encode(), None
    if len(body) >= _LEAST_BYTES and "gzip" in request.headers.get("Accept-Encoding", ""):
        body, encoding = gzip.compress(body, 1), "gzip"
    return http_util.Respond(request, body, "application/json", content_encoding=encoding)

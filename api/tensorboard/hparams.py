"""Sessions for the hparams dashboard, made of all that the lake knows: one for each run."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from google.protobuf.message import DecodeError
from tensorboard.data import provider as tb
from tensorboard.plugins.hparams import api_pb2, error, metadata, plugin_data_pb2

from ...lake.dashboard import sessions
from .index import Index, Run, Series
from .names import series_run
from .provider import Found, LakeProvider, index_of, last

# TensorBoard draws a column for each.
MAX_NAMES = 300
_MAX_TEXT = 1_000
# SummaryWriter.add_hparams writes its metrics below the run, into a directory named by the time.
_TIMED = re.compile(r"(?:(.*)/)?\d{9,10}(?:\.\d{1,9})?")
# Lightning logs it where there is no metric.
_PLACEHOLDER = ("hp_metric", -1.0)
_STATUS = {
    "running": api_pb2.STATUS_RUNNING,
    "finished": api_pb2.STATUS_SUCCESS,
    "failed": api_pb2.STATUS_FAILURE,
}


class SessionProvider(LakeProvider):
    """What the hparams plugin alone is told: sessions, and the metrics that belong to them."""

    def list_tensors(
        self, ctx: Any = None, *, experiment_id: str, plugin_name: str, run_tag_filter: Any = None
    ) -> Found[Any]:
        """The start and the end of each session, in the content of their series.

        The tag of an experiment is never there: TensorBoard would take the columns of one of several
        experiments for those of all; without it they come from the sessions.
        """
        if plugin_name != metadata.PLUGIN_NAME:
            return super().list_tensors(
                ctx, experiment_id=experiment_id, plugin_name=plugin_name,
                run_tag_filter=run_tag_filter,
            )  # fmt: skip
        runs, tags = _asked(run_tag_filter)
        found: Found[Any] = {}
        for name, contents in _sessions(index_of(ctx)).items():
            if runs is None or name in runs:
                kept = {
                    tag: _series(c) for tag, c in contents.items() if tags is None or tag in tags
                }
                found |= {name: kept} if kept else {}
        return found

    def list_scalars(
        self, ctx: Any = None, *, experiment_id: str, plugin_name: str, run_tag_filter: Any = None
    ) -> Found[Any]:
        """The metrics of each session."""
        runs, tags = _asked(run_tag_filter)
        return {
            run: {
                tag: tb.ScalarTimeSeries(
                    max_step=one.last_step, max_wall_time=one.last_wall_time,
                    plugin_content=one.content, description=one.description,
                    display_name=one.display_name,
                )
                for tag, one in of_run.items()
                if tags is None or tag in tags
            }
            for run, of_run in _metrics(index_of(ctx)).items()
            if runs is None or run in runs
        }  # fmt: skip

    def read_scalars(
        self, ctx: Any = None, *, experiment_id: str, plugin_name: str, downsample: int | None = None,
        run_tag_filter: Any = None,
    ) -> Found[list[Any]]:  # fmt: skip
        """Points of the metrics, which may lie in another run than their session."""
        index = index_of(ctx)
        runs, tags = _asked(run_tag_filter)
        wanted = {
            one: run
            for run, of_run in _metrics(index).items()
            for tag, one in of_run.items()
            if (runs is None or run in runs) and (tags is None or tag in tags)
        }
        found: Found[list[Any]] = {}
        for one, rows in self._rows(index, "scalar_points", wanted, downsample):
            points = [tb.ScalarDatum(*row) for row in rows]
            found.setdefault(wanted[one], {})[one.tag] = points
        return found

    def read_last_scalars(
        self, ctx: Any = None, *, experiment_id: str, plugin_name: str, run_tag_filter: Any = None
    ) -> Found[Any]:
        """The last value of each metric."""
        runs, tags = _asked(run_tag_filter)
        return {
            run: {tag: last(one) for tag, one in of_run.items() if tags is None or tag in tags}
            for run, of_run in _metrics(index_of(ctx)).items()
            if runs is None or run in runs
        }


def _asked(given: Any) -> tuple[Any, Any]:
    return (None, None) if given is None else (given.runs, given.tags)


def _series(content: bytes) -> Any:
    return tb.TensorTimeSeries(
        max_step=0, max_wall_time=0.0, plugin_content=content, description="", display_name=""
    )


def _sessions(index: Index) -> dict[str, dict[str, bytes]]:
    """For each run with hyperparameters the contents of its start and its end, by tag."""
    return index.once("sessions", _made_sessions)


def _made_sessions(index: Index) -> dict[str, dict[str, bytes]]:
    with index.service.cursor() as con:
        table = sessions.hparams(con, index.run_ids, MAX_NAMES)
    runs = {run.run_id: run for run in index.runs}
    rows = zip(*(column.to_pylist() for column in table.columns), strict=True)
    logged = _logged(index)
    found = {}
    for run_id, of_run in groupby(rows, lambda row: row[0]):
        run = runs[run_id]
        named = ((name, *rest) for _, name, *rest in of_run)
        found[run.name] = _session(run, named, *logged.get(run_id, _NOTHING))
    _ungroup([start for start, _ in found.values()])
    return {name: _contents(start, end) for name, (start, end) in found.items()}


def _logged(index: Index) -> dict[int, tuple[Any, Any]]:
    """What event files say of a run's session: its start and its end, of the run itself before streams."""
    found: dict[int, list[Any]] = {}
    for one in sorted(index.series("hparams"), key=lambda one: one.stream):
        at = _PARSERS.get(one.tag)
        if at is None:
            continue
        number, parse = at
        told = found.setdefault(one.run_id, list(_NOTHING))
        try:
            if told[number] is _NOTHING[number]:
                told[number] = parse(one.content)
        except (DecodeError, error.HParamsError):
            continue
    return {run_id: (start, end) for run_id, (start, end) in found.items()}


_NOTHING = plugin_data_pb2.SessionStartInfo(), plugin_data_pb2.SessionEndInfo()
_PARSERS = {
    metadata.SESSION_START_INFO_TAG: (0, metadata.parse_session_start_info_plugin_data),
    metadata.SESSION_END_INFO_TAG: (1, metadata.parse_session_end_info_plugin_data),
}


def _session(run: Run, rows: Iterator[tuple[Any, ...]], begun: Any, ended: Any) -> tuple[Any, Any]:
    """The start and the end of a session."""
    start = plugin_data_pb2.SessionStartInfo(
        start_time_secs=begun.start_time_secs or run.started or 0.0,
        # Sessions of one name are one row of the table, with their metrics' mean.
        group_name=begun.group_name,
    )
    for name, kind, text, number in rows:
        value = start.hparams[name]
        if kind == "bool":
            value.bool_value = bool(number)
        elif kind in ("int", "float") and number is not None and math.isfinite(number):
            value.number_value = number
        else:
            value.string_value = (text or "")[:_MAX_TEXT]
    status = _STATUS.get(run.state, api_pb2.STATUS_UNKNOWN)
    # Success is claimed at the start by most writers, failure by nobody without a reason.
    if ended.status == api_pb2.STATUS_FAILURE:
        status = api_pb2.STATUS_FAILURE
    end = plugin_data_pb2.SessionEndInfo(
        status=status, end_time_secs=ended.end_time_secs or run.ended or 0.0
    )
    return start, end


def _ungroup(starts: Sequence[Any]) -> None:
    """Leave in groups what has the same values: a row of the table shows those of one session."""
    groups: dict[str, list[Any]] = {}
    for start in starts:
        groups.setdefault(start.group_name, []).append(start)
    for members in groups.values():
        values = [
            {name: value.SerializeToString() for name, value in one.hparams.items()}
            for one in members
        ]
        if any(one != values[0] for one in values):
            for one in members:
                one.group_name = ""


def _contents(start: Any, end: Any) -> dict[str, bytes]:
    parts = {
        metadata.SESSION_START_INFO_TAG: plugin_data_pb2.HParamsPluginData(
            session_start_info=start
        ),
        metadata.SESSION_END_INFO_TAG: plugin_data_pb2.HParamsPluginData(session_end_info=end),
    }
    return {tag: part.SerializeToString() for tag, part in parts.items()}


def _metrics(index: Index) -> Found[Series]:
    """The scalar series by the run whose metrics they are: those of add_hparams are the run's own."""
    return index.once("metrics", _made_metrics)


def _made_metrics(index: Index) -> Found[Series]:
    made: Found[Series] = {}
    late: list[tuple[str, Series]] = []
    names = {run.run_id: run.name for run in index.runs}
    for one in index.series("scalars"):
        timed = _TIMED.fullmatch(one.stream)
        if timed:
            late.append((series_run(names[one.run_id], timed[1] or ""), one))
        elif (one.tag, one.last) != _PLACEHOLDER:
            made.setdefault(one.run, {})[one.tag] = one
    # Of several calls the last; what the run itself logged under the tag comes first.
    for run, one in sorted(late, key=lambda pair: pair[1].stream, reverse=True):
        if (one.tag, one.last) != _PLACEHOLDER:
            made.setdefault(run, {}).setdefault(one.tag, one)
    return made

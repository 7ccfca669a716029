"""Runs side by side: their fields, and the statistics of their series; points are never read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import duckdb
import numpy as np
import pyarrow as pa

from . import ask
from .detail import NoSuchRun
from .fields import FIELDS
from .history import among

Stat = Literal["last", "first", "min", "max", "mean"]
MAX_METRICS = 5_000
SHOWN = tuple(
    name for name in FIELDS if name not in ("run_id", "run_key", "name", "locations")
)  # fmt: skip
_STEPS = {"last": "last_step", "first": "first_step", "min": "min_step", "max": "max_step"}


@dataclass(frozen=True)
class Metric:
    """A statistic of one series in each run, and its step; None where a run has no such series."""

    tag: str
    stream: str
    values: list[float | None]
    steps: list[int | None]


def fields(con: duckdb.DuckDBPyConnection, run_ids: Sequence[int]) -> pa.Table:
    """The row of each run in the order of *run_ids*: run_id, run_key, name and the SHOWN fields.

    Raises NoSuchRun.
    """
    params: dict[str, object] = {}
    columns = ", ".join(f"r.{name}" for name in ("run_id", "run_key", "name", *SHOWN))
    sql = f"SELECT {columns} FROM runs r WHERE {among(run_ids, 'r.run_id', params)}"
    table = ask.read(con, lambda: con.execute(sql, params or None).to_arrow_table())
    places = {run_id: at for at, run_id in enumerate(table["run_id"].to_pylist())}
    missing = [run_id for run_id in run_ids if run_id not in places]
    if missing:
        hint = "it may have been deleted; `runs` lists what there is"
        raise NoSuchRun(f"there is no run with run_id {missing[0]}", hint=hint)
    return table.take(pa.array([places[run_id] for run_id in run_ids], pa.int64()))


def metrics(
    con: duckdb.DuckDBPyConnection, run_ids: Sequence[int], stat: Stat
) -> tuple[int, list[Metric]]:
    """How many scalar series the runs have together, and the first MAX_METRICS by tag and stream.

    Values are aligned with *run_ids*; *stat* mean has no steps.
    """
    params: dict[str, object] = {"most": MAX_METRICS}
    step = _STEPS.get(stat, "NULL::BIGINT")
    sql = f"""
        WITH s AS MATERIALIZED (
            SELECT run_id, tag, stream, "{stat}" AS value, {step} AS step,
                   dense_rank() OVER (ORDER BY tag, stream) - 1 AS place
            FROM series WHERE kind = 'scalar' AND {among(run_ids, "run_id", params)}
        )
        SELECT *, (SELECT coalesce(max(place) + 1, 0) FROM s) AS total FROM s WHERE place < $most
    """
    table = ask.read(con, lambda: con.execute(sql, params).to_arrow_table())
    if not table.num_rows:
        return 0, []
    at = table["place"].to_numpy()
    place = {run_id: number for number, run_id in enumerate(run_ids)}
    runs = np.array([place[run_id] for run_id in table["run_id"].to_pylist()])
    shape = int(at.max()) + 1, len(run_ids)
    values, steps = np.full(shape, None), np.full(shape, None)
    values[at, runs] = _objects(table["value"])
    steps[at, runs] = _objects(table["step"])
    names: list[Any] = [("", "")] * shape[0]
    for number, *name in zip(
        at.tolist(), table["tag"].to_pylist(), table["stream"].to_pylist(), strict=True
    ):
        names[number] = name
    found = [
        Metric(tag, stream, row.tolist(), row_steps.tolist())
        for (tag, stream), row, row_steps in zip(names, values, steps, strict=True)
    ]
    return int(table["total"][0].as_py()), found


def _objects(column: pa.ChunkedArray) -> Any:
    # NaN is a value and NULL is none: as floats they would be the same.
    return np.array(column.to_pylist(), dtype=object)

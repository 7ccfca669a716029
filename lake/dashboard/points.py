"""Values of some series at no more than so many steps each, first and last among them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from .. import ask
from ..history import among

Table = Literal["scalar_points", "tensors", "blobs"]
_COLUMNS: dict[Table, str] = {
    "scalar_points": "value",
    "tensors": "dtype, shape, data, strings, raw",
    "blobs": "plugin, idx, width, height, file_id, record",
}
_OWNER = ("run_id", "stream", "tag")
# Up to so many rows are fetched and thinned here, which takes half as long; more take memory, and
# a tensor may be of any size.
_FETCHED: dict[Table, int] = {"scalar_points": 2_000_000, "tensors": 2_000, "blobs": 200_000}
# Steps are numbered in each series; one is kept where it is the first of its share, so that first
# and last stay: the same rule as everywhere in lake/.
_THINNED = """
    WITH found AS (
        SELECT run_id, stream, tag, step, wall_time, {columns}, record AS place,
               dense_rank() OVER series - 1 AS i
        FROM {table}
        WHERE {where} AND NOT superseded{more}
        WINDOW series AS (PARTITION BY run_id, stream, tag ORDER BY step)
    ), counted AS (
        SELECT *, max(i) OVER (PARTITION BY run_id, stream, tag) + 1 AS steps FROM found
    )
    SELECT * EXCLUDE (i, steps, place) FROM counted
    WHERE steps <= $most OR (CASE WHEN $most = 1 THEN i = steps - 1
          ELSE i = 0 OR i * ($most - 1) // (steps - 1) > (i - 1) * ($most - 1) // (steps - 1) END)
    ORDER BY run_id, stream, tag, step, place{within}
"""
# What all rows have in common is neither read nor sorted by.
_ALL = """
    SELECT {owner}, step, wall_time, {columns}
    FROM {table} WHERE {where} AND NOT superseded{more}
    ORDER BY {owner}, step, record{within}
"""


class Wanted(NamedTuple):
    """A series that is asked for, and how many points its curve has."""

    run_id: int
    stream: str
    tag: str
    points: int


def read(
    con: duckdb.DuckDBPyConnection, table: Table, wanted: Sequence[Wanted], most: int
) -> pa.Table:
    """The rows of *wanted* on the curve, by run_id, stream, tag and step, at *most* steps of each.

    Columns: run_id, stream, tag, step, wall_time, and for `scalar_points` value, for `tensors` dtype,
    shape, data, strings, raw, for `blobs` plugin, idx, width, height, file_id, record. A run may
    bring series that are not wanted, where one of their names is. `starts` parts them.
    """
    params: dict[str, object] = {}
    where = [among(list(dict.fromkeys(one.run_id for one in wanted)), "run_id", params)]
    common: dict[str, str] = {}
    for column in ("tag", "stream"):
        values = list(dict.fromkeys(getattr(one, column) for one in wanted))
        params |= {f"{column}{i}": value for i, value in enumerate(values)}
        where.append(f"{column} IN ({', '.join(f'${column}{i}' for i in range(len(values)))})")
        if len(values) == 1:
            common[column] = values[0]
    fine = max((one.points for one in wanted), default=0) <= most
    sql = _ALL
    if not fine and sum(one.points for one in wanted) > _FETCHED[table]:
        sql, params, common, fine = _THINNED, params | {"most": most}, {}, True
    # A record that brings no byte string has one row without bytes.
    more = " AND (nbytes > 0 OR plugin <> 'images')" if table == "blobs" else ""
    owner = ", ".join(name for name in _OWNER if name not in common)
    text = sql.format(
        columns=_COLUMNS[table], table=table, where=" AND ".join(where), more=more, owner=owner,
        within=", idx" if table == "blobs" else "",
    )  # fmt: skip
    found = ask.read(con, lambda: con.execute(text, params or None).to_arrow_table())
    for name, value in common.items():
        found = found.append_column(name, _repeated(value, found.num_rows))
    rest = [name for name in found.column_names if name not in _OWNER]
    found = found.select([*_OWNER, *rest])
    return found if fine else found.filter(pa.array(_kept(found, most)))


def starts(table: pa.Table) -> NDArray[np.int64]:
    """Where the series of an answer of `read` begin, and the number of its rows at the end."""
    moved = np.zeros(table.num_rows, bool)
    moved[:1] = True
    for name in _OWNER:
        column = table[name]
        if not pa.types.is_integer(column.type):
            if pa.types.is_dictionary(column.type):
                continue
            column = column.dictionary_encode().unify_dictionaries().combine_chunks().indices
        numbers = column.to_numpy()
        moved[1:] |= numbers[1:] != numbers[:-1]
    return np.append(np.flatnonzero(moved), table.num_rows)


def _repeated(value: str, rows: int) -> pa.Array:
    """A column of one value: a dictionary of it, which marks it as common to all rows."""
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, np.int8)), pa.array([value]))


def _kept(table: pa.Table, most: int) -> NDArray[np.bool_]:
    """Which rows are of steps that stay."""
    if not table.num_rows:
        return np.zeros(0, bool)
    begin = starts(table)
    sizes = np.diff(begin)
    step = table["step"].to_numpy()
    moved = np.ones(len(step), bool)
    moved[1:] = step[1:] != step[:-1]
    moved[begin[:-1]] = True
    number = np.cumsum(moved) - 1
    first = number[begin[:-1]]
    i = number - np.repeat(first, sizes)
    steps = np.repeat(number[begin[1:] - 1] - first + 1, sizes)
    if most == 1:
        return np.asarray(i == steps - 1)
    last = np.maximum(steps - 1, 1)
    share = i * (most - 1) // last > (i - 1) * (most - 1) // last
    return np.asarray((steps <= most) | (i == 0) | share)

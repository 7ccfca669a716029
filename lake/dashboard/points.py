"""Values of some series at no more than so many steps each, first and last among them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import duckdb
import pyarrow as pa

from .. import ask
from ..history import among

Table = Literal["scalar_points", "tensors", "blobs"]
_COLUMNS: dict[Table, str] = {
    "scalar_points": "value",
    "tensors": "dtype, shape, data, strings, raw",
    "blobs": "plugin, idx, width, height, file_id, record",
}
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
    ORDER BY run_id, stream, tag, step, place
"""
_ALL = """
    SELECT run_id, stream, tag, step, wall_time, {columns}
    FROM {table} WHERE {where} AND NOT superseded{more}
    ORDER BY run_id, stream, tag, step, record
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
    shape, data, strings, raw, for `blobs` plugin, idx, width, height, file_id, record.
    """
    params: dict[str, object] = {}
    names = [dict.fromkeys(one.run_id for one in wanted)]
    where = [among(list(names[0]), "run_id", params)]
    for column in ("tag", "stream"):
        values = list(dict.fromkeys(getattr(one, column) for one in wanted))
        params |= {f"{column}{i}": value for i, value in enumerate(values)}
        where.append(f"{column} IN ({', '.join(f'${column}{i}' for i in range(len(values)))})")
    sql = _ALL
    if max((one.points for one in wanted), default=0) > most:
        sql, params = _THINNED, params | {"most": most}
    # A record that brings no byte string has one row without bytes.
    more = " AND (nbytes > 0 OR plugin <> 'images')" if table == "blobs" else ""
    text = sql.format(columns=_COLUMNS[table], table=table, where=" AND ".join(where), more=more)
    return ask.read(con, lambda: con.execute(text, params or None).to_arrow_table())

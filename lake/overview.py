"""A lake in a few numbers: how much it holds, and what is wrong with its files."""

from __future__ import annotations

import duckdb

from .database import Lake, reread


def totals(con: duckdb.DuckDBPyConnection) -> tuple[int, int]:
    """How many runs the lake holds, and how many scalar points."""
    sql = "SELECT count(*), coalesce(sum(points), 0) FROM runs"
    ((runs, points),) = reread(lambda: con.execute(sql).fetchall())
    return int(runs), int(points)


def problems(lake: Lake) -> list[tuple[str, int, str]]:
    """Each kind of problem, with the number of files that have it and one of them."""
    found = lake.query(
        "SELECT kind, count(DISTINCT (source, path)), any_value(source || ':' || path)"
        " FROM problems GROUP BY kind ORDER BY kind"
    )
    return [(str(kind), int(files), str(one)) for kind, files, one in found]

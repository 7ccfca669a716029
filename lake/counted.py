"""How many runs have each tag and each hyperparameter, quick for millions of rows."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb
import pyarrow as pa

from . import ask

# A set of run_ids is a string of bits while all groups' together stay below so many (32 MB).
_MOST_BITS = 1 << 28


def tags_of(
    con: duckdb.DuckDBPyConnection, run_ids: Sequence[int] | pa.ChunkedArray | None, kind: str = ""
) -> pa.Table:
    """The tags of some runs, or of all: tag, kind, plugin, runs, points, streams (a list)."""
    where = "kind = $kind" if kind else "true"
    given: dict[str, object] = {"kind": kind} if kind else {}
    if run_ids is None:
        return _tags(con, where, given)
    ids = run_ids if isinstance(run_ids, pa.ChunkedArray) else pa.array(run_ids, pa.int64())
    # As a parameter a long list takes seconds to plan.
    con.register("chosen", pa.table({"run_id": ids}))
    try:
        return _tags(con, f"{where} AND run_id IN (SELECT run_id FROM chosen)", given)
    finally:
        con.unregister("chosen")


def _tags(con: duckdb.DuckDBPyConnection, where: str, given: dict[str, object]) -> pa.Table:
    sql = f"""
        SELECT tag, kind, coalesce(any_value(plugin), '') AS plugin,
               CAST(sum(points) AS BIGINT) AS points, list_sort(list(stream)) AS streams
        FROM (SELECT tag, kind, stream, any_value(plugin) AS plugin, sum(points) AS points
              FROM series_parts WHERE {where} GROUP BY tag, kind, stream)
        GROUP BY tag, kind ORDER BY tag, kind
    """
    found = ask.read(con, lambda: con.execute(sql, given or None).to_arrow_table())
    runs = _runs(con, "series_parts", ("tag", "kind"), where, given, found.num_rows)
    counts = [runs.get(key, 0) for key in _keys(found, ("tag", "kind"))]
    return found.add_column(3, "runs", pa.array(counts, pa.int64()))


def hparam_names(con: duckdb.DuckDBPyConnection) -> pa.Table:
    """Every hyperparameter: name, runs, distinct values, numeric; those that vary come first."""
    sql = """
        SELECT name, count(*) AS "distinct", bool_and(numeric) AS "numeric"
        FROM (SELECT name, value, bool_and(number IS NOT NULL) AS numeric
              FROM hparams GROUP BY name, value)
        GROUP BY name
    """
    found = ask.read(con, lambda: con.execute(sql).to_arrow_table())
    runs = _runs(con, "hparams", ("name",), "true", {}, found.num_rows)
    counts = [runs.get(key, 0) for key in _keys(found, ("name",))]
    table = found.add_column(1, "runs", pa.array(counts, pa.int64()))
    order = sorted(
        zip(table["distinct"].to_pylist(), counts, table["name"].to_pylist(), range(len(counts)),
            strict=True),
        key=lambda row: (row[0] == 1, -row[1], row[2]),
    )  # fmt: skip
    return table.take(pa.array([row[3] for row in order], pa.int64()))


def _runs(
    con: duckdb.DuckDBPyConnection,
    table: str,
    keys: tuple[str, ...],
    where: str,
    given: dict[str, object],
    groups: int,
) -> dict[tuple[object, ...], int]:
    """How many different runs each of about so many *groups* has."""
    if not groups:
        return {}
    ends = f"SELECT min(run_id), max(run_id) FROM {table}"
    row = ask.read(con, lambda: con.execute(ends).fetchone())
    low, high = row if row and row[0] is not None else (0, 0)
    number = "count(DISTINCT run_id)"
    if (high - low + 1) * groups <= _MOST_BITS:
        number = f"CAST(bit_count(bitstring_agg(run_id, {low:d}, {high:d})) AS BIGINT)"
        # Runs that came since would not fit.
        where += f" AND run_id BETWEEN {low:d} AND {high:d}"
    names = ", ".join(keys)
    sql = f"SELECT {names}, {number} AS runs FROM {table} WHERE {where} GROUP BY {names}"
    found = ask.read(con, lambda: con.execute(sql, given or None).to_arrow_table())
    return dict(zip(_keys(found, keys), found["runs"].to_pylist(), strict=True))


def _keys(table: pa.Table, keys: tuple[str, ...]) -> list[tuple[object, ...]]:
    return list(zip(*(table[key].to_pylist() for key in keys), strict=True))

"""What the runs of a search have in common: counts by field, names of hyperparameters and tags."""

from __future__ import annotations

from dataclasses import dataclass, replace

import duckdb
import pyarrow as pa

from ..core.errors import UsageError
from .fields import FAULTS, FIELDS, NOTES
from .history import find, named
from .search import Names, Query, execute, to_sql

MAX_FIELDS = 20


@dataclass(frozen=True)
class Facet:
    """A field or expression with its commonest values: (value, runs)."""

    field: str
    values: list[tuple[object, int]]


def facets(
    con: duckdb.DuckDBPyConnection,
    query: Query,
    fields: tuple[str, ...],
    limit: int,
    known: Names | None = None,
) -> list[Facet]:
    """How many runs of *query* have each value of *fields*; the commonest *limit* values of each."""
    if not 0 < len(fields) <= MAX_FIELDS:
        raise UsageError(f"fields: {len(fields)} are given, expected 1 to {MAX_FIELDS}")
    plain = [field for field in dict.fromkeys(fields) if FIELDS.get(field, "list") != "list"]
    found = _plain(con, query, plain, limit, known)
    for field in fields:
        if field not in found:
            found[field] = _grouped(con, query, field, limit, known)
    return [Facet(field, found[field]) for field in fields]


def _plain(
    con: duckdb.DuckDBPyConnection,
    query: Query,
    fields: list[str],
    limit: int,
    known: Names | None,
) -> dict[str, list[tuple[object, int]]]:
    """Facets of fields of `runs`, all in one pass over what the filter finds."""
    if not fields:
        return {}
    columns = [f"c{i}" for i in range(len(fields))]
    sets = ", ".join(f"({column})" for column in columns)
    names = ", ".join(columns)

    def count(names_known: Names) -> pa.Table:
        every = replace(query, columns=tuple(fields), sort=("run_id",))
        inner, params = to_sql(every, names_known)
        sql = f"""
            SELECT {names}, GROUPING({names}) AS g, count(*) AS n
            FROM ({inner}) GROUP BY GROUPING SETS ({sets})
            QUALIFY row_number() OVER (PARTITION BY g ORDER BY n DESC, {names}) <= {limit:d}
            ORDER BY g, n DESC, {names}
        """
        return execute(con, sql, params, query)

    table = named(con, query, known, count)
    of, runs = table["g"].to_numpy(), table["n"]
    found = {}
    for i, field in enumerate(fields):
        # The bits of GROUPING are those of the columns that a row is not grouped by.
        mask = pa.array(of == (1 << len(fields)) - 1 - (1 << (len(fields) - 1 - i)))
        values = table[f"c{i}"].filter(mask).to_pylist(), runs.filter(mask).to_pylist()
        found[field] = list(zip(*values, strict=True))
    return found


def _grouped(
    con: duckdb.DuckDBPyConnection, query: Query, field: str, limit: int, known: Names | None
) -> list[tuple[object, int]]:
    grouped = replace(
        query, columns=None, group_by=(field,), sort=("-runs",), limit=limit, offset=0
    )
    table = find(con, grouped, known)
    return list(zip(table.column(0).to_pylist(), table.column("runs").to_pylist(), strict=True))


def field_names(known: Names | None = None) -> list[tuple[str, str]]:
    """The fields of the filter language with their kinds; those of people's notes where *known*."""
    notes = NOTES if known and known.notes else {}
    return [*FIELDS.items(), *FAULTS.items(), *((name, kind) for name, (_, kind) in notes.items())]

"""What the runs of a search have in common: counts by field, names of hyperparameters and tags."""

from __future__ import annotations

from dataclasses import dataclass, replace

import duckdb

from ..core.errors import UsageError
from .fields import FIELDS, NOTES
from .history import find
from .search import Names, Query

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
    result = []
    for field in fields:
        grouped = replace(
            query, columns=(), group_by=(field,), sort=("-runs",), limit=limit, offset=0
        )
        table = find(con, replace(grouped, columns=None), known)
        values, counts = table.column(0).to_pylist(), table.column("runs").to_pylist()
        result.append(Facet(field, list(zip(values, counts, strict=True))))
    return result


def field_names(known: Names | None = None) -> list[tuple[str, str]]:
    """The fields of the filter language with their kinds; those of people's notes where *known*."""
    notes = NOTES if known and known.notes else {}
    return [*FIELDS.items(), *((name, kind) for name, (_, kind) in notes.items())]

"""What a statement may call, in words: for completion."""

from __future__ import annotations

from functools import cache
from typing import Any

import duckdb

from .tree import TABLE_FUNCTIONS, offered

_FUNCTIONS = """
    SELECT function_name AS name, any_value(function_type) AS kind,
           arg_min(parameters, len(parameters)) AS parameters, any_value(description) AS says
    FROM duckdb_functions()
    WHERE function_type IN ('scalar', 'aggregate', 'macro') AND function_name ~ '^[a-z][a-z0-9_]*$'
    GROUP BY function_name ORDER BY function_name
"""
_KEYWORDS = """
    SELECT DISTINCT keyword_name FROM duckdb_keywords()
    WHERE keyword_category IN ('reserved', 'type_function') ORDER BY keyword_name
"""
# Reserved words of statements that are not taken here, and words that are not reserved but asked for.
_NOT_TAKEN = frozenset(
    "analyse analyze check constraint create deferrable do foreign grant initially into placing primary"
    " references returning unique authorization concurrently freeze verbose binary collation generated"
    " at variadic both leading trailing asymmetric symmetric to".split()
)
_BESIDES = (
    "between", "by", "exclude", "exists", "explain", "filter", "interval", "over", "partition",
    "range", "recursive", "replace", "rows", "sample", "values", "within", "cast", "nulls", "first",
    "last", "rollup", "cube", "materialized", "preceding", "following", "unbounded", "ties", "ignore",
)  # fmt: skip
_TABLES = {
    "range": ("start, stop, step", "rows from start up to, without, stop"),
    "generate_series": ("start, stop, step", "rows from start to stop"),
    "unnest": ("list", "a row for each item of a list"),
}
_LONGEST = 160


@cache
def functions() -> tuple[dict[str, Any], ...]:
    """The functions that are offered: name, kind, how they are called, and what they do."""
    with duckdb.connect() as con:
        rows = con.execute(_FUNCTIONS).fetchall()
    allowed = offered([row[0] for row in rows])
    found = [
        _said(name, kind, ", ".join(parameters or ()), says or "")
        for name, kind, parameters, says in rows
        if name in allowed and name not in TABLE_FUNCTIONS
    ]
    return (*found, *(_said(name, "table", *words) for name, words in _TABLES.items()))


@cache
def keywords() -> tuple[str, ...]:
    """The words of reading statements."""
    with duckdb.connect() as con:
        rows = con.execute(_KEYWORDS).fetchall()
    return tuple(sorted({row[0] for row in rows} - _NOT_TAKEN | {*_BESIDES}))


def _said(name: str, kind: str, parameters: str, says: str) -> dict[str, Any]:
    first = says.split(". ")[0].removesuffix(".")
    return {"name": name, "kind": kind, "call": f"{name}({parameters})", "says": first[:_LONGEST]}

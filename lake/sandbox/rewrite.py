"""Statements that are no plain SELECT, said as one: EXPLAIN, SHOW TABLES, PIVOT over what there is."""

from __future__ import annotations

import re
from collections.abc import Callable

import duckdb

from ...core.errors import SqlError
from .limits import MAX_PIVOT

_WORD = re.compile(rb"\w+")
_SHOW_TABLES = re.compile(r"\s*SHOW\s+TABLES\s*;?\s*", re.IGNORECASE)
_EXPLAIN = re.compile(r"\s*EXPLAIN(?=[\s(])", re.IGNORECASE)
_OPEN, _CLOSE = b"([{", b")]}"
_ENDS = (b"USING", b"GROUP", b"ORDER", b"LIMIT", b"OFFSET")
_NONE = "no value of a PIVOT"
_VALUES = "list the values: PIVOT ... ON column IN ('a', 'b') USING ..."


def show_tables(sql: str, relations: frozenset[str]) -> str | None:
    """`SHOW TABLES` as a SELECT over the names of the lake's own *relations*."""
    if not _SHOW_TABLES.fullmatch(sql):
        return None
    rows = ", ".join(f"({text(name)})" for name in sorted(relations))
    return f"SELECT name FROM (VALUES {rows}) AS tables(name) ORDER BY name"


def explained(sql: str) -> tuple[str, str] | None:
    """`EXPLAIN`, and the statement after it; with ANALYZE it would name the files that were read."""
    found = _EXPLAIN.match(sql)
    return (found[0], sql[found.end() :]) if found else None


def pivot(sql: str, values: Callable[[str], list[str]]) -> str:
    """*sql*, one PIVOT, with the values of its ON columns listed as *values* of a SELECT has them.

    DuckDB makes an ENUM of them instead, which is more than a reading statement. All that comes of
    it is made of pieces of *sql*, and must be judged like any other statement. Raises SqlError.
    """
    whole = sql.encode()
    parts = _parts(whole)
    if parts is None:
        raise SqlError("PIVOT within a query needs its values", text=sql, hint=_VALUES)
    before, source, elements, after = parts
    listed, none = [], False
    for element, has_values in elements:
        if has_values:
            listed.append(element)
            continue
        found = values(
            f"{before}SELECT DISTINCT CAST(({element}) AS VARCHAR) AS v FROM {source}"
            f"WHERE ({element}) IS NOT NULL ORDER BY v LIMIT {MAX_PIVOT + 1}"
        )
        if len(found) > MAX_PIVOT:
            message = f"PIVOT ON {element.strip():.80}: more than {MAX_PIVOT} values"
            raise SqlError(message, text=sql, hint=f"filter the source, or {_VALUES}")
        none = none or not found
        listed.append(f"{element} IN ({', '.join(map(text, found or [_NONE]))})")
    written = f"PIVOT {source} ON {', '.join(listed)} {after}"
    if none:
        # As DuckDB has it: the columns that are not made of values.
        without = f"SELECT COLUMNS(c -> NOT contains(c, {text(_NONE)}))"
        return f"{before}{without} FROM ({written.rstrip().rstrip(';')})"
    return before + written


def text(value: str) -> str:
    """*value* as a literal of SQL."""
    return "'" + value.replace("'", "''") + "'"


def _parts(sql: bytes) -> tuple[str, str, list[tuple[str, bool]], str] | None:
    """What stands before PIVOT, its source, its ON elements (have they values?), and the rest."""
    tokens: list[tuple[int, int, bytes]] = []  # at, depth, upper-case word
    depth = 0
    for at, kind in duckdb.tokenize(sql.decode()):
        byte = sql[at : at + 1]
        if kind == duckdb.token_type.operator and byte in _CLOSE:
            depth -= 1
        found = _WORD.match(sql, at) if kind == duckdb.token_type.keyword else None
        tokens.append((at, depth, found[0].upper() if found else byte))
        if kind == duckdb.token_type.operator and byte in _OPEN:
            depth += 1
    top = [(at, word) for at, depth, word in tokens if depth == 0]
    pivots = [at for at, word in top if word in (b"PIVOT", b"PIVOT_WIDER")]
    if len(pivots) != 1:
        return None
    ons = [at for at, word in top if word == b"ON" and at > pivots[0]]
    if not ons:
        return None
    at = ons[-1]
    end = next((where for where, word in top if where > at and word in (*_ENDS, b";")), len(sql))
    commas = [where for where, word in top if at < where < end and word == b","]
    bounds = [at + 2, *(where + 1 for where in commas)]
    elements = []
    for first, last in zip(bounds, [*commas, end], strict=True):
        inside = any(first <= where < last and word == b"IN" for where, word in top)
        elements.append((_piece(sql[first:last]), inside))
    word = _WORD.match(sql, pivots[0])
    assert word is not None
    return _piece(sql[: pivots[0]]), _piece(sql[word.end() : at]), elements, _piece(sql[end:])


def _piece(piece: bytes) -> str:
    """A part of a statement, which may end in a comment to the end of its line."""
    return piece.decode() + "\n"

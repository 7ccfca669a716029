"""What runs hold, by run and tag: points, series, hyperparameters; each in one statement."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Literal, TypeVar, get_args

import duckdb
import pyarrow as pa

from ..core.errors import FilterError, UsageError
from . import ask
from .counted import tags_of
from .search import Names, Query, count, page, search

T = TypeVar("T")
Axis = Literal["step", "wall_time", "relative"]
MAX_TAGS = 1_000

# Up to so many runs are listed one by one: that prunes files even below an aggregate.
_LISTED = 500
_TIME = """CASE WHEN p.wall_time BETWEEN -62135596800 AND 253402300799
    THEN make_timestamp(CAST(round(p.wall_time * 1000000) AS BIGINT)) END"""
_BY_RANK = "PARTITION BY h.run_id, h.name ORDER BY h.rank, h.origin"
_RELATIVE = "p.wall_time - min(p.wall_time) OVER (PARTITION BY p.run_id, p.stream, p.tag)"


def points(
    con: duckdb.DuckDBPyConnection,
    run_ids: Sequence[int],
    tags: Sequence[str],
    *,
    streams: Sequence[str] | None = None,
    x: Axis = "step",
    superseded: bool = False,
) -> pa.Table:
    """Every scalar point of *tags* in *run_ids*: one row each, no sampling.

    Columns: run_id, run (its name), stream, tag, step, time (UTC), wall_time (Unix seconds), value,
    attempt; for *x* 'relative' also relative (seconds since the series' earliest point); with
    *superseded*, also superseded, and the points that a restart took back. Ordered by run_id,
    stream, tag, attempt, step, or for another *x* by that instead of attempt and step.
    A `*` in a tag or stream stands for any characters.
    Raises UsageError for a tag that no run of the lake has.
    """
    if x not in get_args(Axis):
        raise UsageError(f"x: {x!r}, expected one of {', '.join(get_args(Axis))}")
    if not tags or len(tags) > MAX_TAGS:
        raise UsageError(f"tags: {len(tags)} are given, expected 1 to {MAX_TAGS}")
    params: dict[str, object] = {}
    where = [among(run_ids, "p.run_id", params), _like(tags, "p.tag", params)]
    if streams is not None:
        where.append(_like(streams, "p.stream", params))
    extra, order = "", "p.attempt, p.step, p.record"
    if x != "step":
        order = "p.wall_time, p.record"
    if x == "relative":
        extra += f", {_RELATIVE} AS relative"
    if superseded:
        extra += ", p.superseded"
    else:
        where.append("NOT p.superseded")
    sql = f"""
        SELECT p.run_id, r.name AS run, p.stream, p.tag, p.step, {_TIME} AS time, p.wall_time,
               p.value, p.attempt{extra}
        FROM scalar_points p JOIN run_facts r ON r.run_id = p.run_id
        WHERE {" AND ".join(where)}
        ORDER BY p.run_id, p.stream, p.tag, {order}
    """
    table = _fetch(con, sql, params)
    if not table.num_rows:
        _refuse_unknown(con, tags)
    return table


def find(con: duckdb.DuckDBPyConnection, query: Query, known: Names | None = None) -> pa.Table:
    """The runs that *query* asks for; a hyperparameter or tag that no run has is refused."""
    return named(con, query, known, lambda names: search(con, query, names))


def find_page(
    con: duckdb.DuckDBPyConnection, query: Query, known: Names | None = None
) -> tuple[pa.Table, int]:
    """What `find` gives, and `total`."""
    return named(con, query, known, lambda names: page(con, query, names))


def total(con: duckdb.DuckDBPyConnection, query: Query, known: Names | None = None) -> int:
    """How many rows *query* has without its limit."""
    return ask.read(con, lambda: count(con, query, known))


def series(con: duckdb.DuckDBPyConnection, run_ids: Sequence[int] | None = None) -> pa.Table:
    """The rows of the view `series` for *run_ids*, or all, with the run's name as `run`."""
    params: dict[str, object] = {}
    sql = f"""
        SELECT s.run_id, r.name AS run, s.* EXCLUDE (run_id, content)
        FROM series s JOIN run_facts r ON r.run_id = s.run_id
        WHERE {among(run_ids, "s.run_id", params)}
        ORDER BY s.run_id, s.stream, s.tag
    """
    return _fetch(con, sql, params)


def hparams(
    con: duckdb.DuckDBPyConnection,
    run_ids: Sequence[int] | None = None,
    *,
    origins: bool = False,
) -> pa.Table:
    """Hyperparameters of *run_ids*, or all: run_id, run, name, type, value (text), number, origin.

    One row for each run and name, of the origin that comes first; with *origins* one for each.
    """
    params: dict[str, object] = {}
    first = "" if origins else f"QUALIFY row_number() OVER ({_BY_RANK}) = 1"
    sql = f"""
        SELECT h.run_id, r.name AS run, h.name, h.type, h.value, h.number, h.origin
        FROM hparams h JOIN run_facts r ON r.run_id = h.run_id
        WHERE {among(run_ids, "h.run_id", params)} {first}
        ORDER BY h.run_id, h.name, h.rank, h.origin
    """
    return _fetch(con, sql, params)


def tags(con: duckdb.DuckDBPyConnection) -> pa.Table:
    """Every tag of the lake: tag, kind, plugin, runs, points; the commonest first."""
    found = tags_of(con, None).drop_columns("streams")
    return found.sort_by([("runs", "descending"), ("tag", "ascending"), ("kind", "ascending")])


def matching(con: duckdb.DuckDBPyConnection, patterns: Sequence[str]) -> pa.Table:
    """The tags that *patterns* name, as the column tag; a `*` stands for any characters.

    Raises UsageError where no run has such a tag.
    """
    params: dict[str, object] = {}
    sql = f"SELECT DISTINCT tag FROM series_parts WHERE {_like(patterns, 'tag', params)}"
    found = con.execute(sql, params or None).to_arrow_table()
    if not found.num_rows:
        _refuse_unknown(con, patterns)
        raise UsageError("no run has such a tag", hint="`tags` lists what there is")
    return found


def run_ids(con: duckdb.DuckDBPyConnection, wanted: Sequence[int | str]) -> list[int]:
    """The run_ids of *wanted*: run_ids, run_keys or names; a name may be that of several runs.

    Raises UsageError for what no run of the lake is called.
    """
    ids = [one for one in wanted if isinstance(one, int)]
    texts = [one for one in wanted if isinstance(one, str)]
    sql = """
        SELECT run_id, run_key, name FROM run_facts
        WHERE run_id IN (SELECT unnest($ids::BIGINT[]))
           OR run_key IN (SELECT unnest($texts::VARCHAR[]))
           OR name IN (SELECT unnest($texts::VARCHAR[]))
    """
    found = _fetch(con, sql, {"ids": ids, "texts": texts}).to_pydict()
    known = {*found["run_id"], *found["run_key"], *found["name"]}
    missing = [repr(one)[:100] for one in wanted if one not in known]
    if missing:
        rest = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
        raise UsageError(
            f"no run is called {', '.join(missing[:5])}{rest}",
            hint="a run is named by run_id, run_key or name, as `runs` lists them",
        )
    return sorted(found["run_id"])


def _fetch(con: duckdb.DuckDBPyConnection, sql: str, params: dict[str, object]) -> pa.Table:
    return ask.read(con, lambda: con.execute(sql, params or None).to_arrow_table())


def named(
    con: duckdb.DuckDBPyConnection,
    query: Query,
    known: Names | None,
    search_with: Callable[[Names], T],
) -> T:
    """The answer of *search_with*, which is given the names that exist."""
    known = known or Names()
    names = _names(con, query, known)
    try:
        return ask.read(con, lambda: search_with(names))
    except duckdb.CatalogException:
        # A column in memory went before its statement got there.
        if names.kept is None:
            raise
        without = replace(names, kept=None)
        return ask.read(con, lambda: search_with(without))
    except FilterError:
        # All names that there are may give a better hint.
        names = replace(
            known,
            hparams=known.hparams or hparam_names(con),
            series=known.series or series_names(con),
        )
        return ask.read(con, lambda: search_with(names))


def _names(con: duckdb.DuckDBPyConnection, query: Query, known: Names) -> Names:
    """The names that exist, of the kinds that *query* may use: all tags are not read for nothing."""
    texts = (query.filter, *(query.columns or ()), *query.sort, *query.group_by)
    text = " ".join(texts).lower()
    hparams = known.hparams or (hparam_names(con) if "hp." in text else ())
    series = known.series or (series_names(con) if "(" in text else ())
    return replace(known, hparams=hparams, series=series)


def hparam_names(con: duckdb.DuckDBPyConnection) -> tuple[str, ...]:
    """The name of every hyperparameter."""
    return tuple(_fetch(con, "SELECT DISTINCT name FROM hparams", {})["name"].to_pylist())


def series_names(con: duckdb.DuckDBPyConnection) -> tuple[str, ...]:
    """The tag of every scalar series."""
    sql = "SELECT DISTINCT tag FROM series_parts WHERE kind = 'scalar'"
    return tuple(_fetch(con, sql, {})["tag"].to_pylist())


def among(run_ids: Sequence[int] | None, column: str, params: dict[str, object]) -> str:
    """A condition that *column* is one of *run_ids* (None means any), its values put in *params*."""
    if run_ids is None:
        return "true"
    if not run_ids:
        return "false"
    if len(run_ids) <= _LISTED:
        params.update((f"r{i}", run_id) for i, run_id in enumerate(run_ids))
        return f"{column} IN ({', '.join(f'$r{i}' for i in range(len(run_ids)))})"
    bounds = {"among_from": min(run_ids), "among_to": max(run_ids)}
    params |= {"among_ids": list(run_ids), **bounds}
    # The bounds leave out files: a set that is only known when the query runs does not.
    among = f"{column} IN (SELECT unnest($among_ids::BIGINT[]))"
    return f"{among} AND {column} BETWEEN $among_from AND $among_to"


def _like(patterns: Sequence[str], column: str, params: dict[str, object]) -> str:
    tests = []
    exact = [pattern for pattern in patterns if "*" not in pattern]
    for pattern in patterns:
        if "*" in pattern:
            for special in "\\%_":
                pattern = pattern.replace(special, f"\\{special}")
            name = f"g{len(params)}"
            params[name] = pattern.replace("*", "%")
            tests.append(f"{column} LIKE ${name} ESCAPE '\\'")
    if exact:
        names = [f"e{len(params) + i}" for i in range(len(exact))]
        params.update(zip(names, exact, strict=True))
        tests.append(f"{column} IN ({', '.join(f'${name}' for name in names)})")
    return f"({' OR '.join(tests) or 'false'})"


def _refuse_unknown(con: duckdb.DuckDBPyConnection, wanted: Sequence[str]) -> None:
    """A tag that exists may have no points here; one that does not is a slip of the pen."""
    known = tags(con).column("tag").to_pylist()
    for tag in wanted:
        if "*" not in tag and known and tag not in known:
            near = difflib.get_close_matches(tag, known[:10_000], 1)
            hint = f"did you mean {near[0]!r}?" if near else "`tags` lists what there is"
            raise UsageError(f"no run has the tag {tag[:200]!r}", hint=hint)

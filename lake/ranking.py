"""Groups of runs held side by side by one number: the best run of each, and how its values lie.

All of it is computed in SQL over every run of a group: nothing is sampled, and no number of a group
depends on which others are shown. Values that are NaN or infinite are none: they never win.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import duckdb
import pyarrow as pa

from ..core.errors import FilterError, UsageError
from . import filters, grammar, statistics
from .fields import NOTES, STATS, Scope
from .history import named
from .search import Names, Output, Query, Statement, execute, selected, titled

Direction = Literal["min", "max"]
Order = Literal[
    "key", "-key", "runs", "-runs", "values", "-values", "mean", "-mean", "median", "-median",
    "best", "-best",
]  # fmt: skip

MAX_GROUPS = 10_000
# Every value of a group with no more of them is told, of others those beyond the whiskers.
FEW = 30
# Of these at most so many, those that lie farthest out.
MOST_POINTS = 100

# Whiskers end at the last value within so many heights of the box (Tukey, 1977).
_REACH = 1.5
# The statistic that tells at which step another one was reached.
_STEPS = {"min": "step_min", "max": "step_max", "last": "step_last"}
_FINITE = "isfinite(value)"
_COUNTS = "SELECT count(*) FILTER ({fit}) AS fit_, count(*) AS found_ FROM told t"


@dataclass(frozen=True)
class Groups:
    """Rows of some of the *groups*; *left_out* further ones had too few runs with a value."""

    table: pa.Table
    groups: int
    left_out: int


def best(
    con: duckdb.DuckDBPyConnection,
    query: Query,
    metric: str,
    direction: Direction,
    names: Names | None = None,
    *,
    order: Order = "best",
    least: int = 1,
) -> Groups:
    """The best run by *metric* of each group of *query* with at least *least* runs with a value.

    Columns: the keys; runs; values, how many of them have one; best; best_step, where the metric is
    a statistic with a step; best_run (what it is called), best_run_key, best_run_id; ties, how many
    further runs have the same value: told is the one that was found first; mean, std, median.
    """
    sums = statistics.moments("value") | statistics.quartiles("value")
    of_group = {
        "runs": "count(*)", "values": sums["n"], "mean": sums["mean"], "std": sums["std"],
        "median": sums["median"],
    }  # fmt: skip
    descends = direction == "max"
    by = "value DESC" if descends else "value"
    parts = f"""
        firsts AS (
            SELECT *, count(*) OVER (PARTITION BY g, value) - 1 AS ties
            FROM members WHERE {_FINITE}
            QUALIFY row_number() OVER (PARTITION BY g ORDER BY {by}, run_id) = 1)
    """
    told = {
        "runs": 't."runs"', "values": 't."values"', "best": "f.value",
        "best_step": "CAST(f.step AS BIGINT)", "best_run": "f.label",
        "best_run_key": "f.run_key", "best_run_id": "f.run_id", "ties": "coalesce(f.ties, 0)",
        "mean": 't."mean"', "std": 't."std"', "median": 't."median"',
    }  # fmt: skip
    return _groups(
        con, query, metric, names, of_group, parts, "LEFT JOIN firsts f USING (g)", told,
        order=order, least=least, best="f.value", descends=descends,
    )  # fmt: skip


def boxes(
    con: duckdb.DuckDBPyConnection,
    query: Query,
    metric: str,
    names: Names | None = None,
    *,
    order: Order = "key",
) -> Groups:
    """How the values of *metric* lie in each group of *query*.

    Columns: the keys; runs; values; mean, std, min, max, q1, median, q3; low and high, where the
    whiskers end; outside, how many values lie beyond them; points, of those (or of all where they
    are few) the run_key, run (what it is called) and value.
    """
    sums = statistics.moments("value") | statistics.quartiles("value")
    of_group = {"runs": "count(*)", "values": sums.pop("n"), **sums}
    parts = f"""
        fenced AS (
            SELECT m.*, t."values", t.median, value < q1 - {_REACH} * (q3 - q1)
                   OR value > q3 + {_REACH} * (q3 - q1) AS out
            FROM members m JOIN told t USING (g) WHERE {_FINITE}),
        whiskers AS (
            SELECT g, min(value) FILTER (NOT out) AS low, max(value) FILTER (NOT out) AS high,
                   count(*) FILTER (out) AS outside
            FROM fenced GROUP BY g),
        points AS (
            SELECT g, list({{'run_key': run_key, 'run': label, 'value': value}}
                           ORDER BY value, run_id) AS points
            FROM (SELECT * FROM fenced WHERE out OR "values" <= {FEW}
                  QUALIFY row_number() OVER (
                      PARTITION BY g ORDER BY abs(value - median) DESC, run_id
                  ) <= {MOST_POINTS})
            GROUP BY g)
    """
    told = {name: f't."{name}"' for name in of_group}
    told |= {
        "low": "low", "high": "high", "outside": "coalesce(outside, 0)",
        "points": "coalesce(points, [])",
    }  # fmt: skip
    joins = "LEFT JOIN whiskers USING (g) LEFT JOIN points USING (g)"
    return _groups(con, query, metric, names, of_group, parts, joins, told, order=order)


def _groups(
    con: duckdb.DuckDBPyConnection,
    query: Query,
    metric: str,
    names: Names | None,
    of_group: dict[str, str],
    parts: str,
    joins: str,
    told: dict[str, str],
    *,
    order: Order,
    least: int = 0,
    best: str = "median",
    descends: bool = False,
) -> Groups:
    """Run the statement: *of_group* are aggregates over members, *told* what is shown of each group."""
    step = _step_of(metric)
    query = replace(query, columns=(metric, *([step] if step else [])), sort=())

    def read(known: Names) -> Groups:
        statement = Statement(query, known)
        keys = statement.key_outputs()
        _check(keys, told, statement)
        outputs = [
            Output(key.title, f"t.c{i}", f"t.n{i}" if key.number else "")
            for i, key in enumerate(keys)
        ]
        outputs += [Output(name, sql) for name, sql in told.items()]
        own = ", ".join(f"k{i}" for i in range(len(keys)))
        sums = ", ".join(f'{sql} AS "{name}"' for name, sql in of_group.items())
        # A missing key is a key like others; parts are joined by the group's number.
        begin = f"""
            WITH every AS ({_members(statement, known)}),
            members AS (SELECT *, dense_rank() OVER (ORDER BY {own}) AS g FROM every),
            told AS (SELECT g, {selected(keys)}, {sums} FROM members GROUP BY g, {own})
        """
        fit = f't."values" >= {least:d}'
        rows = f"""{begin}, {parts}, sums AS ({_COUNTS.format(fit=fit)})
            SELECT {selected(outputs)}, sums.* FROM told t CROSS JOIN sums {joins}
            WHERE {fit} ORDER BY {_order(order, best, descends)}{_limit(query)}
        """
        table = execute(con, *statement.with_params(rows), query)
        counts = table
        if not table.num_rows:
            # No row has room for them.
            sql = f"{begin} {_COUNTS.format(fit=fit)}"
            counts = execute(con, *statement.with_params(sql), query)
        shown, found = (int(counts[name][0].as_py()) for name in ("fit_", "found_"))
        return Groups(titled(table, outputs), shown, found - shown)

    return named(con, query, names, read)


def _members(statement: Statement, known: Names) -> str:
    """Every run with its keys, the metric as value, and its step."""
    value, *step = (column.term.number or column.term.sql for column in statement.columns)
    label = NOTES["label"][0] if known.notes else "r.name"
    return statement.members(
        "r.run_id", "r.run_key", f"{label} AS label", f"CAST({value} AS DOUBLE) AS value",
        f"{step[0] if step else 'NULL'} AS step",
    )  # fmt: skip


def _step_of(metric: str) -> str:
    """The expression of the step at which *metric* was reached, where it is such a statistic."""
    scope = Scope()
    source, _ = grammar.alias(metric)
    term = filters.expression(source, scope)
    if term.sql != "m.m0":
        return ""
    ((stat, tag, stream),) = scope.metrics
    step = _STEPS.get(stat, "")
    if step not in STATS:
        return ""
    names = [one.replace('"', '""') for one in (tag, stream) if one is not None]
    return f"{step}({', '.join(f'{chr(34)}{one}{chr(34)}' for one in names)})"


def _check(keys: list[Output], told: dict[str, str], statement: Statement) -> None:
    if not keys:
        raise UsageError("group_by: at least one key is needed")
    titles = [key.title for key in keys]
    for title in titles:
        if title in told or titles.count(title) > 1:
            message = f"group_by: there are two columns {title[:80]}"
            raise UsageError(message, hint=f"give it another name: `{title[:80]} as key`")
    metric = statement.columns[0]
    if metric.term.kind not in ("number", "hyperparameter"):
        message = f"{metric.title[:80]} is no number"
        hint = 'A metric is written last("loss"), min("loss") or max("acc").'
        raise FilterError(message, text=metric.title, position=0, hint=hint)


def _order(order: Order, best: str, descends: bool) -> str:
    name = order.removeprefix("-")
    if name == "key":
        return "g DESC" if order != name else "g"
    # The best value is the first one, whichever way is better.
    down = (order != name) != (name == "best" and descends)
    sql = best if name == "best" else f't."{name}"'
    return f"{sql} {'DESC' if down else 'ASC'} NULLS LAST, g"


def _limit(query: Query) -> str:
    limit = "" if query.limit is None else f" LIMIT {query.limit:d}"
    return f"{limit} OFFSET {query.offset:d}"

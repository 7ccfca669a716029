"""Hyperparameters, metrics and faults as columns by run: in SQL, and in memory once asked for again."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import duckdb

from .faults import FAULTS
from .fields import Metric, Scope

_K = TypeVar("_K", str, Metric)

# What all kept columns may take, by what one takes for each run.
_MOST_BYTES = 48 << 20
_HPARAM_BYTES, _METRIC_BYTES, _FAULT_BYTES = 48, 16, 16
# Who used a column so lately may be about to use it again: it does not make room for others.
_LATELY_S = 10.0
# A statement that was made with the name of a table has found the table after so long.
_FOUND_AFTER_S = 5.0

# As in the view `series` (a test compares them), but runs are picked before parts are added up.
STATS = {
    "last": 'arg_max("last", last_step)',
    "first": 'arg_min("first", first_step)',
    "min": 'min("min")',
    "max": 'max("max")',
    "mean": "any_value(shift) + sum(shift_sum) / nullif(sum(finite), 0)",
    "std": "sqrt(greatest(sum(shift_sum2) - sum(shift_sum) * sum(shift_sum)"
    " / nullif(sum(finite), 0), 0) / nullif(greatest(sum(finite) - 1, 0), 0))",
    "count": "CAST(sum(points) AS BIGINT)",
    "step_min": 'arg_min(min_step, ("min", min_step))',
    "step_max": 'arg_min(max_step, (-"max", max_step))',
    "step_last": "max(last_step)",
    "first_nan": "min(nan_step)",
    "first_inf": "min(inf_step)",
    "nan_count": "CAST(sum(nan_count) AS BIGINT)",
    "inf_count": "CAST(sum(inf_count) AS BIGINT)",
    "attempts": "max(attempt) + 1",
    "superseded": "CAST(sum(superseded) AS BIGINT)",
}


def of_hparams(scope: Scope, names: Mapping[str, int], test: str = "") -> str:
    """The query of run_id and, for each of *names* with its number, h (text) and n (number)."""
    columns, bound = [], []
    for name, number in names.items():
        bound.append(scope.bind(name))
        for letter, column in (("h", "value"), ("n", "number")):
            value = f"arg_min_null({column}, rank) FILTER (name = {bound[-1]})"
            columns.append(f"{value} AS {letter}{number}")
    return (
        f"SELECT run_id, {', '.join(columns)} FROM hparams"
        f" WHERE name IN ({', '.join(bound)}){test} GROUP BY run_id"
    )


def of_metrics(scope: Scope, metrics: Mapping[Metric, int], test: str = "") -> str:
    """The query of run_id and, for each of *metrics* with its number, its value m."""
    tags = {tag: scope.bind(tag) for _, tag, _ in metrics}
    sums = [f"{STATS[stat]} AS {stat}_" for stat in dict.fromkeys(m[0] for m in metrics)]
    columns = []
    for (stat, tag, stream), number in metrics.items():
        which = f"tag = {tags[tag]}"
        if stream is not None:
            which += f" AND stream = {scope.bind(stream)}"
        # The stream '' sorts before every other one.
        columns.append(f"arg_min_null({stat}_, stream) FILTER ({which}) AS m{number}")
    return (
        f"SELECT run_id, {', '.join(columns)} FROM (SELECT run_id, tag, stream,"
        f" {', '.join(sums)} FROM series_parts WHERE kind = 'scalar'"
        f" AND tag IN ({', '.join(tags.values())}){test} GROUP BY run_id, tag, stream)"
        " GROUP BY run_id"
    )


def of_faults(scope: Scope, faults: Mapping[str, int], test: str = "") -> str:
    """The query of run_id and, for each of *faults* with its number, its value q."""
    columns, joins = [], ""
    for name, number in faults.items():
        query, default = FAULTS[name]
        columns.append(f"coalesce(x{number}.v, {default}) AS q{number}")
        joins += f" LEFT JOIN ({query.format(test=test)}) x{number} USING (run_id)"
    where = f"WHERE true{test}" if test else ""
    return f"SELECT run_id, {', '.join(columns)} FROM (SELECT run_id FROM runs {where}){joins}"


@dataclass
class _Table:
    """A table in memory of some columns by run; `columns` are their numbers in it by letter and key."""

    name: str
    columns: dict[tuple[str, object], int]
    size: int
    used: float


class KeptColumns:
    """Columns that were asked for twice since the lake changed, made in a thread meanwhile.

    Scanning a hundred thousand runs' aggregates takes a tenth of a second, each time; whoever sorts,
    filters and pages asks for the same few columns again and again.
    """

    def __init__(self, connect: Callable[[], duckdb.DuckDBPyConnection]) -> None:
        self._connect = connect
        self._lock = threading.Lock()
        self._tables: list[_Table] = []
        self._dropped: list[tuple[float, str]] = []
        self._asked: dict[tuple[str, object], int] = {}
        self._turns = itertools.count()
        self._runs = 0
        self._made = 0
        self._since = 0
        self._making: threading.Thread | None = None

    def turn(self) -> int:
        """A number for a statement: what one asks for twice is asked for once."""
        return next(self._turns)

    def reset(self, con: duckdb.DuckDBPyConnection, runs: int) -> None:
        """Forget everything: the lake has changed, and has so many runs now."""
        with self._lock:
            self._drop(self._tables)
            self._tables = []
            self._asked.clear()
            self._runs = runs
            self._since += 1
        self._sweep(con)

    def tables(self) -> list[str]:
        """The names of the tables in memory."""
        with self._lock:
            return [table.name for table in self._tables]

    def close(self) -> None:
        """Wait for the table that is being made."""
        if self._making is not None:
            self._making.join()

    def hparams(self, turn: int, names: Mapping[str, int], among: str = "") -> str | None:
        """What `of_hparams` gives, from memory; None where it is not there (yet)."""
        return self._find(turn, names, ("h", "n"), among, of_hparams, _HPARAM_BYTES)

    def metrics(self, turn: int, metrics: Mapping[Metric, int], among: str = "") -> str | None:
        """What `of_metrics` gives, from memory; None where it is not there (yet)."""
        return self._find(turn, metrics, ("m",), among, of_metrics, _METRIC_BYTES)

    def faults(self, turn: int, faults: Mapping[str, int], among: str = "") -> str | None:
        """What `of_faults` gives, from memory; None where it is not there (yet)."""
        return self._find(turn, faults, ("q",), among, of_faults, _FAULT_BYTES)

    def _find(
        self,
        turn: int,
        wanted: Mapping[_K, int],
        letters: tuple[str, ...],
        among: str,
        query: Callable[[Scope, Mapping[_K, int]], str],
        size: int,
    ) -> str | None:
        # Names of hyperparameters and of faults may be alike.
        kind = letters[0]
        with self._lock:
            places: dict[_K, _Table] = {}
            for table in self._tables:
                places |= {key: table for key in wanted if (kind, key) in table.columns}
            missing = [key for key in wanted if key not in places]
            if missing:
                if all(self._asked.get((kind, key), turn) != turn for key in missing):
                    self._begin(kind, missing, query, size)
                for key in missing:
                    self._asked.setdefault((kind, key), turn)
                return None
            used = list({table.name: table for table in places.values()}.values())
            for table in used:
                table.used = time.monotonic()
        columns = [
            f"{table.name}.{letter}{table.columns[kind, key]} AS {letter}{wanted[key]}"
            for key, table in places.items()
            for letter in letters
        ]
        joins = "".join(f" LEFT JOIN memory.main.{one.name} USING (run_id)" for one in used)
        return f"SELECT run_id, {', '.join(columns)} FROM (SELECT run_id FROM {among or 'runs'}){joins}"

    def _begin(
        self, kind: str, keys: list[_K], query: Callable[[Scope, Mapping[_K, int]], str], size: int
    ) -> None:
        """Make a table of *keys*, one at a time, if there is room or can be made."""
        if self._making is not None and self._making.is_alive():
            return
        need, now = size * len(keys) * self._runs, time.monotonic()
        free = _MOST_BYTES - sum(one.size for one in self._tables)
        old = [one for one in self._tables if now - one.used > _LATELY_S]
        if need > free + sum(one.size for one in old):
            return
        for one in sorted(old, key=lambda table: table.used):
            if need <= free:
                break
            free += one.size
            self._tables.remove(one)
            self._drop([one])
        self._made += 1
        table = _Table(
            f"kept_{self._made}", {(kind, key): i for i, key in enumerate(keys)}, need, now
        )
        scope = Scope()
        sql = query(scope, {key: i for i, key in enumerate(keys)})
        since = self._since
        self._making = threading.Thread(
            target=self._make, args=(table, sql, scope.params, since), name="kept"
        )
        self._making.start()

    def _make(self, table: _Table, sql: str, params: dict[str, object], since: int) -> None:
        con = self._connect()
        try:
            self._sweep(con)
            con.execute(f"CREATE TABLE memory.main.{table.name} AS {sql}", params).fetchall()
        except duckdb.Error:
            # Whoever asks for it gets it from the lake, or is told what is wrong.
            return
        finally:
            con.close()
        with self._lock:
            if since != self._since:
                self._drop([table])
                return
            self._tables.append(table)

    def _drop(self, tables: list[_Table]) -> None:
        now = time.monotonic()
        self._dropped += [(now, table.name) for table in tables]

    def _sweep(self, con: duckdb.DuckDBPyConnection) -> None:
        before = time.monotonic() - _FOUND_AFTER_S
        with self._lock:
            gone = [name for at, name in self._dropped if at < before]
            self._dropped = [one for one in self._dropped if one[0] >= before]
        for name in gone:
            con.execute(f"DROP TABLE memory.main.{name}").fetchall()

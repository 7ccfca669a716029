"""The Python API on a lake of this machine: questions in, pandas DataFrames out."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa

from ..core import settings
from ..core.errors import UsageError
from ..lake import ask, history
from ..lake.database import Lake, open_lake
from ..lake.grammar import split
from ..lake.location import locate
from ..lake.search import DEFAULT_COLUMNS, Query

Texts = str | Iterable[str]
Runs = pd.DataFrame | str | int | Iterable[int | str]


class Client:
    """A lake, read-only. Times in its DataFrames are UTC without a zone, NaN stays NaN.

    Not for several threads at once: each opens a client of its own.
    """

    def __init__(self, lake: Lake) -> None:
        self._lake = lake

    def close(self) -> None:
        """Let go of the lake."""
        self._lake.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<boardlake {self._lake.location.root}>"

    def runs(
        self,
        filter: str = "",
        columns: Texts | None = None,
        sort: Texts | None = None,
        group_by: Texts | None = None,
        limit: int | None = None,
        *,
        duplicates: bool = False,
    ) -> pd.DataFrame:
        """The runs that match *filter*, one row each, run_id first; or one row for each group.

        All expressions are in the filter language; lists are given as such or parted by commas.
        Copies of other runs are left out unless *duplicates*. Raises FilterError.
        """
        keys = _texts(group_by)
        chosen = _texts(columns) or (() if keys else DEFAULT_COLUMNS)
        if not keys and "run_id" not in chosen:
            chosen = ("run_id", *chosen)
        query = Query(filter, chosen or None, _texts(sort), keys, limit, duplicates=duplicates)
        return _frame(history.find(self._lake.con, query))

    def history(
        self,
        runs: Runs,
        tags: Texts,
        *,
        streams: Texts | None = None,
        x: history.Axis = "step",
        superseded: bool = False,
    ) -> pd.DataFrame:
        """Every scalar point of *tags* in *runs*, unsampled, one row each.

        *runs* are a DataFrame with run_id or run_key, a filter, or a run_id, run_key or name, or a
        list of these. In tags and streams `*` stands for any characters. Columns: run_id, run,
        stream, tag, step, time, wall_time (Unix seconds), value, attempt; with *x* 'relative' also
        relative (seconds since the first point of the series). In the order of *x* within a series.
        With *superseded* also the points that a restart took back, told by the column superseded.
        Raises UsageError for a run or tag that does not exist.
        """
        table = history.points(
            self._lake.con,
            self._run_ids(runs),
            _names(tags),
            streams=None if streams is None else _names(streams),
            x=x,
            superseded=superseded,
        )
        return _frame(table)

    def series(self, runs: Runs = "") -> pd.DataFrame:
        """The series of *runs* (as for `history`): points, steps, first, last, min, max, mean..."""
        return _frame(history.series(self._lake.con, self._some(runs)))

    def hparams(self, runs: Runs = "", *, origins: bool = False) -> pd.DataFrame:
        """The hyperparameters of *runs* (as for `history`), one row for each run and name.

        Columns: run_id, run, name, type, value (text), number, origin. With *origins* one row for
        each place that tells of it. `runs(columns="hp.lr")` has them side by side.
        """
        return _frame(history.hparams(self._lake.con, self._some(runs), origins=origins))

    def tags(self) -> pd.DataFrame:
        """All tags of the lake: tag, kind, plugin, runs, points."""
        return _frame(history.tags(self._lake.con))

    def sql(self, query: str, parameters: Any = None) -> pd.DataFrame:
        """The answer to one reading SQL statement; *parameters* for its `?` or `$name`.

        Raises UsageError with DuckDB's message.
        """
        return _frame(ask.ask(self._lake.con, query, parameters))

    def connect(self) -> duckdb.DuckDBPyConnection:
        """A DuckDB connection of the caller's own, the lake read-only in use; close it after use.

        Its SQL may name DataFrames of the calling function.
        """
        con = open_lake(self._lake.location).con
        con.execute("SET python_enable_replacements = true")
        return con

    def _some(self, runs: Runs) -> list[int] | None:
        everything = isinstance(runs, str) and not runs.strip()
        return None if everything else self._run_ids(runs)

    def _run_ids(self, runs: Runs) -> list[int]:
        if isinstance(runs, str):
            query = Query(runs, ("run_id",), ("run_id",), duplicates=True)
            found: list[int] = history.find(self._lake.con, query)["run_id"].to_pylist()
            return found
        if isinstance(runs, pd.DataFrame):
            if "run_id" in runs.index.names:
                runs = runs.index.to_frame(index=False)
            column = next((name for name in ("run_id", "run_key") if name in runs.columns), None)
            if column is None:
                raise UsageError(
                    f"runs: the DataFrame has no column run_id, only {list(runs.columns)[:20]}",
                    hint="pass what `runs()` returned, or a list of run_ids",
                )
            runs = runs[column].dropna().unique().tolist()
        wanted = [runs] if isinstance(runs, int) else list(runs)
        return history.run_ids(self._lake.con, [_one(run) for run in wanted])


def open_client(config_or_lake: str | os.PathLike[str] | None = None) -> Client:
    """The lake in a directory, or the one that a config file (`.toml`) or the usual config names.

    Raises LakeMissing, ConfigError, or UsageError for what is neither.
    """
    given = None if config_or_lake is None else os.fspath(config_or_lake)
    if given is not None and re.match(r"https?://", given, re.IGNORECASE):
        raise UsageError(
            f"{given}: this version opens lakes of this machine only",
            hint="servers come with the web service; give a lake's directory or a config file",
        )
    if given is not None and not given.lower().endswith(".toml"):
        return Client(open_lake(locate(given)))
    found = settings.load(None if given is None else Path(given), os.environ)
    memory = f"{found.lake.memory_limit}B"
    return Client(open_lake(locate(str(found.lake.path)), memory_limit=memory))


def _texts(given: Texts | None) -> tuple[str, ...]:
    if given is None:
        return ()
    return split(given) if isinstance(given, str) else tuple(given)


def _names(given: Texts) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given)


def _one(run: Any) -> int | str:
    """A run_id, also one of NumPy's, or a text."""
    if isinstance(run, str):
        return run
    try:
        return int(run.__index__())
    except AttributeError:
        raise UsageError(f"runs: got {run!r:.80}, expected a run_id, run_key or name") from None


def _frame(table: pa.Table) -> pd.DataFrame:
    """*table* in pandas: integers stay integers where some are missing, decimals become floats."""
    columns: dict[str, pd.Series[Any]] = {}
    for name, column in zip(table.column_names, table.columns, strict=True):
        if pa.types.is_decimal(column.type):
            column = column.cast(pa.float64())
        if pa.types.is_integer(column.type) and column.null_count:
            columns[name] = column.to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get)
        else:
            columns[name] = column.to_pandas(date_as_object=False)
    return pd.DataFrame(columns)

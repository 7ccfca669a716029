"""The Python API: questions in, pandas DataFrames out, wherever the lake is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any, Literal

import duckdb
import pandas as pd
import pyarrow as pa

from ..core.errors import UsageError
from ..lake.grammar import split

Texts = str | Iterable[str]
Runs = pd.DataFrame | str | int | Iterable[int | str]
Axis = Literal["step", "wall_time", "relative"]


class Client(ABC):
    """A lake, read-only. Times in its DataFrames are UTC without a zone, NaN stays NaN.

    Not for several threads at once: each opens a client of its own.
    """

    @abstractmethod
    def close(self) -> None:
        """Let go of the lake."""

    @abstractmethod
    def _ask(self, question: str, arguments: dict[str, Any]) -> pa.Table:
        """The answer to one of the questions of `questions.QUESTIONS`."""

    @abstractmethod
    def sql(self, query: str, parameters: Any = None) -> pd.DataFrame:
        """The answer to one reading SQL statement; *parameters* for its `?` or `$name`.

        Raises SqlError (a UsageError) with DuckDB's message. A server also raises LimitError for
        what takes more time, memory or rows than it gives.
        """

    @abstractmethod
    def connect(self) -> duckdb.DuckDBPyConnection:
        """A DuckDB connection of the caller's own, the lake read-only in use; close it after use.

        Its SQL may name DataFrames of the calling function. Raises UsageError where the lake of a
        server is not on this machine.
        """

    @abstractmethod
    def tensorboard(
        self, runs: Runs = "", *, duplicates: bool = False, archived: bool = False
    ) -> str:
        """The address of TensorBoard on *runs* (as for `history`), on the server.

        One for a filter shows runs that come to match later, too; without *duplicates* and
        *archived* it leaves out copies and archived runs. Raises UsageError for a lake of this
        machine, which no server is at; `boardlake tensorboard` starts one.
        """

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

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
        asked = {"filter": filter, "limit": limit, "duplicates": duplicates}
        lists = {"columns": columns, "sort": sort, "group_by": group_by}
        return self._frame("runs", asked | {name: _texts(one) for name, one in lists.items()})

    def history(
        self,
        runs: Runs,
        tags: Texts,
        *,
        streams: Texts | None = None,
        x: Axis = "step",
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
        asked = {
            "runs": some(runs), "tags": _names(tags), "x": x, "superseded": superseded,
            "streams": None if streams is None else _names(streams),
        }  # fmt: skip
        return self._frame("history", asked)

    def series(self, runs: Runs = "") -> pd.DataFrame:
        """The series of *runs* (as for `history`): points, steps, first, last, min, max, mean..."""
        return self._frame("series", {"runs": some(runs)})

    def hparams(self, runs: Runs = "", *, origins: bool = False) -> pd.DataFrame:
        """The hyperparameters of *runs* (as for `history`), one row for each run and name.

        Columns: run_id, run, name, type, value (text), number, origin. With *origins* one row for
        each place that tells of it. `runs(columns="hp.lr")` has them side by side.
        """
        return self._frame("hparams", {"runs": some(runs), "origins": origins})

    def tags(self) -> pd.DataFrame:
        """All tags of the lake: tag, kind, plugin, runs, points."""
        return self._frame("tags", {})

    def best(
        self,
        metric: str,
        group_by: Texts,
        direction: Literal["min", "max"],
        filter: str = "",
        *,
        least: int = 1,
        duplicates: bool = False,
    ) -> pd.DataFrame:
        """The best run of each group, one row each, the best first.

        Columns: the keys; runs; values (runs with a finite value of *metric*); best, best_step,
        best_run, best_run_key, best_run_id; ties (further runs with the same value); mean, std,
        median. Groups with fewer than *least* values are left out. Raises FilterError.
        """
        asked = {
            "metric": metric, "group_by": _texts(group_by), "direction": direction,
            "filter": filter, "least": least, "duplicates": duplicates,
        }  # fmt: skip
        return self._frame("best", asked)

    def importance(
        self,
        target: str,
        filter: str = "",
        *,
        method: Literal["auto", "rank"] = "auto",
        duplicates: bool = False,
    ) -> pd.DataFrame:
        """Which hyperparameters *target* depends on, one row each, the most important first.

        Columns: name, expr, kind, distinct, runs; importance and its std, the part of the variance
        of the target's ranks in which it has a hand, by a random forest on runs that it has not
        seen (missing without scikit-learn, with fewer than ten runs, or with *method* 'rank');
        rank_correlation, Spearman's, or for texts eta, and its p; direction. Raises FilterError.
        """
        asked = {"target": target, "filter": filter, "method": method, "duplicates": duplicates}
        return self._frame("importance", asked)

    def _frame(self, question: str, arguments: dict[str, Any]) -> pd.DataFrame:
        return frame(self._ask(question, arguments))


def some(runs: Runs) -> str | list[int | str]:
    """*runs* as a filter, or as a list of run_ids, run_keys and names."""
    if isinstance(runs, str):
        return runs
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
    return [_one(run) for run in wanted]


def _texts(given: Texts | None) -> list[str]:
    if given is None:
        return []
    return list(split(given) if isinstance(given, str) else given)


def _names(given: Texts) -> list[str]:
    return [given] if isinstance(given, str) else list(given)


def _one(run: Any) -> int | str:
    """A run_id, also one of NumPy's, or a text."""
    if isinstance(run, str):
        return run
    try:
        return int(run.__index__())
    except AttributeError:
        raise UsageError(f"runs: got {run!r:.80}, expected a run_id, run_key or name") from None


def frame(table: pa.Table) -> pd.DataFrame:
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

"""The questions of the Python API, asked of a lake here or, by the same names, over HTTP."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import duckdb
import pyarrow as pa
from pydantic import Field, ValidationError

from ..core.errors import UsageError
from ..lake import detail, history, ranking
from ..lake.factors import factors
from ..lake.search import DEFAULT_COLUMNS, Names, Query
from .importance import Method, importance, table
from .models import Expression, Taken

# A filter, or run_ids, run_keys and names.
Some = (
    Expression
    | Annotated[
        list[Annotated[int, Field(ge=0, lt=1 << 62)] | Annotated[str, Field(max_length=10_000)]],
        Field(max_length=1_000_000),
    ]
)
_KEYS = pa.schema({"run_id": pa.int64(), "run_key": pa.string(), "name": pa.string()})
Patterns = Annotated[list[Annotated[str, Field(max_length=1_000)]], Field(max_length=1_000)]


class Runs(Taken):
    """The runs that match a filter, run_id first; or groups of them."""

    filter: Expression = ""
    columns: list[Expression] = Field([], max_length=1_000)
    sort: list[Expression] = Field([], max_length=16)
    group_by: list[Expression] = Field([], max_length=16)
    limit: Annotated[int, Field(ge=0, lt=1 << 62)] | None = None
    duplicates: bool = False

    def ask(self, con: duckdb.DuckDBPyConnection, known: Names) -> pa.Table:
        """The answer as a table."""
        keys = tuple(self.group_by)
        chosen = tuple(self.columns) or (() if keys else DEFAULT_COLUMNS)
        if not keys and "run_id" not in chosen:
            chosen = ("run_id", *chosen)
        query = Query(
            self.filter, chosen or None, tuple(self.sort), keys, self.limit,
            duplicates=self.duplicates,
        )  # fmt: skip
        return history.find(con, query, known)


class Keys(Taken):
    """What the runs are called that a filter or a list means, copies among them."""

    runs: Some

    def ask(self, con: duckdb.DuckDBPyConnection, known: Names) -> pa.Table:
        """The answer as a table: run_id, run_key, name."""
        found = detail.named(con, run_ids(con, self.runs, known))
        rows = [{"run_id": id, "run_key": key, "name": name} for id, (key, name) in found.items()]
        return pa.Table.from_pylist(rows, _KEYS)


class History(Taken):
    """Every point of some tags in some runs."""

    runs: Some
    tags: Patterns
    streams: Patterns | None = None
    x: Literal["step", "wall_time", "relative"] = "step"
    superseded: bool = False

    def ask(self, con: duckdb.DuckDBPyConnection, known: Names) -> pa.Table:
        """The answer as a table."""
        return history.points(
            con, run_ids(con, self.runs, known), self.tags,
            streams=self.streams, x=self.x, superseded=self.superseded,
        )  # fmt: skip


class Series(Taken):
    """The series of some runs; without any filter those of all."""

    runs: Some = ""

    def ask(self, con: duckdb.DuckDBPyConnection, known: Names) -> pa.Table:
        """The answer as a table."""
        return history.series(con, _some(con, self.runs, known))


class Hparams(Taken):
    """The hyperparameters of some runs."""

    runs: Some = ""
    origins: bool = False

    def ask(self, con: duckdb.DuckDBPyConnection, known: Names) -> pa.Table:
        """The answer as a table."""
        return history.hparams(con, _some(con, self.runs, known), origins=self.origins)


class Tags(Taken):
    """All tags of the lake."""

    def ask(self, con: duckdb.DuckDBPyConnection, known: Names) -> pa.Table:
        """The answer as a table."""
        return history.tags(con)


class Best(Taken):
    """The best run of each group."""

    metric: Annotated[Expression, Field(min_length=1)]
    group_by: list[Expression] = Field(..., min_length=1, max_length=16)
    direction: ranking.Direction
    filter: Expression = ""
    least: int = Field(1, ge=0, le=1_000_000)
    duplicates: bool = False

    def ask(self, con: duckdb.DuckDBPyConnection, known: Names) -> pa.Table:
        """The answer as a table."""
        query = Query(
            self.filter, group_by=tuple(self.group_by), duplicates=self.duplicates
        )  # fmt: skip
        found = ranking.best(con, query, self.metric, self.direction, known, least=self.least)
        return found.table


class Importance(Taken):
    """Which hyperparameters a number depends on."""

    target: Annotated[Expression, Field(min_length=1)]
    filter: Expression = ""
    duplicates: bool = False
    method: Method = "auto"

    def ask(self, con: duckdb.DuckDBPyConnection, known: Names) -> pa.Table:
        """The answer as a table."""
        query = Query(self.filter, duplicates=self.duplicates)
        return table(importance(factors(con, query, self.target, known), self.method))


Question = Runs | Keys | History | Series | Hparams | Tags | Best | Importance
QUESTIONS: dict[str, type[Question]] = {
    "runs": Runs, "keys": Keys, "history": History, "series": Series, "hparams": Hparams,
    "tags": Tags, "best": Best, "importance": Importance,
}  # fmt: skip


def question(name: str, arguments: dict[str, Any]) -> Question:
    """The question *name* with its arguments; raises UsageError for one that does not fit."""
    try:
        return QUESTIONS[name].model_validate(arguments)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = first["loc"][0] if first["loc"] else name
        raise UsageError(f"{where}: {first['msg']}, got {first['input']!r:.80}") from None


def run_ids(con: duckdb.DuckDBPyConnection, runs: Any, known: Names) -> list[int]:
    """The run_ids of a filter, or of a list of run_ids, run_keys and names; raises UsageError."""
    if isinstance(runs, str):
        query = Query(runs, ("run_id",), ("run_id",), duplicates=True)
        found: list[int] = history.find(con, query, known)["run_id"].to_pylist()
        return found
    return history.run_ids(con, runs)


def _some(con: duckdb.DuckDBPyConnection, runs: Any, known: Names) -> list[int] | None:
    everything = isinstance(runs, str) and not runs.strip()
    return None if everything else run_ids(con, runs, known)

"""What the routes on groups of runs and on the importance of hyperparameters take and give."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from ..lake.ranking import MAX_GROUPS, Direction, Order
from .given import Number
from .models import (
    FORMATS,
    Chosen,
    Column,
    Expression,
    Expressions,
    Given,
    RunKey,
)

Keys = Annotated[Expressions, Field(min_length=1, max_length=16)]
Metric = Annotated[Expression, Field(min_length=1)]
_ORDER = "What groups are ordered by: best first, the others upwards, with `-` downwards."


class GroupsOf(Chosen):
    """Groups of runs, and the number that is looked at in each."""

    group_by: Keys = Field(..., description="Keys of the groups.")
    metric: Metric = Field(..., description='An expression that is a number: min("val/loss").')
    limit: int = Field(100, ge=0, le=MAX_GROUPS)
    offset: int = Field(0, ge=0, lt=1 << 62)


class BestAsked(GroupsOf):
    """The best run of each group."""

    direction: Direction = Field(..., description="Which end of the metric is the better one.")
    least: int = Field(
        1, ge=0, le=1_000_000, description="Only groups with so many runs that have a value."
    )
    sort: Order = Field("best", description=_ORDER)
    format: Literal["json", "csv", "arrow", "parquet"] = "json"


class BoxesAsked(GroupsOf):
    """How the values of a metric lie in each group."""

    sort: Order = Field("key", description=_ORDER)


class Standings(Given):
    """Rows of groups: their keys, then what is told of each; NaN and infinities are texts."""

    model_config = {"openapi_extra": {"content": FORMATS}}  # type: ignore[typeddict-unknown-key]
    keys: list[str]
    columns: list[Column]
    rows: list[list[Any]]
    total: int
    offset: int
    left_out: int
    snapshot: int


class ImportanceAsked(Chosen):
    """Which hyperparameters a number depends on."""

    target: Metric = Field(..., description='An expression that is a number: min("val/loss").')
    runs: list[RunKey] | None = Field(
        None, max_length=100_000, description="Only these of the runs that match, by run_key."
    )
    hparams: list[Annotated[str, Field(max_length=1_000)]] | None = Field(
        None, max_length=1_000, description="Only these; else all that have more than one value."
    )
    method: Literal["auto", "rank"] = Field(
        "auto", description="`rank` grows no forest: rank correlations alone."
    )


class TargetBin(Given):
    """The target of runs with a value from `low` to `high`, or `text`; without any, if all are null."""

    low: Number | None
    high: Number | None
    text: str | None
    runs: int
    mean: Number
    q1: Number
    median: Number
    q3: Number


class Weight(Given):
    """How the target goes with a hyperparameter."""

    name: str
    expr: str
    kind: Literal["number", "category"]
    distinct: int
    runs: int
    importance: float | None
    std: float | None
    rank_correlation: float | None
    p: float | None
    direction: Literal["up", "down", "none"] | None
    trend: list[TargetBin]


class Untold(Given):
    """A hyperparameter that nothing can be said about, and why."""

    name: str
    expr: str
    why: str


class Importance(Given):
    """The most important hyperparameter first; `r2` is the forest's on runs that it has not seen."""

    target: str
    runs: int
    left_out: int
    cut: int
    method: Literal["forest", "rank"]
    r2: float | None
    forest_runs: int | None
    rows: list[Weight]
    apart: list[Untold]
    note: str
    seconds: float

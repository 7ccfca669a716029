"""What the routes on groups of runs and on the importance of hyperparameters take and give."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from ..lake.ranking import MAX_GROUPS, Direction, Order
from .models import FORMATS, Chosen, Column, Expression, Expressions, Given

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

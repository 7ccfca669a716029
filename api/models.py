"""What the API takes and gives, as types: the OpenAPI document is made of them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from ..lake.grammar import split
from .answers import MIME


def parted(value: object) -> object:
    """A list given as one text: parted at its commas, but not within quotes or brackets."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    return [part for part in split(value) if part.strip()] if isinstance(value, str) else value


Expression = Annotated[str, Field(max_length=10_000)]
Expressions = Annotated[list[Expression], BeforeValidator(parted), Field(max_length=1_000)]
Finite = Annotated[float, Field(allow_inf_nan=False, ge=-1e300, le=1e300)]
RunKey = Annotated[str, Field(min_length=1, max_length=64)]
Id = Annotated[int, Field(ge=0, lt=1 << 62)]
Ids = Annotated[list[Id], BeforeValidator(parted), Field(max_length=2_000)]


class Taken(BaseModel):
    """What is taken; an unknown name is refused."""

    model_config = ConfigDict(extra="forbid")

    @field_validator("*", mode="before")
    @classmethod
    def _without_nul(cls, value: object) -> object:
        # A statement of DuckLake to its catalog ends at it.
        if _has_nul(value):
            raise ValueError("a NUL character is not taken")
        return value


def _has_nul(value: object) -> bool:
    # JSON nests as deep as it likes: it is walked, not recursed into.
    left = [value]
    while left:
        one = left.pop()
        if isinstance(one, str) and "\0" in one:
            return True
        if isinstance(one, dict):
            left += [*one, *one.values()]
        elif isinstance(one, list | tuple):
            left += one
    return False


class Given(BaseModel):
    """What is given."""


# The other forms of an answer that is a table.
FORMATS = {
    mime.partition(";")[0]: {"schema": {"type": "string", "format": "binary"}}
    for mime in MIME.values()
}


class Chosen(Taken):
    """Which runs."""

    filter: Expression = Field("", description="An expression of the filter language, or words.")
    duplicates: bool = Field(False, description="Also runs that are copies of another.")
    archived: bool = Field(False, description="Also runs that were archived.")


class RunsAsked(Chosen):
    """A page of the run table."""

    columns: Expressions = Field([], description="Expressions, each may end in `as name`.")
    sort: Expressions = Field([], description="Expressions; `-` before one descends.")
    limit: int = Field(100, ge=0, le=100_000)
    offset: int = Field(0, ge=0, lt=1 << 62)
    format: Literal["json", "csv", "arrow", "parquet"] = "json"


class MembersAsked(RunsAsked):
    """A page of the run table, or of one group's members."""

    members: Annotated[str, Field(max_length=100_000)] = Field(
        "", description="JSON list of [group key, value] as a row of groups has them."
    )


class GroupsAsked(RunsAsked):
    """A page of groups."""

    group_by: Expressions = Field(..., min_length=1, description="Keys of the groups.")
    quartiles: bool = Field(
        False, description="Also q1, median, q3 and n (values that are finite) of each column."
    )


class FacetsAsked(Chosen):
    """Counts by field."""

    fields: Expressions = Field(["state", "project", "machine", "source"], max_length=20)
    limit: int = Field(20, ge=1, le=1_000)


class TagsAsked(Chosen):
    """Tags of some runs."""

    runs: Ids = Field([], description="run_ids; none means those of the filter, or all.")
    kind: Literal["", "scalar", "tensor", "blob"] = ""
    tree: bool = Field(False, description="Also as a tree of what stands between slashes.")


class Column(Given):
    """A column of a table."""

    name: str
    kind: Literal["number", "text", "time", "boolean", "list"]


class Table(Given):
    """Rows by column; NaN and infinities are texts, times ISO 8601 in UTC."""

    model_config = {"openapi_extra": {"content": FORMATS}}  # type: ignore[typeddict-unknown-key]
    columns: list[Column]
    rows: list[list[Any]]
    total: int
    offset: int
    snapshot: int


class SeriesAsked(Taken):
    """Curves of many runs and tags at once."""

    runs: list[Id] = Field([], max_length=2_000, description="run_ids: a curve for each.")
    groups: list[Annotated[list[Id], Field(max_length=100_000)]] | None = Field(
        None, max_length=500, description="Lists of run_ids: a curve for each list instead."
    )
    tags: list[Annotated[str, Field(max_length=1_000)]] = Field(..., min_length=1, max_length=100)
    streams: list[Annotated[str, Field(max_length=1_000)]] | None = Field(None, max_length=100)
    x: Literal["step", "relative", "wall"] = "step"
    range: tuple[Finite, Finite] | None = Field(None, description="Only x from, to.")
    px: int = Field(600, ge=64, le=8_192, description="Width of the chart in pixels.")
    every: bool = Field(False, description="Every point, however many there are.")
    superseded: bool = Field(False, description="Also the stretches that a restart took back.")
    format: Literal["frame", "json", "csv", "arrow", "parquet"] = "frame"


class OneRun(Taken):
    """A run by its key."""

    run_key: RunKey


class Wrong(Given):
    """What went wrong, and what to do."""

    kind: str
    message: str
    hint: str
    field: str | None = None
    text: str | None = None
    position: int | None = None


class Refused(Given):
    """The shape of every error."""

    error: Wrong


class Changes(Taken):
    """What is written about some runs; what is left out stays."""

    name: str | None = Field(None, max_length=200)
    notes: str | None = Field(None, max_length=20_000)
    colour: str | None = Field(None, pattern="^(#[0-9a-fA-F]{6})?$")
    archived: bool | None = None


class Annotate(Taken):
    """A change to what people wrote about runs."""

    runs: list[RunKey] = Field(..., min_length=1, max_length=100_000)
    set: Changes = Changes.model_construct()
    add_tags: list[Annotated[str, Field(min_length=1, max_length=64)]] = Field([], max_length=50)
    remove_tags: list[Annotated[str, Field(min_length=1, max_length=64)]] = Field([], max_length=50)


class AnnotationsAsked(Taken):
    """The runs whose annotations are wanted."""

    runs: list[RunKey] = Field(..., min_length=1, max_length=100_000, description="run_keys.")


class AnnotationTagsAsked(Taken):
    """How many of people's tags are wanted."""

    limit: int = Field(1_000, ge=1, le=10_000)


class ViewSaved(Taken):
    """The state of a page to be kept under a short id."""

    page: str = Field(..., pattern="^[a-z]{1,32}$")
    state: dict[str, Any]
    name: str = Field("", max_length=200)


class OneView(Taken):
    """A view by its id."""

    id: str = Field(..., min_length=1, max_length=64)


class Saved(Given):
    """The short id under which a view is kept."""

    id: str

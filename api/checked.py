"""What the routes on sources and on the quality of runs give: shapes in the OpenAPI document."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from .given import Number
from .models import Column, Given

Time = str | None


class Cycle(Given):
    """One look at a source; bytes are those read, points those stored."""

    started_at: Time
    ended_at: Time
    seconds: Number | None
    files_listed: int | None
    files_changed: int | None
    bytes_read: int | None
    points: int | None
    requests: int | None = Field(description="Asked of the source: what lists and what reads.")
    problems: int | None
    list_requests: int | None
    read_requests: int | None
    bytes_received: int | None = Field(description="Bytes of the answers of its server.")
    files_looked: int | None = Field(
        description="Looked at; the others of those listed were known."
    )
    cost: Number | None = Field(description="Of its requests, at the prices in the config.")


class LastCycle(Cycle):
    """The last cycle of a source, and the settings that it had."""

    error: str | None = Field(description="Why the source could not be read.")
    skipped: str | None = Field(description="Why all or a part of it was left to a later cycle.")
    requests_per_day: int | None
    rescan_s: Number | None


class Source(Given):
    """A source: what the lake holds of it, and how it was looked at; times in seconds, UTC."""

    source: str
    uri: str | None
    machine: str | None
    kind: str | None
    project: str | None
    policy: str | None
    last_cycle_at: Time
    lag_s: Number | None = Field(description="Seconds since the last cycle ended.")
    usual_s: Number | None = Field(description="Usually between the starts of two cycles: median.")
    files: int
    files_missing: int = Field(description="No longer in the source.")
    runs: int
    running: int
    stalled: int
    failed: int
    finished: int
    problems: int
    points: int
    size: int = Field(description="Bytes of its event files.")
    behind: int = Field(description="Bytes that were listed but not read.")
    requests_per_cycle: Number | None = Field(description="Median of the last 100 cycles.")
    cycle: LastCycle | None = Field(description="The last one.")
    error: str | None = Field(description="Why the source as a whole could not be read.")
    requests_day: int = Field(description="Requests within the last 24 hours.")
    requests_per_day: int | None = Field(description="How many are allowed; null = any number.")
    received_day: int = Field(description="Bytes received within the last 24 hours.")
    cost_per_day: Number | None = Field(
        description="Estimate from the last 24 hours, at the prices in the config; null where"
        " nobody counts requests, and within the first minutes."
    )
    whole_at: Time = Field(description="When everything in it was last looked at.")
    whole_again_at: Time = Field(description="When everything is looked at again at the latest.")
    stalled_after_s: Number | None
    finished_after_s: Number | None


class Machine(Given):
    """A machine: what the lake holds of it."""

    machine: str | None
    sources: list[str]
    runs: int
    running: int
    stalled: int
    failed: int
    finished: int
    files: int
    points: int
    size: int
    last_event_at: Time
    skew_s: Number | None = Field(
        description="Median of newest event minus file time, over files where that tells of a"
        " clock: the event is later, or the file was seen to grow. Above 0 the clock is ahead."
    )
    skew_files: int = Field(description="Files where that is known.")


class Sources(Given):
    """All sources and machines by name."""

    now: str
    sources: list[Source]
    machines: list[Machine]


class CyclesTogether(Cycle):
    """Neighbouring cycles of a source as one: sums, and the largest number of files listed."""

    source: str | None
    cycles: int = Field(description="How many were put together.")
    failed: int = Field(description="How many of them could not read the source.")
    put_off: int = Field(description="How many left all or a part of it to a later cycle.")
    reason: str | None = Field(description="Why the last of those did.")


class Cycles(Given):
    """Cycles by time."""

    cycles: list[CyclesTogether]


class ProblemKind(Given):
    """How often a kind of problem occurs."""

    kind: str | None
    problems: int
    files: int


class Problem(Given):
    """Something that could not be stored, or not as it should be."""

    at: Time
    source: str | None
    path: str | None
    offset: int | None
    bytes: int | None
    kind: str | None
    message: str | None
    run_key: str | None
    run: str | None


class Problems(Given):
    """A page of problems; kinds are of all, whichever kind is asked for."""

    total: int
    kinds: list[ProblemKind]
    problems: list[Problem]


class Place(Given):
    """Where a run was found."""

    run_key: str
    name: str | None
    source: str | None
    machine: str | None
    path: str | None


class Copied(Place):
    """A run, and where else it was found."""

    copies: list[Place]


class Copies(Given):
    """A page of the runs that have copies."""

    total: int
    copies: list[Copied]


class TableUse(Given):
    """A table of the lake on the disk."""

    table: str
    rows: int
    files: int
    bytes: int


class ProjectUse(Given):
    """A project's share."""

    project: str | None
    runs: int
    points: int
    bytes: int


class TagUse(Given):
    """A tag's share."""

    tag: str | None
    kind: str | None
    runs: int
    points: int
    bytes: int


class Disk(Given):
    """Bytes on the disk; those of projects and tags are estimates, as `note` says."""

    total: int
    catalog: int
    note: str
    tables: list[TableUse]
    projects: list[ProjectUse]
    tags: list[TagUse]


class QualityCheck(Given):
    """A check, and how many of the runs it finds; `filter` finds them in the run table."""

    id: str
    title: str
    detail: str
    runs: int
    filter: str
    duplicates: bool = Field(description="Whether the run table has to show copies for that.")


class Quality(Given):
    """The report: how many runs were looked at, and what each check finds."""

    runs: int
    checks: list[QualityCheck]


class QualityRows(Given):
    """A page of what a check finds; the first two columns are run_key and run."""

    id: str
    total: int
    columns: list[Column]
    rows: list[list[Any]]

"""The values that pass between the ingester and the lake: cursors, pieces of files, and their rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

# What a text takes besides its characters.
_TEXT = 60

Kind = Literal["scalar", "tensor", "blob"]
KINDS: tuple[Kind, ...] = ("scalar", "tensor", "blob")


@dataclass(frozen=True)
class Problem:
    """Something of a file that could not be stored, or not as it should be; `bytes` is its extent."""

    path: str
    offset: int
    bytes: int
    kind: str
    message: str


HparamType = Literal["float", "int", "bool", "string", "null", "list"]


@dataclass(frozen=True)
class Hparam:
    """One setting from one origin; `number` is its value as a number (bools 1.0 and 0.0), or None.

    Where several origins give one name, the smallest rank wins.
    """

    name: str
    type: HparamType
    value: str
    number: float | None
    origin: str
    rank: int


@dataclass(frozen=True)
class SeriesMeta:
    """What the first event of a tag says of its series (tensorflow SummaryMetadata)."""

    plugin: str = ""
    data_class: str = ""
    content: bytes = b""
    display_name: str = ""
    description: str = ""


@dataclass(frozen=True)
class Place:
    """Which run and stream a directory of event files belongs to."""

    source: str
    run_key: str
    run_path: str
    stream: str
    machine: str
    project: str
    name: str
    group: str = ""


@dataclass(frozen=True)
class Cursor:
    """How far a file has been read, and what proves that it is still the same file.

    Everything before `offset` is in the lake; `head_hash` is of the first `head_bytes`, `tail_hash`
    of the last `tail_bytes` before `offset`.
    """

    offset: int = 0
    records: int = 0
    head_bytes: int = 0
    head_hash: str = ""
    tail_bytes: int = 0
    tail_hash: str = ""


@dataclass(frozen=True)
class FileEntry:
    """One line of a source's listing: `path` is relative to the root, `version` an inode or ETag."""

    path: str
    size: int
    mtime_ns: int
    version: str


@dataclass(frozen=True)
class Job:
    """A job of a cluster's scheduler as it was last seen; times in Unix seconds, None = unknown.

    `job_id` is the one that people see (`12`, `12_3` of an array, `12+1` of a heterogeneous job);
    `number` is the scheduler's own. `since` is the start of its first try, where it was requeued.
    `nodes` is as the scheduler writes it (`gpu[01-04]`). `roots` are the directories whose runs may
    be its own, relative to the source.
    """

    job_id: str
    number: str = ""
    name: str = ""
    user: str = ""
    state: str = ""
    nodes: str = ""
    partition: str = ""
    submitted_at: float | None = None
    since: float | None = None
    started_at: float | None = None
    ended_at: float | None = None
    exit_code: str = ""
    reason: str = ""
    roots: tuple[str, ...] = ()


@dataclass(frozen=True)
class FileFacts:
    """What the lake shall know of a file after a piece of it: its row in `files`."""

    status: str
    content_key: str | None
    created_unix: int | None
    host: str
    pid: int | None
    writer: str
    first_wall_time: float
    last_wall_time: float


@dataclass
class Block:
    """Points of several series of one kind, series after series, each in record order.

    `starts[g]:starts[g + 1]` are the points of `tags[g]`; tags ascend. `attempt` counts from 0 at the
    piece's begin. `stats` holds one array of length len(tags) for each aggregate in `series_parts`.
    `payload` holds the columns that only this kind has, one row per point; for blobs `row_point`
    gives the point of each payload row, since a step may hold several.
    """

    kind: Kind
    tags: list[str]
    starts: NDArray[np.int64]
    step: NDArray[np.int64]
    wall_time: NDArray[np.float64]
    record: NDArray[np.int64]
    attempt: NDArray[np.int32]
    superseded: NDArray[np.bool_]
    stats: dict[str, NDArray[Any]]
    value: NDArray[np.float64] | None = None
    payload: dict[str, list[Any]] = field(default_factory=dict)
    row_point: NDArray[np.int64] | None = None


@dataclass
class Piece:
    """What a stretch of one file became: rows for the lake and the cursor that goes with them.

    `before` is None for a file that the lake does not know yet; `replaces` says that the file is of
    a new generation, so that everything stored from it goes first; `first_look` that nothing of the
    file had been read before this cycle.
    """

    place: Place
    entry: FileEntry
    before: Cursor | None
    after: Cursor
    facts: FileFacts
    replaces: bool = False
    first_look: bool = False
    blocks: list[Block] = field(default_factory=list)
    meta: dict[tuple[str, Kind], SeriesMeta] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    facts_of_run: list[Any] = field(default_factory=list)
    bytes_read: int = 0

    @property
    def points(self) -> int:
        """Scalar points in this piece."""
        return sum(len(block.step) for block in self.blocks if block.kind == "scalar")

    @property
    def weight(self) -> int:
        """Roughly the bytes of memory that the piece takes until it is stored.

        Measured: however few its points, a piece takes some 30 kB and each series in it 1 kB.
        """
        total = 30_000 + 1_000 * sum(len(block.tags) for block in self.blocks)
        for block in self.blocks:
            total += 48 * len(block.step)
            for column in ("data", "raw", "strings"):
                total += sum(_size(row) for row in block.payload.get(column, ()))
        return total


def _size(row: Any) -> int:
    if isinstance(row, list):
        # Texts, each of them an object of its own.
        return sum(_TEXT + len(text) for text in row)
    return 0 if row is None else int(row.nbytes) if isinstance(row, np.ndarray) else len(row)

"""Sources as the lake knows them: what they are, their cycles, and what went wrong with them."""

from __future__ import annotations

import time
from dataclasses import astuple, dataclass
from datetime import UTC, datetime
from typing import Any

from ..core.values import Problem
from . import facts
from .database import Lake

# Kinds of problems that only a listing finds, beside 'unreadable'.
_OF_LISTINGS = ("source", "too deep", "no ranges", "host key", "mount")


@dataclass(frozen=True)
class SourceFacts:
    """A row of `source_facts`; times in seconds."""

    source: str
    uri: str
    machine: str
    kind: str
    project: str
    policy: str
    stalled_after_s: float
    finished_after_s: float


def write_source(lake: Lake, found: SourceFacts) -> None:
    """Store what a source is, if that is new."""
    known = lake.query("SELECT * FROM source_facts WHERE source = ?", [found.source])
    if known == [astuple(found)]:
        return
    with lake.transaction() as con:
        con.execute("DELETE FROM source_facts WHERE source = ?", [found.source])
        con.execute("INSERT INTO source_facts VALUES (?, ?, ?, ?, ?, ?, ?, ?)", astuple(found))


_CYCLE = (
    *("source", "files_listed", "files_changed", "bytes_read", "points", "requests", "problems"),
    *(
        "list_requests",
        "read_requests",
        "bytes_received",
        "files_looked",
        "cost",
        "error",
        "skipped",
        "requests_per_day",
        "rescan_s",
    ),
)


def write_cycles(lake: Lake, reports: list[dict[str, Any]], *, again: bool = False) -> None:
    """Append rows to `cycles`, in one transaction; times in Unix seconds.

    With *again* a cycle that is there already is left out.
    """
    names = ("started_at", "ended_at", *_CYCLE)
    rows = [
        [
            _utc(one["started_at"]),
            _utc(one["ended_at"]),
            *(one.get(name) if one.get(name) != "" else None for name in _CYCLE),
        ]
        for one in reports
    ]
    if not rows:
        return
    marks = ", ".join("?" * len(names))
    with lake.transaction() as con:
        if again:
            oldest = _utc(min(one["started_at"] for one in reports))
            there = con.execute(
                "SELECT source, started_at FROM cycles WHERE started_at >= ?", [oldest]
            ).fetchall()
            rows = [row for row in rows if (row[2], row[0]) not in there]
            if not rows:
                return
        con.executemany(f"INSERT INTO cycles ({', '.join(names)}) VALUES ({marks})", rows)


def write_problems(lake: Lake, source: str, problems: list[Problem]) -> None:
    """Store what a listing could not see, and forget what it now can; nothing is written twice."""
    known = lake.query(
        "SELECT path, kind, message FROM problems WHERE source = ? AND (kind IN (?, ?, ?, ?, ?) OR"
        " kind = 'unreadable' AND path NOT IN (SELECT path FROM files WHERE source = ?))",
        [source, *_OF_LISTINGS, source],
    )
    now = {(p.path, p.kind, p.message) for p in problems}
    over = [row for row in known if row not in now]
    fresh = [p for p in problems if (p.path, p.kind, p.message) not in known]
    if not fresh and not over:
        return
    with lake.transaction() as con:
        for row in over:
            con.execute(
                "DELETE FROM problems WHERE source = ? AND path = ? AND kind = ? AND message = ?",
                [source, *row],
            )
        facts.write_problems(con, [(source, fresh)], time.time())


def uris(lake: Lake) -> list[str]:
    """The roots of the sources that the lake has been given; those of edges are not here.

    One that has only ever failed was a slip of the hand rather than a source.
    """
    found = lake.query(
        "SELECT uri FROM source_facts s WHERE kind IS DISTINCT FROM 'edge' AND"
        " (EXISTS (FROM cycles c WHERE c.source = s.source AND c.error IS NULL)"
        " OR NOT EXISTS (FROM cycles c WHERE c.source = s.source)) ORDER BY source"
    )
    return [uri for (uri,) in found]


def _utc(unix: float) -> datetime:
    return datetime.fromtimestamp(unix, UTC).replace(tzinfo=None)

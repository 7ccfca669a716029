"""What edges push, into the lake: by the same writers that a local cycle has, exactly once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import duckdb
import pyarrow as pa

from ..core.errors import BoardlakeError
from ..core.values import Cursor, Piece
from . import beside, delete, jobs, ledger, missing, runs_of, sources
from .database import Lake
from .outbox import SeenFile, Stock
from .sources import SourceFacts
from .wire import Begun, Beside, Cycles, Gone, Jobs, Message, Pieces, Problems
from .write import Share, write

KIND = "edge"
URI = "edge:"
_MOST_TOLD = 100
_OTHER_NAME = "give the source another name in the edge's config, [sources.NAME]"


class Refused(BoardlakeError):
    """A source that whoever pushes may not write to."""

    exit_code = 10
    http_status = 409


@dataclass
class Received:
    """What of some messages was stored; `passed_over` are files of which the lake has other cursors
    than the edge thinks: the edge asks again what there is."""

    points: int = 0
    bytes: int = 0
    new_runs: int = 0
    passed_over: list[tuple[str, str]] = field(default_factory=list)
    ended: bool = False

    def count(self, share: Share) -> None:
        """Add what a commit stored."""
        self.points += share.points
        self.bytes += share.bytes
        self.new_runs += share.new_runs


def require_pushed(con: duckdb.DuckDBPyConnection, source: str) -> None:
    """Raises `Refused` where the hub reads *source* itself: edges are told nothing of it."""
    found = con.execute("SELECT kind FROM lake.main.source_facts WHERE source = ?", [source])
    if any(kind != KIND for (kind,) in found.fetchall()):
        raise Refused(f"the source {source!r} is one that the hub reads itself", hint=_OTHER_NAME)


def stock(con: duckdb.DuckDBPyConnection, source: str) -> Stock:
    """All that the lake knows of a pushed *source*."""
    found = con.execute(
        "SELECT source, uri, machine, kind, project, policy, stalled_after_s, finished_after_s"
        " FROM lake.main.source_facts WHERE source = ?",
        [source],
    ).fetchone()
    rows = con.execute(
        "SELECT f.path, f.stream, f.size, f.mtime_ns, f.version, f.offset_read, f.records,"
        " f.head_bytes, f.head_hash, f.tail_bytes, f.tail_hash, f.content_key, r.path,"
        " f.missing_since IS NOT NULL FROM lake.main.files f"
        " LEFT JOIN lake.main.run_facts r USING (run_id) WHERE f.source = ?",
        [source],
    ).fetchall()
    runs = {path for path in runs_of.paths(con, source).values() if path is not None}
    return Stock(
        SourceFacts(*found) if found else None,
        [SeenFile(*row) for row in rows],
        beside.looked_at(con, source),
        delete.deleted_keys(con, source),
        runs,
    )


def metadata(
    con: duckdb.DuckDBPyConnection, source: str, run: str, stream: str
) -> list[tuple[str, str, str, bytes, str, str]]:
    """Tag, kind, plugin, content, display name and description of every series of a stream."""
    found = con.execute(
        "SELECT tag, kind, plugin, content, display_name, description FROM lake.main.series s"
        " JOIN lake.main.run_facts r USING (run_id)"
        " WHERE r.source = ? AND r.path = ? AND s.stream = ? ORDER BY tag, kind",
        [source, run, stream],
    ).fetchall()
    return [
        (tag, kind, plugin or "", content or b"", name or "", text or "")
        for tag, kind, plugin, content, name, text in found
    ]


def apply(lake: Lake, messages: Iterable[Message], may: Callable[[str], bool]) -> Received:
    """Store *messages* in order; sent again they change nothing.

    *may* says whether a source may be written to by who sent them. Raises `Refused`, `WireError`,
    `LakeBusy` and `SpaceError`; what came before that is stored.
    """
    result = Received()
    known: dict[str, SourceFacts | None] = {}
    doubtful: dict[tuple[str, str], Cursor] = {}
    last: dict[tuple[str, str], Cursor] = {}
    for message in messages:
        for source in _sources(message):
            if source not in known:
                known[source] = _facts(lake, source)
            _check(source, known[source], message, may)
        match message:
            case Begun(facts):
                sources.write_source(lake, facts)
                known[facts.source] = facts
            case Pieces(pieces):
                last |= {_key(piece): piece.after for piece in pieces}
                for source, share in write(lake, pieces).shares.items():
                    result.count(share)
                    doubtful |= {(source, path): Cursor() for path in share.passed_over}
            case Beside(source, keys, found, problems):
                numbers = {path: id for id, path in runs_of.paths(lake.con, source).items()}
                by_run = {numbers[path]: many for path, many in found.items() if path in numbers}
                told = {id: many for id, many in by_run.items() if id is not None}
                beside.write(lake, source, keys, told, problems)
            case Gone(source, gone, back, mirror):
                rows = ledger.rows_of_source(lake.con, source)
                there = {path: rows[path] for path in back if path in rows}
                missing.note(
                    lake, there, [rows[path] for path in gone if path in rows], mirror=mirror
                )
            case Problems(source, problems):
                sources.write_problems(lake, source, problems)
            case Jobs(source, found_jobs):
                jobs.settle(lake, source, found_jobs)
            case Cycles(reports):
                result.ended = True
                sources.write_cycles(lake, reports, again=True)
    result.passed_over = _not_stored(lake, {key: last[key] for key in doubtful})[:_MOST_TOLD]
    return result


def _sources(message: Message) -> set[str]:
    match message:
        case Begun(facts):
            return {facts.source}
        case Pieces(pieces):
            return {piece.place.source for piece in pieces}
        case Cycles(reports):
            return {str(one["source"]) for one in reports}
        case _:
            return {message.source}


def _key(piece: Piece) -> tuple[str, str]:
    return piece.place.source, piece.entry.path


def _facts(lake: Lake, source: str) -> SourceFacts | None:
    found = lake.query(
        "SELECT source, uri, machine, kind, project, policy, stalled_after_s, finished_after_s"
        " FROM source_facts WHERE source = ?",
        [source],
    )
    return SourceFacts(*found[0]) if found else None


def _check(
    source: str, known: SourceFacts | None, message: Message, may: Callable[[str], bool]
) -> None:
    if not may(source):
        hint = "`boardlake token` at the hub makes a token for other names of sources"
        raise Refused(f"the token may not push the source {source!r}", hint=hint)
    hint = _OTHER_NAME
    if known is not None and known.kind != KIND:
        raise Refused(f"the source {source!r} is one that the hub reads itself", hint=hint)
    if not isinstance(message, Begun):
        return
    facts = message.facts
    if facts.kind != KIND or not facts.uri.startswith(URI):
        raise Refused(f"the source {source!r} is told as if it were the hub's own", hint=hint)
    if known is not None and known.machine != facts.machine:
        raise Refused(
            f"the source {source!r} is that of another machine, {known.machine!r}", hint=hint
        )


def _not_stored(lake: Lake, last: dict[tuple[str, str], Cursor]) -> list[tuple[str, str]]:
    """The files of which the lake does not have what was sent last: not sent again, but at odds."""
    if not last:
        return []
    lake.con.register(
        "doubtful",
        pa.table(
            {
                "source": pa.array([source for source, _ in last], pa.string()),
                "path": pa.array([path for _, path in last], pa.string()),
            }
        ),
    )
    rows = lake.query(
        "SELECT f.source, f.path, f.offset_read, f.records, f.head_bytes, f.head_hash,"
        " f.tail_bytes, f.tail_hash FROM files f JOIN doubtful d"
        " ON f.source = d.source AND f.path = d.path"
    )
    lake.con.unregister("doubtful")
    stored = {(row[0], row[1]): Cursor(*row[2:]) for row in rows}
    return [key for key, cursor in last.items() if stored.get(key) != cursor]

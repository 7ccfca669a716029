"""The report on the quality of runs: checks, how many runs each finds, and what it finds in them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import duckdb
import pyarrow as pa

from ..core.errors import UsageError
from . import ask
from .faults import LEAST_POINTS, LEAST_S, MANY, SKEW, STOPPED
from .history import find, named
from .search import Names, Query, execute, to_sql

# Writers keep events back for up to two minutes, and listings are of a moment before the reading.
SKEW_S = 300


class NoSuchCheck(UsageError):
    """The report has no check of that id."""

    http_status = 404


@dataclass(frozen=True)
class Check:
    """One check: *filter* finds its runs; *rows* selects what is wrong with those in `chosen`.

    With *copies* only a search that has copies among its runs finds them.
    """

    id: str
    title: str
    detail: str
    filter: str
    rows: str
    copies: bool = False


def _time(seconds: str) -> str:
    return (
        f"CASE WHEN {seconds} BETWEEN -62135596800 AND 253402300799"
        f" THEN make_timestamp(CAST(round({seconds} * 1000000) AS BIGINT)) END"
    )


_AMONG = " AND run_id IN (SELECT run_id FROM chosen)"
_NON_FINITE = f"""
    SELECT r.run_key, c.run, s.tag, s.stream, s.first_nan, s.first_inf, s.nan_count, s.inf_count,
           s.last_step
    FROM chosen c JOIN run_facts r USING (run_id) JOIN (
        SELECT run_id, tag, stream, min(nan_step) AS first_nan, min(inf_step) AS first_inf,
               CAST(sum(nan_count) AS BIGINT) AS nan_count, CAST(sum(inf_count) AS BIGINT) AS inf_count,
               max(last_step) AS last_step
        FROM series_parts WHERE kind = 'scalar'{_AMONG} GROUP BY run_id, tag, stream
        HAVING sum(nan_count) + sum(inf_count) > 0) s USING (run_id)
    ORDER BY c.place, s.tag, s.stream
"""
_STEPS_BACK = f"""
    SELECT r.run_key, c.run, s.tag, s.stream, s.attempts, s.superseded, s.points, s.last_step
    FROM chosen c JOIN run_facts r USING (run_id) JOIN (
        SELECT run_id, tag, stream, max(attempt) + 1 AS attempts,
               CAST(sum(superseded) AS BIGINT) AS superseded, CAST(sum(points) AS BIGINT) AS points,
               max(last_step) AS last_step
        FROM series_parts WHERE true{_AMONG} GROUP BY run_id, tag, stream, kind
        HAVING max(attempt) > 0) s USING (run_id)
    ORDER BY c.place, s.tag, s.stream
"""
_CLOCK_SKEW = f"""
    SELECT r.run_key, c.run, r.machine, f.path, f.skew AS clock_skew_s,
           {_time("f.last_wall_time")} AS newest_event, {_time("f.mtime_ns / 1e9")} AS file_time
    FROM chosen c JOIN run_facts r USING (run_id) JOIN (
        SELECT f.run_id, f.path, f.last_wall_time, f.mtime_ns, {SKEW} AS skew FROM files f
        WHERE true{_AMONG}) f ON f.run_id = c.run_id AND abs(f.skew) > {SKEW_S}
    ORDER BY c.place, f.path
"""
_STOPPED = f"""
    SELECT r.run_key, c.run, s.tag, s.stream, s.last_step, s.run_last_step,
           {_time("s.last_wall_time")} AS last_point, {_time("s.run_last_wall_time")} AS run_last_point,
           s.points
    FROM chosen c JOIN run_facts r USING (run_id)
    JOIN ({STOPPED.format(test=_AMONG)}) s USING (run_id)
    ORDER BY c.place, s.tag, s.stream
"""
_NO_HPARAMS = """
    SELECT r.run_key, c.run, r.project, r.machine, r.path, r.writer, r.last_event_at
    FROM chosen c JOIN runs r USING (run_id) ORDER BY c.place
"""
_PROBLEMS = """
    SELECT r.run_key, c.run, p.kind, count(*) AS problems, count(DISTINCT f.file_id) AS files,
           min(f.path) AS path, arg_min(p.message, f.path) AS message
    FROM chosen c JOIN run_facts r USING (run_id) JOIN files f USING (run_id)
    JOIN problems p ON p.source = f.source AND p.path = f.path
    GROUP BY c.place, r.run_key, c.run, p.kind ORDER BY c.place, p.kind
"""
_COPIES = """
    SELECT r.run_key, c.run, r.source, r.machine, r.path,
           o.run_key AS copy_of, o.source AS source_of, o.path AS path_of
    FROM chosen c JOIN runs r USING (run_id) JOIN run_facts o ON o.run_id = r.duplicate_of
    ORDER BY c.place
"""
_ENDED = """
    SELECT r.run_key, c.run, r.project, r.machine, r.last_step, r.last_event_at, r.end_reason
    FROM chosen c JOIN runs r USING (run_id) ORDER BY c.place
"""

CHECKS = {
    check.id: check
    for check in (
        Check(
            "non_finite",
            "NaN or infinite values",
            "Curves with values that are NaN or infinite, and the first steps where they are."
            " Points that a restart took back do not count.",
            "nan_tags > 0",
            _NON_FINITE,
        ),
        Check(
            "stopped_tags",
            "Tags that stopped",
            "Curves that were there at the same time went on without them, both by steps and by wall"
            f" time: for more than {MANY} times the mean distance of the tag's points, and for more"
            f" than a tenth of the run. Tags of fewer than {LEAST_POINTS} points and pauses of less"
            f" than {LEAST_S // 60} minutes do not count.",
            "stopped_tags > 0",
            _STOPPED,
        ),
        Check(
            "steps_back",
            "Steps that went back",
            "A restart from a checkpoint, or several writers in one directory. The curve is what"
            " was written last; what it replaces is superseded.",
            "attempts > 1",
            _STEPS_BACK,
        ),
        Check(
            "problems",
            "Damaged files",
            "Event files of which something could not be stored, or not as it should be.",
            "problems > 0",
            _PROBLEMS,
        ),
        Check(
            "failed",
            "Failed",
            "What lies beside the events says that the run ended with an error.",
            "state = 'failed'",
            _ENDED,
        ),
        Check(
            "stalled",
            "Stalled",
            "Nothing new for longer than the source's settings allow, and no sign of an end: such a"
            " run hangs, was killed, or ended without a trace. After longer silence it counts as"
            " finished.",
            "state = 'stalled'",
            _ENDED,
        ),
        Check(
            "clock_skew",
            "Clocks that are off",
            f"The newest event and the time of its file are more than {SKEW_S // 60} minutes apart."
            " An event after the file's time says that the writer's clock is ahead. A file's time"
            " after its events counts only where the file was seen to grow, since a copy is newer"
            " than what it holds: the writer's clock is behind, events carry times of their own, or"
            " files are copied here long after they are written.",
            f"abs(clock_skew_s) > {SKEW_S}",
            _CLOCK_SKEW,
        ),
        Check(
            "no_hparams",
            "No hyperparameters",
            "Neither the events nor the files beside them name any: such runs are not found by them.",
            "hparams = 0",
            _NO_HPARAMS,
        ),
        Check(
            "copies",
            "Copies of other runs",
            "The same event files were found elsewhere as well. Copies are left out of the run table"
            " unless they are asked for.",
            "duplicate_of is not null",
            _COPIES,
            copies=True,
        ),
    )
}


def check_of(id: str) -> Check:
    """The check called *id*; raises NoSuchCheck."""
    if id not in CHECKS:
        hint = f"the checks are {', '.join(CHECKS)}"
        raise NoSuchCheck(f"there is no check {id[:100]!r}", hint=hint)
    return CHECKS[id]


def tally(
    con: duckdb.DuckDBPyConnection, query: Query, known: Names | None = None
) -> tuple[int, dict[str, int]]:
    """How many runs *query* has, and how many of them each check finds; copies always count."""
    checks = list(CHECKS.values())
    columns = ("duplicate_of", *(check.filter for check in checks))
    every = replace(query, columns=columns, sort=("run_id",), duplicates=True)
    # Copies are only looked at where they are asked for, but for the check that finds them.
    own = "true" if query.duplicates else "c0 IS NULL"
    counts = ", ".join(
        f"count(*) FILTER (c{i}{'' if check.copies else f' AND {own}'}) AS {check.id}"
        for i, check in enumerate(checks, 1)
    )

    def count(names: Names) -> pa.Table:
        inner, params = to_sql(every, names)
        sql = f"SELECT count(*) FILTER ({own}) AS runs, {counts} FROM ({inner})"
        return execute(con, sql, params, query)

    runs, *found = named(con, every, known, count).to_pylist()[0].values()
    return int(runs), {check.id: int(n) for check, n in zip(checks, found, strict=True)}


def rows(
    con: duckdb.DuckDBPyConnection,
    check: Check,
    query: Query,
    known: Names | None = None,
    limit: int = 100,
    offset: int = 0,
) -> tuple[pa.Table, int]:
    """What *check* finds in the runs of *query*, those of the newest first, and how many rows.

    The first two columns are run_key and run, which is the name that people gave it, if they did.
    """
    label = "label" if known and known.notes else "name"
    those = replace(
        query, columns=("run_id", f"{label} as run"), members=((check.filter, True),),
        duplicates=query.duplicates or check.copies,
    )  # fmt: skip
    table = find(con, those, known)
    place = pa.array(range(table.num_rows), pa.int64())
    con.register("chosen", table.append_column("place", place))
    try:
        page = f"{check.rows} LIMIT {int(limit)} OFFSET {int(offset)}"
        found = ask.read(con, lambda: con.execute(page).to_arrow_table())
        total = offset + found.num_rows
        if found.num_rows == limit or (offset and not found.num_rows):
            counted = f"SELECT count(*) FROM ({check.rows})"
            ((total,),) = ask.read(con, lambda: con.execute(counted).fetchall())
    finally:
        con.unregister("chosen")
    return found, int(total)

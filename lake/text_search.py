"""A search within the texts that runs logged."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import duckdb

from ..core.errors import LimitError, UsageError
from . import ask, tensors
from .words import MAX_WORDS

SECONDS = 10.0
MAX_MARKS = 20
_BEFORE = 60
_SNIPPET = 240
_AGAIN_S = 0.1
_WORD = re.compile(r'"([^"]+)"|(\S+)')

# As much of a text as is ever shown. The second regular expression finds every place of a match.
_BODY = f"array_to_string({tensors.kept_strings(tensors.MAX_CHARS)}, chr(10))"
_FOUND = f"""
    WITH hits AS MATERIALIZED (
        SELECT run_id, stream, tag, step, wall_time, file_id, record,
               list_position($ids::BIGINT[], run_id) AS place
        FROM tensors
        WHERE {tensors.TEXTS} AND NOT superseded AND run_id IN (SELECT unnest($ids::BIGINT[]))
          AND run_id BETWEEN $first AND $last {{tagged}} AND {{matches}}
    ), counted AS (
        SELECT *, (SELECT count(*) FROM hits) AS total FROM hits
        ORDER BY place, tag, stream, step, wall_time, file_id, record LIMIT $limit
    ), texts AS (
        SELECT h.*, {_BODY} AS body, {tensors.is_cut(tensors.MAX_CHARS)} AS cut
        FROM counted h JOIN tensors t USING (run_id, stream, tag, file_id, record)
    ), parted AS (
        SELECT *, string_split_regex(body, $places) AS parts,
               regexp_extract_all(body, $places) AS found
        FROM texts
    )
    SELECT total, run_id, stream, tag, step, wall_time, cut, length(body) AS size,
           greatest(length(parts[1]) - {_BEFORE}, 0) AS start,
           substr(body, CAST(greatest(length(parts[1]) - {_BEFORE}, 0) AS BIGINT) + 1, {_SNIPPET})
               AS snippet,
           [length(x) for x in parts[:{MAX_MARKS + 1}]] AS gaps,
           [length(x) for x in found[:{MAX_MARKS}]] AS marks, len(found) AS places
    FROM parted ORDER BY place, tag, stream, step, wall_time, file_id, record
"""


@dataclass(frozen=True)
class Hit:
    """A text that matches: of which run, tag, stream and step, how many places there are, and what
    stands around the first.

    *matches* are [from, to) in *snippet*, in characters; *before* and *after* say whether the text
    goes on there. *cut* is of a text of which only the beginning was searched.
    """

    run_id: int
    tag: str
    stream: str
    step: int
    wall_time: float
    places: int
    snippet: str
    matches: list[list[int]]
    before: bool
    after: bool
    cut: bool


def search(
    con: duckdb.DuckDBPyConnection,
    query: str,
    run_ids: Sequence[int],
    *,
    regex: bool = False,
    tags: Sequence[str] = (),
    limit: int = 100,
    seconds: float = SECONDS,
) -> tuple[int, list[Hit]]:
    """How many texts of *run_ids* match *query*, and the first *limit* in the order of *run_ids*,
    then by tag, stream and step.

    *query* is words and "phrases" that must all occur, or a regular expression (RE2); case does not
    matter. Of each text as much is searched as `tensors.texts` gives. Raises UsageError, LimitError.
    """
    patterns = [_expression(con, query)] if regex else _words(query)
    if not run_ids:
        return 0, []
    given: dict[str, object] = {f"p{i}": one for i, one in enumerate(patterns)}
    given |= {"ids": list(run_ids), "first": min(run_ids), "last": max(run_ids)}
    # One at least: the total stands in the rows.
    given["limit"] = max(limit, 1)
    given["places"] = patterns[0] if regex else f"(?i)(?:{'|'.join(map(_bare, patterns))})"
    matches = " AND ".join(f"regexp_matches({_BODY}, $p{i})" for i in range(len(patterns)))
    tagged = ""
    if tags:
        tagged, given["tags"] = "AND tag IN (SELECT unnest($tags::VARCHAR[]))", list(tags)
    sql = _FOUND.format(tagged=tagged, matches=matches)
    with _within(con, seconds):
        table = ask.read(con, lambda: con.execute(sql, given).to_arrow_table())
    rows = table.to_pylist()
    return (int(rows[0]["total"]) if rows else 0), [_hit(row) for row in rows[:limit]]


def _words(query: str) -> list[str]:
    """The words of *query* as regular expressions."""
    found = [match[1] or match[2] for match in _WORD.finditer(query)]
    if not found:
        raise UsageError("query: there is no word in it", hint="say what to search for")
    if len(found) > MAX_WORDS:
        raise UsageError(f"query: {len(found)} words are too many", hint=f"at most {MAX_WORDS}")
    return [f"(?i){re.escape(word)}" for word in found]


def _bare(pattern: str) -> str:
    return pattern.removeprefix("(?i)")


def _expression(con: duckdb.DuckDBPyConnection, query: str) -> str:
    """*query* as it is searched for; raises UsageError with what RE2 has against it."""
    pattern = f"(?i){query}"
    try:
        con.execute("SELECT regexp_matches('', $pattern)", {"pattern": pattern}).fetchall()
    except duckdb.InvalidInputException as error:
        told = str(error).partition(": ")[2][:200]
        hint = "RE2 is what is understood; without `regex` words are searched for"
        raise UsageError(f"query: no regular expression: {told}", hint=hint) from error
    return pattern


@contextmanager
def _within(con: duckdb.DuckDBPyConnection, seconds: float) -> Iterator[None]:
    """Interrupt what *con* does after *seconds*; raises LimitError then."""
    done = threading.Event()

    def stop() -> None:
        # An interrupt that comes before the statement has begun is lost, so it is said until heard.
        wait = seconds
        while not done.wait(wait):
            con.interrupt()
            wait = _AGAIN_S

    watch = threading.Thread(target=stop, daemon=True)
    watch.start()
    try:
        yield
    except duckdb.InterruptException as error:
        hint = "search in fewer runs, or in some tags alone"
        raise LimitError(f"the search takes longer than {seconds:g} s", hint=hint) from error
    finally:
        done.set()
        watch.join()


def _hit(row: dict[str, object]) -> Hit:
    start, snippet = int(str(row["start"])), str(row["snippet"])
    gaps, marks = row["gaps"], row["marks"]
    assert isinstance(gaps, list) and isinstance(marks, list)
    matches: list[list[int]] = []
    at = 0
    # A match of nothing has no place that could be marked.
    for gap, mark in zip(gaps, marks if all(marks) else [], strict=False):
        begin, end = at + gap - start, at + gap + mark - start
        at += gap + mark
        if begin < len(snippet):
            matches.append([begin, min(end, len(snippet))])
    return Hit(
        run_id=int(str(row["run_id"])), tag=str(row["tag"]), stream=str(row["stream"]),
        step=int(str(row["step"])), wall_time=float(str(row["wall_time"])),
        places=int(str(row["places"])) if all(marks) else 0, snippet=snippet, matches=matches,
        before=start > 0, after=start + len(snippet) < int(str(row["size"])), cut=bool(row["cut"]),
    )  # fmt: skip

"""Reading the lake for people: their own SQL, and reads that outlive upkeep and stop on Ctrl-C."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

import duckdb
import pyarrow as pa

from ..core.errors import BoardlakeError, LakeError, SqlError, UsageError

T = TypeVar("T")

# What a read meets when a file was merged away, or a commit came, between its plan and its scan.
# A new try sees the new snapshot, so few and short waits are enough.
_PASSING = ("Cannot open file", "No such file or directory", "database is locked")
_WAITS_S = (0.05, 0.1, 0.2, 0.4, 0.8)
# DuckDB raises its own errors from a statement, and OSErrors with the same text from its batches.
_ERRORS = (duckdb.Error, OSError)
_INTERRUPT_AGAIN_S = 0.1

_READS = ("SELECT", "EXPLAIN")
_READ_WORDS = "SELECT, WITH, FROM, VALUES, PIVOT, DESCRIBE, SUMMARIZE, SHOW or EXPLAIN"
_HINTS = {
    "COPY": "`boardlake export`, or --format with --output FILE, writes files",
    "EXPORT": "`boardlake export`, or --format with --output FILE, writes files",
    "DELETE": "`boardlake delete` removes runs for good",
}
_HINT = "the lake is read-only here; a connection of your own may do more: --attach tells how"
# These change a lake even where it is attached read-only.
_UPKEEP = re.compile(
    r"\bducklake_(?:add|cleanup|delete|expire|flush|merge|rewrite|set)\w*\s*\(",
    re.IGNORECASE,
)
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")
_MAX_MESSAGE = 2_000


def ask(con: duckdb.DuckDBPyConnection, sql: str, parameters: Any = None) -> pa.Table:
    """The answer to one reading statement of a user; names of columns are made distinct.

    Raises UsageError with DuckDB's message, LakeError when the lake cannot be read.
    """
    try:
        check(con, sql)
        table = read(con, lambda: con.execute(sql, parameters).to_arrow_table())
    except duckdb.Error as error:
        raise _translate(error) from error
    return table.rename_columns(_distinct(table.column_names))


def stream(
    con: duckdb.DuckDBPyConnection, sql: str, batch_rows: int = 100_000
) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    """Like `ask` for an answer of any size: its batches as they are asked for.

    *con* is busy until the last one. Only up to the first batch is a read tried again: what was
    handed out cannot be taken back.
    """

    def begin() -> tuple[pa.RecordBatchReader, pa.RecordBatch | None]:
        reader = con.execute(sql).to_arrow_reader(batch_rows)
        return reader, next(reader, None)

    try:
        check(con, sql)
        reader, first = read(con, begin)
    except _ERRORS as error:
        raise _translate(error) from error
    schema = distinct(reader.schema)

    def batches() -> Iterator[pa.RecordBatch]:
        batch = first
        while batch is not None:
            yield pa.RecordBatch.from_arrays(batch.columns, schema=schema)
            try:
                batch = interruptible(con, lambda: next(reader, None))
            except _ERRORS as error:
                raise _translate(error) from error

    return schema, batches()


def read(con: duckdb.DuckDBPyConnection, action: Callable[[], T]) -> T:
    """*action*(), which reads on *con*, again where upkeep or a commit came in its way.

    Ctrl-C interrupts it and raises KeyboardInterrupt. Raises LakeError when the lake cannot be
    read; DuckDB's other errors are passed on.
    """
    for wait in (*_WAITS_S, None):
        try:
            return interruptible(con, action)
        except _ERRORS as error:
            if wait is None or not any(text in str(error) for text in _PASSING):
                raise (_unreadable(error) or error) from error
        time.sleep(wait)
    raise AssertionError("the last try returns or raises")


def interruptible(con: duckdb.DuckDBPyConnection, action: Callable[[], T]) -> T:
    """*action*(), which runs on *con*, in a thread of its own: DuckDB itself misses most Ctrl-C."""
    if threading.current_thread() is not threading.main_thread():
        return action()
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(action)
        try:
            return future.result()
        except KeyboardInterrupt:
            _interrupt(con, future)
            raise


def _interrupt(con: duckdb.DuckDBPyConnection, future: Future[Any]) -> None:
    # An interrupt that comes before the statement has begun is lost, so it is said until heard.
    while not future.done():
        con.interrupt()
        try:
            future.exception(_INTERRUPT_AGAIN_S)
        except TimeoutError:
            pass


def statements(con: duckdb.DuckDBPyConnection, text: str) -> list[str]:
    """The statements of *text*, parted at their semicolons; raises UsageError."""
    try:
        found = con.extract_statements(text)
    except duckdb.Error as error:
        raise _translate(error) from error
    # A PIVOT over unknown values is several statements without a text of their own.
    parts = [statement.query for statement in found]
    return [part.strip() for part in parts] if all(parts) else [text.strip()]


def check(con: duckdb.DuckDBPyConnection, sql: str) -> None:
    """Raise UsageError unless *sql* is one statement that reads; duckdb.Error if it is no SQL."""
    found = con.extract_statements(sql)
    if not found:
        raise UsageError("there is no statement to run", hint=f"begin with {_READ_WORDS}")
    if len(found) > 1 and found[0].query:
        raise UsageError(f"{len(found)} statements: one at a time", hint="leave out what follows ;")
    kind = found[-1].type.name
    if kind not in _READS:
        hint = _HINTS.get(kind, _HINT)
        raise UsageError(f"{kind} is not taken: {_READ_WORDS} is expected", hint=hint)
    upkeep = _UPKEEP.search(sql)
    if upkeep:
        message = f"{upkeep[0].rstrip('( ')} changes the lake and is not taken"
        raise UsageError(message, hint="`boardlake maintain` does the upkeep of a lake")


def _translate(error: Exception) -> BoardlakeError:
    return _unreadable(error) or SqlError(_message(error))


def _unreadable(error: Exception) -> LakeError | None:
    text = _message(error)
    if isinstance(error, duckdb.OutOfMemoryException) or text.startswith("Out of Memory"):
        hint = "ask for fewer rows or columns, or raise lake.memory_limit"
        return LakeError(f"this needs too much memory: {text}", hint=hint)
    if text.startswith("IO Error") or "database is locked" in text:
        hint = "run `boardlake check` to see what is wrong"
        return LakeError(f"the lake cannot be read: {text}", hint=hint)
    return None


def _message(error: Exception) -> str:
    return _CONTROL.sub("?", str(error)).strip()[:_MAX_MESSAGE]


def relations(con: duckdb.DuckDBPyConnection) -> pa.Table:
    """What can be asked: a row for each `column` of each `relation`, with its `kind` and `type`."""
    sql = """
        SELECT c.table_name AS relation,
               CASE WHEN v.view_name IS NULL THEN 'table' ELSE 'view' END AS kind,
               c.column_name AS "column", c.data_type AS "type"
        FROM duckdb_columns() c LEFT JOIN duckdb_views() v
          ON v.database_name = c.database_name AND v.schema_name = c.schema_name
         AND v.view_name = c.table_name
        WHERE c.database_name = 'lake' AND c.schema_name = 'main'
        ORDER BY relation, c.column_index
    """
    return read(con, lambda: con.execute(sql).to_arrow_table())


def distinct(schema: pa.Schema) -> pa.Schema:
    """*schema* with names of columns that no two have."""
    names = _distinct(schema.names)
    return pa.schema([field.with_name(n) for field, n in zip(schema, names, strict=True)])


def _distinct(names: list[str]) -> list[str]:
    """*names* with `_1`, `_2`... behind those that came before: formats cannot have two alike."""
    taken: set[str] = set()
    result = []
    for name in names:
        unique, number = name, 0
        while unique in taken:
            number += 1
            unique = f"{name}_{number}"
        taken.add(unique)
        result.append(unique)
    return result

"""A worker: takes statements from its one descriptor, answers with Arrow, and can do nothing else."""

from __future__ import annotations

import os
import re
import select
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.ipc

from ...core.errors import LimitError, SqlError, UsageError
from .. import ask
from . import confine, values, wire
from .engine import Engine
from .gate import Gate
from .limits import MAX_PIVOT
from .told import told, words

# DuckDB's own vectors are no smaller: less would not come to light earlier.
_BATCH_ROWS = 2_048
_MOST_REQUEST = 64 << 20
_AGAIN_S = 0.05
_IDLE_S = 0.5
_MAX_TYPE = 200
_MEMORY = re.compile(r"Out of Memory|bad_alloc|[Ff]ailed to allocate|malloc|Allocation failure")
_STALE = ("Cannot open file", "No such file or directory")


class Worker:
    """One lake, one statement at a time."""

    def __init__(self, hello: dict[str, Any], end: socket.socket) -> None:
        self._end = end
        self._limits = hello["limits"]
        memory = str(self._limits["memory"])
        self.missing = confine.confine(
            [hello["data"], os.path.dirname(hello["extension"]), hello["folder"]], hello["data"],
            tuple(hello["user"]) if hello["user"] else None,
            int(self._limits["address_space"]), int(self._limits["cpu_life_s"]),
        )  # fmt: skip
        self._gate = Gate(memory)
        self._engine = Engine(hello["extension"], hello["data"], memory)

    def open(self, request: dict[str, Any]) -> dict[str, Any]:
        """Turn to another copy of the catalog."""
        try:
            self._engine.open(str(request["catalog"]))
        except duckdb.Error as error:
            return {"failed": words(error, "")[0]}
        return {}

    @property
    def unprepared(self) -> bool:
        """Whether the next copy would be opened slowly."""
        return self._engine.spare is None

    def prepare(self) -> None:
        """Make ready for the next copy, while no one waits."""
        self._engine.prepare()

    def ask(self, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        """The answer to one statement, or what is wrong with it."""
        sql, spent = str(request["sql"]), False
        seconds = float(self._limits["seconds"])
        confine.allow_cpu(seconds + float(self._limits["grace_s"]))
        try:
            with _interrupted(self._connections(), seconds, self._end):
                return self._run(sql, values.decode(request["parameters"]), int(request["rows"]))
        except SqlError as error:
            wrong: dict[str, Any] = {"kind": "sql", "message": error.message, "hint": error.hint}
            wrong["position"] = error.position
        except LimitError as error:
            wrong = {"kind": "limit", "message": error.message, "hint": error.hint}
        except UsageError as error:
            wrong = {"kind": "usage", "message": error.message, "hint": error.hint}
        except duckdb.InterruptException:
            wrong = {"kind": "time"}
        except Exception as error:
            message, position = words(error, sql)
            wrong = {"kind": "sql", "message": message, "position": position, "hint": ""}
            if isinstance(error, MemoryError) or _MEMORY.search(message):
                wrong, spent = {"kind": "memory"}, True
            elif "INTERRUPT" in message.upper():
                wrong = {"kind": "time"}
            elif any(one in message for one in _STALE):
                wrong["kind"] = "stale"
            elif isinstance(error, duckdb.FatalException | duckdb.InternalException):
                spent = True
        return {"error": wrong, "spent": spent}, b""

    def _connections(self) -> list[duckdb.DuckDBPyConnection]:
        return [con for con in (self._gate.con, self._engine.con) if con is not None]

    def _run(self, sql: str, parameters: Any, rows: int) -> tuple[dict[str, Any], bytes]:
        con = self._engine.con
        assert con is not None, "a copy is opened before anything is asked"
        if self._limits["allow_list"]:
            sql = self._gate.admit(sql, self._engine.relations, self._values)
        result = con.execute(sql, parameters) if parameters is not None else con.execute(sql)
        if result.description is None:
            return {"rows": 0, "cut": "", "types": []}, b""
        types = [str(column[1])[:_MAX_TYPE] for column in result.description]
        try:
            told, body = _gathered(
                result.to_arrow_reader(_BATCH_ROWS), rows, int(self._limits["result_bytes"])
            )
            return {**told, "types": types}, body
        finally:
            # What was not fetched would go on holding its memory until the next statement.
            con.execute("SELECT 1").fetchall()

    def _values(self, sql: str) -> list[str]:
        con = self._engine.con
        assert con is not None
        try:
            return [row[0] for row in con.execute(sql).fetchmany(MAX_PIVOT + 1)]
        except duckdb.InvalidInputException as error:
            message, _ = words(error, sql)
            raise SqlError(message, text=sql, hint="PIVOT ... ON column IN ('a', 'b')") from error
        except (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException) as error:
            # Its position is one in a statement that nobody wrote.
            found = told(error, sql)
            raise SqlError(found.message.split("\n\nLINE")[0], text=sql) from error


def _gathered(reader: pa.RecordBatchReader, rows: int, most: int) -> tuple[dict[str, Any], bytes]:
    """Up to *rows* rows and *most* bytes of an answer."""
    schema = ask.distinct(reader.schema)
    sink = pa.BufferOutputStream()
    count, size, cut = 0, 0, ""
    with pa.ipc.new_stream(sink, schema) as writer:
        for batch in reader:
            fits, why = min(batch.num_rows, rows - count), "rows"
            if batch.num_rows and size + batch.nbytes > most:
                room = batch.num_rows * (most - size) // batch.nbytes
                fits, why = (room, "bytes") if room < fits else (fits, why)
                if not fits and not count and rows:
                    raise LimitError(
                        f"a row of the answer is larger than {most >> 20} MB",
                        hint="select fewer columns, or a part: substring, octet_length, md5",
                    )
            part = batch.slice(0, fits)
            writer.write_batch(pa.RecordBatch.from_arrays(part.columns, schema=schema))
            count, size = count + fits, size + part.nbytes
            if fits < batch.num_rows:
                cut = why
                break
    return {"rows": count, "cut": cut}, sink.getvalue().to_pybytes()


@contextmanager
def _interrupted(
    connections: list[duckdb.DuckDBPyConnection], seconds: float, end: socket.socket
) -> Iterator[None]:
    """Within it all *connections* are interrupted, until they have heard it, after *seconds*.

    Or once something comes from *end*: while a statement runs that is the word to stop, or its end.
    """
    done = threading.Event()
    until = time.monotonic() + seconds

    def watch() -> None:
        while not done.wait(_AGAIN_S):
            if time.monotonic() >= until or select.select([end], [], [], 0)[0]:
                for con in connections:
                    con.interrupt()

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()


def main() -> None:
    """Serve until the other end is gone."""
    end = socket.socket(fileno=0)
    hello, _ = wire.receive(end, 0)
    try:
        worker = Worker(hello, end)
    except Exception as error:
        # After that nothing can be written anywhere else.
        wire.send(end, {"failed": f"{type(error).__name__}: {error}"})
        raise
    wire.send(end, {"missing": worker.missing})
    while True:
        if worker.unprepared and not select.select([end], [], [], _IDLE_S)[0]:
            worker.prepare()
        try:
            request, _ = wire.receive(end, _MOST_REQUEST)
        except wire.Gone:
            return
        if request["do"] == "open":
            wire.send(end, worker.open(request))
        elif request["do"] == "ask":
            wire.send(end, *worker.ask(request))

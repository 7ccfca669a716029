"""The Python API on a lake of this machine."""

from __future__ import annotations

from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa

from ..core.errors import UsageError
from ..lake import ask
from ..lake.database import Lake, open_lake
from ..lake.location import Location
from ..lake.search import Names
from . import client
from .questions import question


class Client(client.Client):
    """A lake of this machine; see the class it is made from."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake

    def close(self) -> None:
        """Let go of the lake."""
        self._lake.close()

    def __enter__(self) -> Client:
        return self

    def __repr__(self) -> str:
        return f"<boardlake {self._lake.location.root}>"

    def sql(self, query: str, parameters: Any = None) -> pd.DataFrame:
        """The answer to one reading SQL statement; *parameters* for its `?` or `$name`."""
        return client.frame(ask.ask(self._lake.con, query, parameters))

    def connect(self) -> duckdb.DuckDBPyConnection:
        """A DuckDB connection of the caller's own, the lake read-only in use; close it after use."""
        return connection(self._lake.location)

    def tensorboard(
        self, runs: client.Runs = "", *, duplicates: bool = False, archived: bool = False
    ) -> str:
        """Raises UsageError: TensorBoard is a page of a server."""
        raise UsageError(
            "TensorBoard is a page of a server, and this lake is open without one",
            hint="run `boardlake tensorboard FILTER`; or boardlake.open('http://HOST:PORT')"
            ".tensorboard(...) where `boardlake serve` runs",
        )

    def _ask(self, name: str, arguments: dict[str, Any]) -> pa.Table:
        return question(name, arguments).ask(self._lake.con, Names())


def connection(location: Location) -> duckdb.DuckDBPyConnection:
    """A connection for people who write Python, the lake at *location* read-only in use."""
    con = open_lake(location).con
    con.execute("SET python_enable_replacements = true")
    return con

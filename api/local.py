"""The Python API on a lake of this machine."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa

from ..core import settings
from ..core.errors import UsageError
from ..lake import ask
from ..lake.database import Lake, open_lake
from ..lake.location import Location, locate
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

    def _ask(self, name: str, arguments: dict[str, Any]) -> pa.Table:
        return question(name, arguments).ask(self._lake.con, Names())


def connection(location: Location) -> duckdb.DuckDBPyConnection:
    """A connection for people who write Python, the lake at *location* read-only in use."""
    con = open_lake(location).con
    con.execute("SET python_enable_replacements = true")
    return con


def open_client(
    config_or_lake: str | os.PathLike[str] | None = None, token: str | None = None
) -> client.Client:
    """The lake in a directory, or the one that a config file (`.toml`) or the usual config names.

    Or the one behind a server, by its http(s) address, which may ask for a *token*.
    Raises LakeMissing, ConfigError, or UsageError for what is none of these.
    """
    given = None if config_or_lake is None else os.fspath(config_or_lake)
    if given is not None and re.match(r"https?://", given, re.IGNORECASE):
        from .remote import Remote

        return Remote(given, token)
    if token is not None:
        raise UsageError("token: only a server asks for one", hint="open http(s)://HOST:PORT")
    if given is not None and not given.lower().endswith(".toml"):
        return Client(open_lake(locate(given)))
    found = settings.load(None if given is None else Path(given), os.environ)
    memory = f"{found.lake.memory_limit}B"
    return Client(open_lake(locate(str(found.lake.path)), memory_limit=memory))

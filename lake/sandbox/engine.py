"""Layers 2 and 3: a DuckDB over a copy of the catalog, without other extensions, its settings locked."""

from __future__ import annotations

import duckdb

from .rewrite import text

_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": False, "autoload_known_extensions": False,
    "allow_community_extensions": False, "python_enable_replacements": False,
    "allow_persistent_secrets": False, "max_temp_directory_size": "0B", "temp_directory": "",
}  # fmt: skip
_RELATIONS = """
    SELECT table_name FROM duckdb_tables() WHERE database_name = 'lake' AND schema_name = 'main'
    UNION ALL
    SELECT view_name FROM duckdb_views() WHERE database_name = 'lake' AND schema_name = 'main'
"""


class Engine:
    """The newest state of the lake as one worker sees it."""

    def __init__(self, extension: str, data: str, memory: str) -> None:
        self._extension, self._data, self._memory = extension, data, memory
        self.spare: duckdb.DuckDBPyConnection | None = self._connect()
        self.con: duckdb.DuckDBPyConnection | None = None
        self.relations: frozenset[str] = frozenset()

    def open(self, catalog: str) -> None:
        """Turn to the copy of the catalog in the file *catalog*."""
        if self.con is not None:
            self.con.close()
            self.con = None
        con = self.spare or self._connect()
        self.spare = None
        con.execute(
            f"ATTACH {text('ducklake:' + catalog)} AS lake"
            f" (READ_ONLY, DATA_PATH {text(self._data)}, OVERRIDE_DATA_PATH true)"
        )
        con.execute("USE lake")
        found = con.execute(_RELATIONS).fetchall()
        for setting in (
            "TimeZone = 'UTC'", "max_expression_depth = 250", "errors_as_json = true",
            f"allowed_directories = [{text(self._data)}]", "enable_external_access = false",
            "lock_configuration = true",
        ):  # fmt: skip
            con.execute(f"SET {setting}")
        self.con, self.relations = con, frozenset(row[0] for row in found)

    def prepare(self) -> None:
        """Make the connection for the next copy now: loading the extension takes its time."""
        if self.spare is None:
            self.spare = self._connect()

    def _connect(self) -> duckdb.DuckDBPyConnection:
        con = duckdb.connect(config={**_CONFIG, "threads": 1, "memory_limit": self._memory})
        con.execute(f"LOAD {text(self._extension)}")
        return con

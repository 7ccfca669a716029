"""The schema's version: numbered steps in `sql/`, each applied once and on record."""

from __future__ import annotations

from importlib import resources

import duckdb

from ..core.errors import LakeVersionError
from .location import Location


def steps() -> list[tuple[int, str, str]]:
    """All known steps in order: (version, name, SQL)."""
    found = []
    for file in resources.files(__package__).joinpath("sql").iterdir():
        if file.name.endswith(".sql"):
            number, _, name = file.name.removesuffix(".sql").partition("_")
            found.append((int(number), name, file.read_text("utf-8")))
    return sorted(found)


def version(con: duckdb.DuckDBPyConnection) -> int:
    """The version of the lake in use; 0 when it has no tables of ours."""
    known = con.execute(
        "SELECT count(*) FROM duckdb_tables()"
        " WHERE database_name = 'lake' AND table_name = 'migrations'"
    ).fetchone()
    if known is None or known[0] == 0:
        return 0
    found = con.execute("SELECT coalesce(max(version), 0) FROM lake.migrations").fetchone()
    return int(found[0]) if found else 0


def require_current(con: duckdb.DuckDBPyConnection, location: Location) -> None:
    """Refuse a lake whose version is not the newest that this program knows."""
    have, need = version(con), steps()[-1][0]
    if have == need:
        return
    hint = (
        "run `boardlake migrate` (back up the lake first)"
        if have < need
        else "use the boardlake that wrote it, or a newer one"
    )
    raise LakeVersionError(
        f"{location.root} has schema version {have}, this boardlake needs {need}", hint=hint
    )


def apply_all(con: duckdb.DuckDBPyConnection) -> list[str]:
    """Apply what is pending, within the caller's transaction; returns the names of the steps."""
    have = version(con)
    applied = []
    for number, name, sql in steps():
        if number > have:
            con.execute(sql)
            con.execute(
                "INSERT INTO lake.migrations VALUES (?, ?, CAST(now() AS TIMESTAMP))",
                [number, name],
            )
            applied.append(f"{number:04} {name}")
    return applied

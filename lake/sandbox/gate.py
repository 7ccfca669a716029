"""Layer 1: whether a statement may run, judged in an empty DuckDB that has no lake and no files."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import duckdb

from ...core.errors import SqlError, UsageError
from .. import ask
from . import rewrite
from .limits import MAX_QUERY
from .told import told
from .tree import Rules, lower, offered

# Of a statement that is written in pieces, such as a PIVOT over what there is.
_MAX_WRITTEN = 20 * MAX_QUERY
_CALLABLE = """
    SELECT DISTINCT function_name FROM duckdb_functions()
    WHERE function_type IN ('scalar', 'aggregate', 'macro')
"""


class Gate:
    """Judges statements; its DuckDB sees their text and nothing else."""

    def __init__(self, memory: str) -> None:
        self.con = duckdb.connect(
            config={
                "autoinstall_known_extensions": False, "autoload_known_extensions": False,
                "allow_community_extensions": False, "python_enable_replacements": False,
                "threads": 1, "memory_limit": memory, "max_temp_directory_size": "0B",
            }
        )  # fmt: skip
        self._functions = offered([row[0] for row in self.con.execute(_CALLABLE).fetchall()])
        for setting in (
            "max_expression_depth = 250", "errors_as_json = true",
            "enable_external_access = false", "lock_configuration = true",
        ):  # fmt: skip
            self.con.execute(f"SET {setting}")

    def admit(self, sql: str, relations: frozenset[str], values: Callable[[str], list[str]]) -> str:
        """The statement to run for *sql*; *values* runs one that was admitted, for a PIVOT.

        Raises SqlError or UsageError for all that is more than reading the lake's *relations*.
        """
        check_text(sql)
        rules = Rules(self._functions, frozenset(map(lower, relations)))
        shown = rewrite.show_tables(sql, relations)
        if shown is not None:
            return shown
        try:
            ask.check(self.con, sql)
            found = self.con.extract_statements(sql)
        except duckdb.Error as error:
            raise told(error, sql) from error
        explained = rewrite.explained(sql)
        if explained is not None and found[0].type == duckdb.StatementType.EXPLAIN:
            prefix, rest = explained
            try:
                self._judge(rest, rules)
            except SqlError as error:
                at = None if error.position is None else error.position + len(prefix)
                raise SqlError(error.message, text=sql, position=at, hint=error.hint) from error
            return prefix + rest
        if len(found) > 1:
            # No text of its own has what DuckDB makes of a PIVOT over unknown values.
            def judged(select: str) -> list[str]:
                self._judge(select, rules)
                return values(select)

            sql = rewrite.pivot(sql, judged)
        self._judge(sql, rules)
        return sql

    def _judge(self, sql: str, rules: Rules) -> None:
        check_text(sql, _MAX_WRITTEN)
        try:
            row = self.con.execute("SELECT json_serialize_sql(?::VARCHAR)", [sql]).fetchone()
            tree: Any = json.loads(row[0] if row else "{}")
        except duckdb.Error as error:
            raise told(error, sql) from error
        except RecursionError:
            raise SqlError("the statement is nested too deeply", text=sql) from None
        statements = tree.get("statements", ())
        if tree.get("error") is not False or len(statements) != 1:
            message = str(tree.get("error_message", "one statement is expected"))
            hint = ""
            if "Only SELECT" in message:
                message = "this does more than SELECT, and is not taken"
                hint = "SHOW TABLES, DESCRIBE, SUMMARIZE, PIVOT and EXPLAIN are; PIVOT needs its"
                hint += " values (ON column IN ('a', 'b')) where it is a part of a statement"
            raise SqlError(message, text=sql, hint=hint)
        try:
            rules.judge(sql, statements)
        except RecursionError:
            raise SqlError("the statement is nested too deeply", text=sql) from None


def check_text(sql: str, most: int = MAX_QUERY) -> None:
    """Refuse what is too long to be judged, or is no text; raises UsageError."""
    if len(sql) > most:
        raise UsageError(
            f"the statement has {len(sql)} characters: at most {most} are taken",
            hint="pass long lists as a parameter: WHERE run_id IN (SELECT unnest(?))",
        )
    if "\0" in sql:
        raise UsageError("the statement has a NUL character")
    try:
        sql.encode()
    except UnicodeEncodeError:
        raise UsageError("the statement has characters that are no Unicode text") from None

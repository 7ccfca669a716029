"""Layer 1's rules: which parts the syntax tree of a statement may have."""

from __future__ import annotations

import difflib
import re
from typing import Any, NoReturn

from ...core.errors import SqlError

TABLE_FUNCTIONS = frozenset({"range", "generate_series", "unnest"})
# They tell of the server, wait, run text as SQL, or keep state from one statement to the next.
_DENIED = frozenset(
    """
    current_setting getvariable json_serialize_sql json_serialize_plan json_deserialize_sql
    json_execute_serialized_sql query query_table write_log parse_duckdb_log_message sleep_ms
    nextval currval setseed current_query current_query_id current_connection_id
    current_transaction_id txid_current in_search_path get_block_size combine finalize
    col_description obj_description shobj_description map_to_pg_oid
""".split()
)
_DENIED_PREFIXES = ("__internal", "duckdb_", "pg_", "has_", "inet_", "pragma_")
_SYSTEM = re.compile(r"(?:duckdb|pg|sqlite|pragma)_")
_UNFIT = re.compile(r"[./\\:*?\[\]\x00-\x1f]")

_NODES = frozenset({"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE"})
_FROM = frozenset({"BASE_TABLE", "TABLE_FUNCTION", "SHOW_REF", "PIVOT"})
_FROM_PLAIN = frozenset({"SUBQUERY", "JOIN", "EMPTY", "EXPRESSION_LIST"})
_EXPRESSIONS = frozenset({
    "COLUMN_REF", "FUNCTION", "WINDOW", "CAST", "COMPARISON", "CONJUNCTION", "CASE", "OPERATOR",
    "BETWEEN", "SUBQUERY", "LAMBDA", "PARAMETER", "STAR", "COLLATE", "POSITIONAL_REFERENCE", "DEFAULT",
})  # fmt: skip
_OTHERS = re.compile(
    r"(?:ORDER|LIMIT|LIMIT_PERCENT|DISTINCT)_MODIFIER|ORDER_DEFAULT|ASCENDING|DESCENDING|[A-Z_]+_TYPE_INFO"
)
_WHERES = frozenset({("", "main"), ("", "lake"), ("lake", "main"), ("lake", "")})
_NOWHERE = 1 << 62
_TABLES = (
    "SHOW TABLES names the tables and views; `range`, `generate_series` and `unnest` make rows"
)
_FUNCTIONS = "DuckDB's functions of values are; those that tell of the server or run text are not"
# DuckDB compares the names of relations without regard to the case of ASCII letters alone.
_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}


class Rules:
    """What may be named: functions, and relations of the lake."""

    def __init__(self, functions: frozenset[str], relations: frozenset[str]) -> None:
        self._functions = functions
        self._relations = relations

    def judge(self, sql: str, tree: Any) -> None:
        """Raise SqlError for the first part of *tree* (json_serialize_sql) that is not allowed."""
        _Walk(sql, self._functions, self._relations).visit(tree, frozenset())


def offered(functions: list[str]) -> frozenset[str]:
    """Those of DuckDB's own *functions* that may be called."""
    return frozenset(
        name for name in functions
        if name not in _DENIED and not name.startswith(_DENIED_PREFIXES)
    ) | {"unnest"}  # fmt: skip


def lower(name: str) -> str:
    """*name* as DuckDB compares it."""
    return name.translate(_LOWER)


class _Walk:
    def __init__(self, sql: str, functions: frozenset[str], relations: frozenset[str]) -> None:
        self._sql = sql
        self._functions = functions
        self._relations = relations

    def visit(self, value: Any, scope: frozenset[str]) -> None:
        """Judge *value* and all below it; *scope* has the names of the CTEs seen from there."""
        if isinstance(value, list):
            for one in value:
                self.visit(one, scope)
        elif isinstance(value, dict):
            kind = value.get("type")
            if "class" in value:
                self._expression(value, scope)
            elif isinstance(kind, dict):
                # A constant: a type and a value, with no names in it.
                return
            elif kind in _NODES:
                self._node(value, scope)
            elif kind in _FROM:
                self._relation(value, kind, scope)
            elif kind is None or kind in _FROM_PLAIN or _OTHERS.fullmatch(str(kind)):
                self._below(value, scope)
            else:
                self._refuse(f"{kind} is not taken here", value)

    def _below(self, value: dict[str, Any], scope: frozenset[str], *without: str) -> None:
        for name, one in value.items():
            if name not in without:
                self.visit(one, scope)

    def _expression(self, value: dict[str, Any], scope: frozenset[str]) -> None:
        kind = value["class"]
        if kind == "CONSTANT":
            return
        if kind not in _EXPRESSIONS:
            self._refuse(f"{kind} is not taken here", value)
        if "function_name" in value:
            name = lower(str(value["function_name"]))
            if name not in self._functions:
                near = difflib.get_close_matches(name, self._functions, 1, 0.85)
                hint = f"did you mean {near[0]}?" if near and name not in _DENIED else _FUNCTIONS
                self._refuse(f"the function {name} is not offered here", value, hint)
        self._below(value, scope)

    def _node(self, node: dict[str, Any], scope: frozenset[str]) -> None:
        inner = scope
        for entry in (node.get("cte_map") or {}).get("map", ()):
            name, body = lower(str(entry["key"])), entry["value"]
            if _UNFIT.search(name) or _SYSTEM.match(name):
                self._refuse(
                    f"WITH {name!r:.80}: not a name to give here", node, "use a plain word"
                )
            # It sees those before it; only the later part of a recursive one sees itself.
            self.visit(body, inner)
            inner |= {name}
        if node["type"] == "RECURSIVE_CTE_NODE":
            itself = scope | {lower(str(node.get("cte_name", "")))}
            self.visit(node.get("right"), itself)
            self._below(node, inner, "cte_map", "right", "modifiers")
            self.visit(node.get("modifiers"), itself)
            return
        self._below(node, inner, "cte_map")

    def _relation(self, value: dict[str, Any], kind: str, scope: frozenset[str]) -> None:
        if kind == "BASE_TABLE":
            self._table(value, scope)
        elif kind == "TABLE_FUNCTION":
            called = value["function"]
            name = lower(str(called.get("function_name", "")))
            plain = not called.get("schema") and not called.get("catalog")
            if called.get("class") != "FUNCTION" or name not in TABLE_FUNCTIONS or not plain:
                self._refuse(f"the table function {name} is not offered here", called, _TABLES)
            self._below(called, scope)
            self._below(value, scope, "function")
            return
        elif kind == "SHOW_REF":
            described = value.get("show_type") in ("DESCRIBE", "SUMMARY")
            if not described or value.get("query") is None or value.get("table_name"):
                hint = "SHOW TABLES, DESCRIBE name and SUMMARIZE name are"
                self._refuse("this SHOW or DESCRIBE is not taken", value, hint)
        elif any(pivot.get("pivot_enum") for pivot in value.get("pivots", ())):
            self._refuse("PIVOT by an ENUM is not taken", value, "list the values: IN ('a', 'b')")
        self._below(value, scope)

    def _table(self, value: dict[str, Any], scope: frozenset[str]) -> None:
        parts = [str(value.get(key) or "") for key in ("catalog_name", "schema_name", "table_name")]
        name = lower(parts[2])
        where = (lower(parts[0]), lower(parts[1]))
        shown = ".".join(part for part in parts if part)
        known = name in self._relations and (where == ("", "") or where in _WHERES)
        if not known and not (where == ("", "") and name in scope):
            near = difflib.get_close_matches(name, [*self._relations, *scope], 1)
            hint = f"did you mean {near[0]}?" if near else _TABLES
            self._refuse(f"the lake has no table {shown!r:.100}", value, hint)
        if value.get("at_clause"):
            self._refuse(f"{shown} AT: only the newest state is offered", value)

    def _refuse(self, message: str, value: dict[str, Any], hint: str = _TABLES) -> NoReturn:
        raise SqlError(
            message, text=self._sql, position=self._position(value.get("query_location")), hint=hint
        )

    def _position(self, offset: Any) -> int | None:
        if not isinstance(offset, int) or not 0 <= offset < _NOWHERE:
            return None
        return position(self._sql, offset)


def position(sql: str, offset: int) -> int:
    """The character of *sql* at DuckDB's *offset* in bytes."""
    return len(sql.encode()[:offset].decode(errors="ignore"))

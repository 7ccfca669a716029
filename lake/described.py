"""What each table and column of a lake holds, in words: `sql/tables.toml`, which docs/tables.md is held to."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import duckdb

from . import ask


@dataclass(frozen=True)
class Described:
    """A table in words; *behind* for one that a view puts together with others."""

    says: str
    behind: bool
    columns: dict[str, str]


@cache
def described() -> dict[str, Described]:
    """Every table and view by name, in the order in which people meet them."""
    text = (resources.files(__package__) / "sql" / "tables.toml").read_text("utf-8")
    return {
        name: Described(one["says"], one.get("behind", False), one["columns"])
        for name, one in tomllib.loads(text).items()
    }


def schema(con: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """Tables and views of the lake: name, kind, words, and the same of their columns."""
    found: dict[str, dict[str, Any]] = {}
    for row in ask.relations(con).to_pylist():
        name, column = row["relation"], row["column"]
        words = described().get(name, Described("", True, {}))
        table = found.setdefault(
            name,
            {
                "name": name, "kind": row["kind"], "behind": words.behind, "says": words.says,
                "columns": [],
            },
        )  # fmt: skip
        table["columns"].append(
            {"name": column, "type": row["type"], "says": words.columns.get(column, "")}
        )
    order = {name: at for at, name in enumerate(described())}
    return sorted(found.values(), key=lambda table: order.get(table["name"], len(order)))

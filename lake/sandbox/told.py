"""What DuckDB tells of an error, as a person reads it: words, and the place in the statement."""

from __future__ import annotations

import json
import re

from ...core.errors import SqlError
from .tree import position

_DETAILS = re.compile(r'\{"exception_type".*\}', re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")
_MAX_MESSAGE = 2_000
_WIDTH = 80


def told(error: BaseException, sql: str) -> SqlError:
    """*error*, which DuckDB tells with the setting errors_as_json, about *sql*."""
    message, at = words(error, sql)
    hint = ""
    if "max_expression_depth" in message:
        message, hint = "the statement is nested too deeply", "write it in parts, with WITH"
    return SqlError(message, text=sql, position=at, hint=hint)


def words(error: BaseException, sql: str) -> tuple[str, int | None]:
    """The message with the line it is about, and the position in *sql* if it is known."""
    text = str(error)
    found = _DETAILS.search(text)
    at = None
    if found:
        try:
            details = json.loads(found[0])
            text = f"{details['exception_type']} Error: {details['exception_message']}"
            at = position(sql, int(details["position"])) if "position" in details else None
        except (ValueError, KeyError, TypeError):
            pass
    text = _CONTROL.sub("?", text).strip()[:_MAX_MESSAGE]
    return (text, None) if at is None else (f"{text}\n\n{_pointed(sql, at)}", at)


def _pointed(sql: str, at: int) -> str:
    """The line of *sql* with a mark below its character *at*."""
    first = sql.rfind("\n", 0, at) + 1
    last = sql.find("\n", at)
    line = sql[first : len(sql) if last < 0 else last]
    column = at - first
    cut = max(0, column - _WIDTH // 2)
    line = ("..." if cut else "") + line[cut : cut + _WIDTH]
    column += (3 if cut else 0) - cut
    head = f"LINE {sql.count(chr(10), 0, at) + 1}: "
    return _CONTROL.sub(" ", head + line) + "\n" + " " * (len(head) + column) + "^"

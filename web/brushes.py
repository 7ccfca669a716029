"""Brushes of an analysis page's address as a condition of the filter language."""

from __future__ import annotations

import json
from typing import Any

from ..core.errors import UsageError
from ..lake import words

_MOST = 100


def narrowed(filter: str, brushes: str) -> str:
    """What a filter, or words that are searched for, and brushes leave together."""
    if not filter.strip():
        return condition(brushes)
    searched = words.split(filter) is not None
    own = f"search({_literal(filter.strip())})" if searched else f"({filter})"
    return f"{own} and {condition(brushes)}"


def condition(text: str) -> str:
    """What the brushes leave: *text* is JSON, the parts of each expression's axis by its expression.

    A part is [low, high] of numbers or times, a text, true or false, null for runs without a value,
    [] for those without a finite number; raises UsageError for anything else.
    """
    try:
        brushes = json.loads(text)
    except (ValueError, RecursionError):
        brushes = None
    if not isinstance(brushes, dict) or len(brushes) > _MOST:
        raise _misfit(text)
    every = []
    for expr, parts in brushes.items():
        if not isinstance(parts, list) or not 0 < len(parts) <= _MOST:
            raise _misfit(text)
        every.append(" or ".join(_part(f"({expr})", part, text) for part in parts))
    return " and ".join(f"({one})" for one in every)


def _part(of: str, part: Any, text: str) -> str:
    if part is None:
        return f"{of} is null"
    if isinstance(part, bool):
        return of if part else f"not {of}"
    if isinstance(part, str):
        return f"{of} = {_literal(part)}"
    if part == []:
        return f"{of} is null or isnan({of}) or isinf({of})"
    if isinstance(part, list) and len(part) == 2:
        low, high = part
        if isinstance(low, str) and isinstance(high, str):
            return f"{of} between {_literal(low)} and {_literal(high)}"
        if all(isinstance(end, (int, float)) and not isinstance(end, bool) for end in part):
            return f"{of} between {low!r} and {high!r}"
    raise _misfit(text)


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _misfit(text: str) -> UsageError:
    hint = 'parts by expression are expected, such as {"hp.lr": [[0.001, 0.1]]}'
    return UsageError(f"brush: {text[:80]!r} are no brushes", hint=hint)

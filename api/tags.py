"""Tags as a tree, by what stands between their slashes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

# A tag of nothing but slashes would be a tree of nothing but trunks.
_DEEPEST = 16


def tree(tags: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Nodes in the order of *tags*: name, count (tags at and below it), children, and where a tag
    ends its `tag`. Beyond 16 levels the rest of a tag is one name.
    """
    roots: dict[str, Any] = {}
    for one in tags:
        level: dict[str, Any] = roots
        parts = one["tag"].split("/", _DEEPEST - 1)
        for depth, name in enumerate(parts):
            node = level.setdefault(name, {"name": name, "count": 0, "children": {}})
            node["count"] += 1
            if depth == len(parts) - 1:
                node["tag"] = one["tag"]
            level = node["children"]
    return _listed(roots)


def _listed(nodes: dict[str, Any]) -> list[dict[str, Any]]:
    return [node | {"children": _listed(node["children"])} for node in nodes.values()]

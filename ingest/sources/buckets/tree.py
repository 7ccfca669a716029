"""What a bucket held, by prefix: what is looked at again, what that costs, and what is remembered. Pure."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from ....core.values import FileEntry
from ...names import is_event_file
from ..base import Listing
from ..chosen import MAX_BESIDE, finish, matcher

# One directory: its path, how many keys it has, their newest time, and names, sizes, times (Unix seconds)
# and versions of its event files, then of what else counts, each as one text. It is JSON as it stands,
# and a bucket of a million keys would not fit as so many objects.
Row = list[Any]
_TEXTS = 3
# Data sets lie in buckets, too: behind so many files beside logs, few count of each directory, then none.
_MANY_BESIDE, _MOST_BESIDE, _FEW_BESIDE = 100_000, 300_000, 100
# keys below, when last looked at, when last changed (Unix seconds), rows, nodes by name, problems, and
# whether nodes below have some.
Node = dict[str, Any]
NOTHING: Node = {"k": 0, "l": 0.0, "c": 0.0, "g": [], "s": {}, "p": [], "o": False}
MAX_DEPTH = 8
# Children are told apart only where a listing of their names is far shorter than one of their keys.
_FEW = 4


@dataclass
class Rules:
    """Which keys count, as `Chosen` says it, with what holds for a directory asked once."""

    include: Sequence[str]
    exclude: Sequence[str]
    _part: Callable[[str], bool] = field(init=False, repr=False)
    _name: Callable[[str], object] = field(init=False, repr=False)
    _whole: Callable[[str], bool] | None = field(init=False, repr=False)
    _included: Callable[[str], bool] | None = field(init=False, repr=False)

    def __post_init__(self) -> None:
        parts = [one for one in self.exclude if "/" not in one]
        whole = [one for one in self.exclude if "/" in one]
        self._part = matcher(parts)
        # For one name the pattern alone is quicker.
        named = "|".join(fnmatch.translate(one) for one in parts)
        self._name = re.compile(named).match if parts and "**" not in parts else self._part
        self._whole = matcher(whole) if whole else None
        everything = any(one in ("**", "**/*") for one in self.include)
        self._included = None if everything else matcher(self.include)

    def gather(self, pages: Iterable[Sequence[Any]], cut: int) -> Iterator[Row]:
        """Rows of listed objects, whose paths begin with *cut* characters that are left out.

        A directory may come in several rows.
        """
        columns: list[list[Any]] = []
        keys = 0
        current: str | None = None
        hidden = False
        others, room = 0, MAX_BESIDE
        for page in pages:
            for item in page:
                path: str = item["path"][cut:]
                directory, _, name = path.rpartition("/")
                if directory != current:
                    if current is not None:
                        yield _row(current, keys, columns)
                    current, keys, columns = directory, 0, [[] for _ in range(8)]
                    hidden = bool(directory) and self._part(directory)
                    if others > _MANY_BESIDE:
                        room = _FEW_BESIDE if others < _MOST_BESIDE else 0
                keys += 1
                if hidden or not name or self._name(name) or (self._whole and self._whole(path)):
                    continue
                if "tfevents" in name and is_event_file(name):
                    if self._included is not None and not self._included(path):
                        continue
                    at = 0
                elif len(columns[4]) < room:
                    at = 4
                    others += 1
                else:
                    continue
                columns[at].append(name)
                columns[at + 1].append(item["size"])
                columns[at + 2].append(mtime_of(item))
                columns[at + 3].append(version_of(item))
        if current is not None:
            yield _row(current, keys, columns)


@dataclass
class Plan:
    """Prefixes to be listed whole (`flat`), and those of which only the first level is (`levels`)."""

    flat: list[str] = field(default_factory=list)
    levels: list[str] = field(default_factory=list)


class Tree:
    """The nodes of a bucket below its root, and how many keys a request lists."""

    def __init__(self, page: int, root: Node | None = None) -> None:
        self.page = page
        self.root = root

    def plan(self, due: Callable[[float, float], bool]) -> Plan:
        """What to list so that everything that is *due* is looked at, with the fewest requests."""
        plan = Plan()
        if self.root is not None and due(self.root["l"], self.root["c"]):
            self._plan("", self.root, due, plan)
        return plan

    def _plan(
        self, prefix: str, node: Node, due: Callable[[float, float], bool], plan: Plan
    ) -> None:
        if self._cost(node, due) >= self.flat_cost(node):
            plan.flat.append(prefix)
            return
        plan.levels.append(prefix)
        for name, child in node["s"].items():
            if due(child["l"], child["c"]):
                self._plan(join(prefix, name), child, due, plan)

    def flat_cost(self, node: Node) -> int:
        """Requests that list all keys of a node.

        Where one is odd, what lies before it on its page is listed directory by directory.
        """
        keys: int = node["k"]
        around = min(keys, self.page) // 2 if node["o"] else 0
        return max(1, -(-keys // self.page)) + around

    def _cost(self, node: Node, due: Callable[[float, float], bool]) -> int:
        """Requests that list only what is due below a node; no fewer than all where all is listed."""
        flat = self.flat_cost(node)
        if not node["s"]:
            return flat
        names: int = len(node["s"]) + sum(row[1] for row in node["g"])
        cost = max(1, -(-names // self.page))
        for child in node["s"].values():
            if cost >= flat:
                return flat
            if due(child["l"], child["c"]):
                cost += self._cost(child, due)
        return min(cost, flat)

    def build(
        self,
        prefix: str,
        rows: Iterable[Row],
        now: float,
        old: Node | None,
        problems: Sequence[list[str]] = (),
    ) -> Node:
        """The node of *prefix* from what was listed below it; *old* is what was there before.

        Directories with *problems*, keys that hide others, become nodes of their own.
        """
        odd = {path for path, _ in problems}
        depth = prefix.count("/") + 1 if prefix else 0
        node = self._build(prefix, merged(rows), now, old, depth, odd)
        for path, message in problems:
            _tell(node, path[len(prefix) :].strip("/"), [path, message])
        return node

    def _build(
        self,
        prefix: str,
        rows: list[Row],
        now: float,
        old: Node | None,
        depth: int,
        odd: set[str],
    ) -> Node:
        keys = sum(row[1] for row in rows)
        begin = f"{prefix}/" if prefix else ""
        below_odd = {path[len(begin) :].partition("/")[0] for path in odd if path.startswith(begin)}
        below_odd.discard("")
        if prefix not in odd and (keys > self.page or below_odd) and depth < MAX_DEPTH:
            start = len(prefix) + 1 if prefix else 0
            loose: list[Row] = []
            parts: dict[str, list[Row]] = {}
            for row in rows:
                if row[0] == prefix:
                    loose.append(row)
                else:
                    parts.setdefault(row[0][start:].partition("/")[0], []).append(row)
            for name in below_odd:
                parts.setdefault(name, [])
            if parts and (below_odd or len(parts) * _FEW <= keys):
                before = (old or {}).get("s") or {}
                nodes = {
                    name: self._build(begin + name, below, now, before.get(name), depth + 1, odd)
                    for name, below in sorted(parts.items())
                }
                return self.joined(loose, nodes, now, old)
        same = old is not None and sorted(rows_of(old), key=_directory) == rows
        changed = old["c"] if old is not None and same else _newest(rows, now, old)
        return {**NOTHING, "k": keys, "l": now, "c": changed, "g": rows, "s": {}, "p": []}

    def joined(
        self, loose: list[Row], nodes: dict[str, Node], now: float, old: Node | None
    ) -> Node:
        """A node of children: changed when the last of them was, or when one came or went."""
        changed = max((node["c"] for node in nodes.values()), default=0.0)
        if old is None:
            changed = max(changed, _newest(loose, now, None) if loose else 0.0)
        elif loose != old["g"] or nodes.keys() != old["s"].keys():
            # An old node without children was listed whole: its children are not new for that.
            changed = now if old["s"] else max(changed, old["c"])
        keys = sum(row[1] for row in loose) + sum(node["k"] for node in nodes.values())
        odd = any(node["o"] or node["p"] for node in nodes.values())
        return {"k": keys, "l": now, "c": changed, "g": loose, "s": nodes, "p": [], "o": odd}

    def listing(self, now: float | None) -> Listing:
        """Everything that is known; what was not looked at *now*, or at all, is remembered."""
        listing = Listing()
        nodes = list(_nodes(self.root)) if self.root else []
        directories = _with_parents({row[0] for node in nodes for row in node["g"]})
        for row, looked in ((row, node["l"] == now) for node in nodes for row in node["g"]):
            begin = f"{row[0]}/" if row[0] else ""
            files = [
                FileEntry(begin + name, size, mtime * 10**9, version)
                for name, size, mtime, version in _unpack(row, 0)
            ]
            listing.files += files
            if looked:
                listing.looked += len(files)
            else:
                listing.remembered.update(entry.path for entry in files)
            beside = [
                FileEntry(begin + name, size, mtime * 10**9, version)
                for name, size, mtime, version in _unpack(row, 1)
                # `dir/`, an empty object that stands for a directory, is listed as `dir`.
                if size or begin + name not in directories
            ]
            if beside:
                listing.beside[row[0]] = beside
        finish(listing)
        return listing


def merged(rows: Iterable[Row]) -> list[Row]:
    """One row for each directory, in order; the rows themselves are given up."""
    found: dict[str, Row] = {}
    for row in rows:
        known = found.setdefault(row[0], row)
        if known is not row:
            known[1] += row[1]
            known[2] = max(known[2], row[2])
            for first in (_TEXTS, _TEXTS + 4):
                if known[first] and row[first]:
                    for column in range(first, first + 4):
                        known[column] += "\n" + row[column]
                elif row[first]:
                    known[first : first + 4] = row[first : first + 4]
    return [found[directory] for directory in sorted(found)]


def _row(directory: str, keys: int, columns: list[list[Any]]) -> Row:
    newest = max((*columns[2], *columns[6]), default=0)
    return [directory, keys, newest, *("\n".join(map(str, column)) for column in columns)]


def _unpack(row: Row, which: int) -> Iterable[tuple[str, int, int, str]]:
    """Name, size, time and version of each event file (0) of a directory, or of what else counts (1)."""
    names, sizes, times, versions = row[_TEXTS + 4 * which : _TEXTS + 4 * which + 4]
    if not names:
        return ()
    columns = (names.split("\n"), map(int, sizes.split()), map(int, times.split()))
    return zip(*columns, versions.split("\n"), strict=True)


def _directory(row: Row) -> str:
    found: str = row[0]
    return found


def _with_parents(directories: set[str]) -> set[str]:
    found = set(directories)
    for directory in directories:
        above = directory.rpartition("/")[0]
        while above and above not in found:
            found.add(above)
            above = above.rpartition("/")[0]
    return found


def version_of(item: Any) -> str:
    """The ETag of an object; Azure lists it without its quotes, and gives it with them."""
    tag: str = item["e_tag"] or ""
    if not tag or "\n" in tag:
        return ""
    return tag if tag[-1] == '"' else f'"{tag}"'


def mtime_of(item: Any) -> int:
    """When an object was last modified, Unix seconds; finer times stand in listings alone."""
    return int(item["last_modified"].timestamp())


def join(prefix: str, name: str) -> str:
    """A path below a prefix; '' is the root."""
    return f"{prefix}/{name}" if prefix else name


def rows_of(node: Node) -> Iterator[Row]:
    """All rows of a node and below."""
    for found in _nodes(node):
        yield from found["g"]


def problems_of(node: Node) -> Iterator[list[str]]:
    """All problems of a node and below: path and message."""
    for found in _nodes(node):
        yield from found["p"]


def _tell(node: Node, path: str, problem: list[str]) -> None:
    """Leave a problem with the deepest node on the way to *path*."""
    name, _, rest = path.partition("/")
    if name in node["s"]:
        node["o"] = True
        _tell(node["s"][name], rest, problem)
    else:
        node["p"].append(problem)


def _nodes(node: Node) -> Iterator[Node]:
    yield node
    for child in node["s"].values():
        yield from _nodes(child)


def _newest(rows: Iterable[Row], now: float, old: Node | None) -> float:
    """When rows changed last: just now where something else was known, else by their newest time.

    Where nothing lies yet, something may be about to come.
    """
    times = [row[2] for row in rows]
    return now if old is not None or not times else float(min(max(*times, 0), now))

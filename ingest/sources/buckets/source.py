"""Buckets: S3 and what speaks its protocol, Google Cloud Storage, Azure Blob Storage."""

from __future__ import annotations

import errno
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ....core.errors import SourceError
from ....core.settings import SourceSettings
from ....core.values import FileEntry, Problem
from ...memory import Memory
from ..base import Changed, Listing, Spent
from . import odd
from . import store as objects_store
from .errors import Fault
from .lister import Failed, Lister, Patience
from .tree import (
    NOTHING,
    Node,
    Row,
    Rules,
    Tree,
    join,
    merged,
    mtime_of,
    problems_of,
    version_of,
)

_AT_ONCE = 32
_LISTS_AT_ONCE = 12
# A listing of fewer pages is not split: it would be over before the parts have begun. Where pages
# end is remembered; where it is not known yet, splitting takes requests for names, and parts of pages.
_SPLIT_PAGES = 8
_PROBE_PAGES = 40
_SPLIT_DEPTH = 4
_FORMAT = 2


def open_source(settings: SourceSettings) -> ObjectSource:
    """The source that *settings* describe; connects to nothing. Raises UsageError."""
    return ObjectSource(settings, objects_store.make(settings))


class ObjectSource:
    """The objects of a bucket below a prefix, or a single one."""

    def __init__(self, settings: SourceSettings, bucket: objects_store.Bucket) -> None:
        self.spent = Spent()
        self.at_once = _AT_ONCE
        self._uri = settings.uri
        self._bucket = bucket
        self._store = bucket.store
        self._rules = Rules(settings.include, settings.exclude)
        self._patience = Patience(_AT_ONCE, max(settings.timeout, 1.0), time.monotonic)
        plain = odd.Plain(bucket.plain, bucket.name) if bucket.plain else None
        self._list = Lister(bucket, self.spent, self._patience, plain)
        self._single = False
        self._problems: list[Problem] = []

    def __repr__(self) -> str:
        return f"ObjectSource({self._uri!r})"

    def walk(self, memory: Memory) -> Listing:
        """All objects below the root; see `Source.walk`. What is not due comes from memory."""
        self._problems = []
        before = self.spent.total
        data = memory.data if memory.data.get("format") == _FORMAT else {}
        self._list.odd.update(data.get("odd", {}))
        self._single = bool(data.get("single"))
        tree = Tree(self._bucket.page, data.get("tree"))
        marks: list[str] = data.get("marks", [])
        try:
            if tree.root is None or memory.full:
                marks = self._whole(tree, memory.now, marks)
            else:
                marks = self._due(tree, memory, marks)
        except Failed as failed:
            raise self._error(failed.fault) from None
        assert tree.root is not None
        memory.unchanged = self.spent.total == before
        listing = tree.listing(None if memory.unchanged else memory.now)
        listing.problems += self._problems
        listing.problems += [_problem(*one) for one in problems_of(tree.root)]
        every = (listing.files, *listing.beside.values()) if self._list.odd else ()
        kept = {entry.path for entries in every for entry in entries}
        memory.data = {
            "format": _FORMAT,
            "tree": tree.root,
            "marks": marks,
            "odd": {p: key for p, key in self._list.odd.items() if p[self._cut :] in kept},
            "single": self._single,
        }
        return listing

    def read(self, path: str, start: int, length: int, version: str = "") -> bytearray:
        """At most *length* bytes of an object from *start*; see `Source.read`."""
        if length <= 0:
            return bytearray()
        key = self._key(path)
        # A weak ETag never matches, says RFC 9110.
        version = "" if version.startswith("W/") else version
        plain = self._plain_for(key)

        def ask() -> bytearray:
            if plain is not None:
                return plain.read(key, start, length, version)
            options: Any = {"range": (start, start + length)}
            if version:
                options["if_match"] = version
            return bytearray(self._store.get(key, options=options).bytes())

        try:
            data = self._list.ask(ask, reads=1)
        except Failed as failed:
            fault = failed.fault
            if fault.why == "past":
                return bytearray()
            if fault.why == "changed":
                raise Changed(errno.ESTALE, "is another version now", path) from None
            if fault.why == "gone":
                raise FileNotFoundError(errno.ENOENT, "is gone", path) from None
            raise OSError(errno.EIO, fault.words, path) from None
        self.spent.add(bytes=len(data))
        return data

    def stat(self, path: str) -> FileEntry | None:
        """The entry of one object as it is now; see `Source.stat`."""
        key = self._key(path)
        try:
            found = self._head(key)
        except Failed as failed:
            if failed.fault.why == "gone":
                return None
            raise OSError(errno.EIO, failed.fault.words, path) from None
        return FileEntry(path, found["size"], mtime_of(found) * 10**9, version_of(found))

    def close(self) -> None:
        """Let nobody wait any longer; connections go with the client."""
        self._patience.over.set()

    def _key(self, path: str) -> str:
        whole = self._bucket.root if self._single else join(self._bucket.root, path)
        return self._list.odd.get(whole, whole)

    def _plain_for(self, key: str) -> odd.Plain | None:
        return self._list.plain if odd.is_odd(key) else None

    def _head(self, key: str) -> Any:
        plain = self._plain_for(key)
        ask = self._store.head if plain is None else plain.head
        return self._list.ask(lambda: ask(key), reads=1)

    def _error(self, fault: Fault) -> SourceError:
        return SourceError(f"{self._uri}: {fault.words}", hint=fault.hint)

    @property
    def _cut(self) -> int:
        root = self._bucket.root
        return len(root) + 1 if root else 0

    def _whole(self, tree: Tree, now: float, marks: list[str]) -> list[str]:
        """List everything; returns a mark for each page."""
        if self._single and self._look_at_single(tree, now):
            return []
        self._single = False
        problems: list[list[str]] = []
        rows, found_marks = self._everything(marks, problems)
        if not rows and self._bucket.root:
            if self._look_at_single(tree, now):
                return []
            self._problems.append(
                Problem("", 0, 0, "unreadable", "nothing lies below the prefix: check its spelling")
            )
        # Two ranges may have met the same key.
        problems = [list(one) for one in sorted({(path, told) for path, told in problems})]
        tree.root = tree.build("", rows, now, tree.root, problems)
        return found_marks

    def _everything(
        self, marks: list[str], problems: list[list[str]]
    ) -> tuple[list[Row], list[str]]:
        """Rows of all objects, and the last key of each page; listed side by side where that pays."""
        root = self._bucket.root
        rows: list[Row] = []
        found: list[str] = []
        parts = self._parts(marks)
        if len(parts) == 1:
            most = _PROBE_PAGES if self._bucket.offsets else 0
            rows += self._flat(root, problems, found, most=most)
            if not most or len(found) < most or problems:
                return rows, sorted(set(found))
            parts = self._parts_behind(max(found))
        kept: list[list[str]] = [[] for _ in parts]
        with ThreadPoolExecutor(_LISTS_AT_ONCE) as pool:
            for part in pool.map(lambda p, own: self._flat(root, problems, own, *p), parts, kept):
                rows += part
        return rows, sorted({*found, *(mark for own in kept for mark in own)})

    def _parts_behind(self, last: str) -> list[tuple[str, str]]:
        """Ranges of keys behind *last*, cut where directories begin."""
        level, names = self._bucket.root, list[str]()
        for _ in range(_SPLIT_DEPTH):
            try:
                names = self._list.level(level)[1]
            except Failed:
                break
            if len(names) != 1:
                break
            level = join(level, names[0])
        cuts = [cut for name in sorted(names) if (cut := join(level, name)) > last]
        size = -(-len(cuts) // _LISTS_AT_ONCE) or 1
        cuts = [last, *cuts[size::size], ""]
        return list(zip(cuts, cuts[1:], strict=False))

    def _look_at_single(self, tree: Tree, now: float) -> bool:
        """Whether the root is one object: then it is what there is."""
        root = self._bucket.root
        try:
            found = self._head(root)
        except Failed as failed:
            if failed.fault.why == "gone":
                return False
            raise
        above, _, name = root.rpartition("/")
        rows = self._rules.gather([[found]], len(above) + 1 if above else 0)
        tree.root = tree.build("", rows, now, tree.root)
        self._single = True
        return True

    def _parts(self, marks: list[str]) -> list[tuple[str, str]]:
        """Ranges of keys that are listed side by side: (behind, up to)."""
        if len(marks) < _SPLIT_PAGES or not self._bucket.offsets:
            return [("", "")]
        size = -(-len(marks) // _LISTS_AT_ONCE)
        cuts = ["", *marks[size - 1 : -1 : size], ""]
        return list(zip(cuts, cuts[1:], strict=False))

    def _flat(
        self,
        prefix: str,
        problems: list[list[str]],
        marks: list[str],
        after: str = "",
        until: str = "",
        most: int = 0,
    ) -> list[Row]:
        """Rows of all objects below a prefix, or of the first *most* pages.

        *marks* gets the last key of each page, the last one's too.
        """

        def pages() -> Iterable[Any]:
            for page in self._list.pages(prefix, problems, after, until):
                if page:
                    marks.append(page[-1]["path"])
                yield page
                # Around an odd key pages come in no order: then there is no going on behind one.
                if most and len(marks) >= most and not problems:
                    return

        return list(self._rules.gather(pages(), self._cut))

    def _due(self, tree: Tree, memory: Memory, marks: list[str]) -> list[str]:
        """List what is due, however that takes the fewest requests; the rest is remembered."""
        assert tree.root is not None
        plan = tree.plan(memory.due)
        if "" in plan.flat or self._single and plan.levels:
            return self._whole(tree, memory.now, marks)
        if not plan.levels:
            return marks
        with ThreadPoolExecutor(_LISTS_AT_ONCE) as pool:
            step = _Step(self, pool)
            step.start(plan.flat, plan.levels)
            tree.root = step.renewed(tree, "", tree.root, memory.now)
        self._problems += step.problems
        return marks


class _Step:
    """One pass over prefixes that are due: lists side by side, then the nodes made of them."""

    def __init__(self, source: ObjectSource, pool: ThreadPoolExecutor) -> None:
        self._source, self._pool = source, pool
        self._flat: dict[str, Any] = {}
        self._levels: dict[str, Any] = {}
        self.problems: list[Problem] = []

    def start(self, flat: list[str], levels: list[str]) -> None:
        """Begin to list, the first levels first: they may show more to list."""
        for prefix in levels:
            self._levels[prefix] = self._pool.submit(self._level, prefix)
        for prefix in flat:
            self._flat[prefix] = self._pool.submit(self._rows, prefix)

    def _whole_prefix(self, prefix: str) -> str:
        root = self._source._bucket.root
        return join(root, prefix) if prefix else root

    def _level(self, prefix: str) -> tuple[list[Row], list[str]]:
        objects, names = self._source._list.level(self._whole_prefix(prefix))
        return list(self._source._rules.gather([objects], self._source._cut)), names

    def _rows(self, prefix: str) -> tuple[list[Row], list[list[str]]]:
        problems: list[list[str]] = []
        return self._source._flat(self._whole_prefix(prefix), problems, []), problems

    def renewed(self, tree: Tree, prefix: str, node: Node, now: float) -> Node:
        """A node as it is now; as it was where it was not looked at, or cannot be."""
        if prefix in self._flat:
            return self._listed(tree, prefix, node, now)
        if prefix not in self._levels:
            return node
        try:
            loose, names = self._levels[prefix].result()
        except Failed as failed:
            if failed.fault.why == "odd":
                self._flat[prefix] = self._pool.submit(self._rows, prefix)
                return self._listed(tree, prefix, node, now)
            if not prefix:
                raise
            return self._kept(prefix, node, failed.fault)
        for name in names:
            if name not in node["s"]:
                below = join(prefix, name)
                self._flat[below] = self._pool.submit(self._rows, below)
        children = {}
        for name in sorted(names):
            below, known = join(prefix, name), node["s"].get(name)
            if known is not None:
                children[name] = self.renewed(tree, below, known, now)
            elif fresh := self._fresh(tree, below, now):
                children[name] = fresh
        return tree.joined(merged(loose), children, now, node)

    def _listed(self, tree: Tree, prefix: str, node: Node, now: float) -> Node:
        try:
            rows, problems = self._flat[prefix].result()
        except Failed as failed:
            return self._kept(prefix, node, failed.fault)
        return tree.build(prefix, rows, now, node, problems)

    def _fresh(self, tree: Tree, prefix: str, now: float) -> Node | None:
        """The node of a prefix that was not there before; None where it cannot be listed now."""
        try:
            rows, problems = self._flat[prefix].result()
        except Failed as failed:
            self._kept(prefix, NOTHING, failed.fault)
            return None
        return tree.build(prefix, rows, now, None, problems)

    def _kept(self, prefix: str, node: Node, fault: Fault) -> Node:
        self.problems.append(
            Problem(prefix, 0, 0, "unreadable", f"cannot be listed: {fault.words}")
        )
        return node


def _problem(path: str, message: str) -> Problem:
    return Problem(path, 0, 0, "unreadable", message)

"""Listing a bucket page by page: counted, tried again, and past keys that are no paths."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from obstore.exceptions import BaseError

from ..base import Spent
from . import odd
from .errors import Fault, explain
from .store import Bucket
from .tree import join

T = TypeVar("T")
Page = Sequence[Any]
TRIES = 4
_FIRST_PAUSE_S = 0.1
_NO_PLACE = ("credentials", "refused", "other")
CLIENT_ERRORS = (BaseError, OSError, ValueError)


class Failed(Exception):
    """A request that failed for good: `fault` says why."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.words)
        self.fault = fault


class Patience:
    """How often a server is asked again: not at all once it fails again and again.

    After *limit* failures in a row nothing is asked for *rest_s* seconds. Safe from any thread.
    """

    def __init__(self, limit: int, rest_s: float, clock: Callable[[], float]) -> None:
        self._limit, self._rest_s, self._clock = limit, rest_s, clock
        self._lock = threading.Lock()
        self._failures = 0
        self._until = 0.0
        self._last = Fault("other", "")
        self.over = threading.Event()

    def ask(self) -> None:
        """Before a request: raises Failed with the last failure where the server is left alone."""
        with self._lock:
            if self._failures >= self._limit and self._clock() < self._until:
                words = f"{self._last.words}; it is left alone for a while"
                raise Failed(Fault(self._last.why, words, self._last.hint))

    def good(self) -> None:
        """A request was answered, whatever the answer."""
        if self._failures:
            with self._lock:
                self._failures = 0

    def bad(self, fault: Fault, tried: int) -> None:
        """After a failure of try number *tried*: waits where another may help, else raises Failed."""
        with self._lock:
            if fault.why in ("busy", "silent"):
                self._failures += 1
                self._last, self._until = fault, self._clock() + self._rest_s
            else:
                self._failures = 0
            hopeless = self._failures >= self._limit
        if not fault.again or tried >= TRIES or hopeless:
            raise Failed(fault) from None
        pause = _FIRST_PAUSE_S * 3 ** (tried - 1) * (0.5 + random.random())
        if self.over.wait(pause):
            raise Failed(fault) from None


@dataclass
class Lister:
    """Lists of one bucket. `odd` holds the keys behind paths that are shown otherwise."""

    bucket: Bucket
    spent: Spent
    patience: Patience
    plain: odd.Plain | None
    odd: dict[str, str] = field(default_factory=dict)

    def pages(
        self, prefix: str, problems: list[list[str]], after: str = "", until: str = ""
    ) -> Iterator[Page]:
        """All objects below the directory *prefix*, in order of their keys.

        Only keys behind *after* up to *until*, where given. Raises Failed. *problems* gets path and
        message of what is left out.
        """
        for page in self._pages(prefix, problems, after, until):
            if until and page and _key(page[-1]) > until:
                page = [item for item in page if _key(item) <= until]
            yield page

    def _pages(
        self, prefix: str, problems: list[list[str]], after: str, until: str
    ) -> Iterator[Page]:
        """The same, with some keys behind *until*."""
        last, tried, plainly = after, 0, odd.is_odd(prefix)
        while True:
            try:
                if plainly:
                    found, more = self._plain_page(prefix, last)
                    last, tried = found[-1]["path"] if found else last, 0
                    yield self._shown(found)
                    plainly = odd.is_odd(last) or odd.is_odd(prefix)
                    if not more or (until and last >= until):
                        return
                    continue
                for page in self._stream(prefix, last):
                    # Not every server heeds where to start.
                    if last and page[0]["path"] <= last:
                        page = [item for item in page if item["path"] > last]
                        if not page:
                            continue
                    last, tried = page[-1]["path"], 0
                    yield page
                    if until and last >= until:
                        return
                return
            except Failed as failed:
                if plainly and self.plain is not None and failed.fault.why in _NO_PLACE:
                    # Its chain of credentials is another one, and may lead nowhere.
                    self.plain, plainly = None, odd.is_odd(prefix)
                    continue
                if failed.fault.why != "odd":
                    raise
                if self.plain is not None:
                    plainly = True
                    continue
                resume = yield from self._around(prefix, last, failed.fault.key, problems)
                if not resume:
                    return
                last = resume
            except CLIENT_ERRORS as error:
                self.spent.add(lists=1)
                tried += 1
                self.patience.bad(explain(error), tried)

    def level(self, prefix: str) -> tuple[list[Any], list[str]]:
        """Objects directly in the directory *prefix*, and the names of the directories in it.

        Raises Failed, with `odd` where one of them is no path.
        """

        def ask() -> tuple[list[Any], list[str]]:
            found = self.bucket.store.list_with_delimiter(prefix or None)
            return list(found["objects"]), list(found["common_prefixes"])

        objects, prefixes = self.ask(ask, lists=1)
        self.spent.add(lists=max(0, -(-(len(objects) + len(prefixes)) // self.bucket.page) - 1))
        cut = len(prefix) + 1 if prefix else 0
        return objects, [name[cut:] for name in prefixes]

    def ask(self, request: Callable[[], T], *, lists: int = 0, reads: int = 0) -> T:
        """The answer to a request, tried again where that may help. Raises Failed."""
        tried = 0
        while True:
            self.patience.ask()
            try:
                answer = request()
            except CLIENT_ERRORS as error:
                fault = explain(error)
            except odd.errors() as error:
                fault = odd.explain(error)
            else:
                self.spent.add(lists=lists, reads=reads)
                self.patience.good()
                return answer
            self.spent.add(lists=lists, reads=reads)
            tried += 1
            self.patience.bad(fault, tried)

    def _stream(self, prefix: str, after: str) -> Iterator[Page]:
        """Pages as they come; raises Failed for an odd key, and what the client raises otherwise."""
        self.patience.ask()
        seen = counted = 0
        try:
            for chunk in self.bucket.store.list(
                prefix or None, offset=after or None, chunk_size=1000
            ):
                page = cast(Page, chunk)
                seen += len(page)
                requests = -(-seen // self.bucket.page)
                self.spent.add(lists=requests - counted)
                counted = requests
                self.patience.good()
                yield page
        except CLIENT_ERRORS as error:
            fault = explain(error)
            if fault.why != "odd":
                raise
            self.spent.add(lists=1)
            raise Failed(fault) from None
        if not counted:
            self.spent.add(lists=1)

    def _plain_page(self, prefix: str, after: str) -> tuple[list[Any], bool]:
        plain = self.plain
        if plain is None:
            raise Failed(Fault("refused", "the root is no path: it holds '//', '/./' or the like"))
        return self.ask(lambda: plain.page(prefix, after), lists=1)

    def _shown(self, page: list[Any]) -> Page:
        found = []
        for item in page:
            key: str = item["path"]
            if key.endswith("/") and not item["size"]:
                continue
            if odd.is_odd(key):
                path = self.shown(key)
                self.odd[path] = key
                item = {**item, "path": path, "key": key}
            found.append(item)
        return found

    def shown(self, key: str) -> str:
        """A key as a path below the root, which itself stays as it is."""
        root = f"{self.bucket.root}/" if self.bucket.root else ""
        return root + odd.shown(key.removeprefix(root))

    def _around(
        self, prefix: str, last: str, key: str, problems: list[list[str]]
    ) -> Generator[Page, None, str]:
        """What lies behind *last* around the odd *key*; returns the path to go on behind, or ''.

        The page with the key is lost as a whole. Directories beside those that lead to it are
        listed one by one; what lies behind it is had by going on behind it, if the server can.
        """
        what = odd.find(key)
        root = self.bucket.root
        if what is None:
            problems.append([_below(root, prefix), "cannot be listed: a key in it is no path"])
            return ""
        if what.behind <= last:
            # The server did not heed where to start: what is behind is listed by directories, too.
            problems.append(
                [_below(root, what.directory), f"cannot be listed: {what.reason} in it"]
            )
            for level, onward, objects, names in self._levels(prefix, what.directory):
                yield from self._beside(
                    level, objects, names, onward, f"{level}/\U0010ffff", problems
                )
            return ""
        hint = "; pip install 'boardlake[aws]' reads such keys" if self.bucket.kind == "s3" else ""
        # Told of the directory: what is known to lie there is not gone for not being seen.
        told = (
            f"{_below(root, self.shown(key))}: {what.reason} in a key. What shares it is not read, and "
            f"of the 1,000 keys before it in this directory some may be missing{hint}"
        )
        problems.append([_below(root, what.directory), told])
        for level, onward, objects, names in self._levels(prefix, what.directory):
            yield from self._beside(level, objects, names, last, onward, problems)
        return what.behind

    def _levels(
        self, prefix: str, directory: str
    ) -> Iterator[tuple[str, str, list[Any], list[str]]]:
        """First levels from *prefix* down to above *directory*, and which child leads onward."""
        level = prefix
        while level != directory and directory.startswith(f"{level}/" if level else ""):
            start = len(level) + 1 if level else 0
            onward = join(level, directory[start:].partition("/")[0])
            try:
                objects, names = self.level(level)
            except Failed as failed:
                if failed.fault.why != "odd":
                    raise
                return
            yield level, onward, objects, names
            level = onward

    def _beside(
        self,
        level: str,
        objects: list[Any],
        names: list[str],
        after: str,
        before: str,
        problems: list[list[str]],
    ) -> Iterator[Page]:
        """Objects of a level and of its directories, between two paths."""
        loose = [item for item in objects if after < item["path"] < before]
        if loose:
            yield loose
        for name in names:
            below = join(level, name)
            if below < before and below != after and f"{below}/\U0010ffff" > after:
                yield from self.pages(below, problems, after=after)


def _key(item: Any) -> str:
    """The key of a listed object, whose path may be shown otherwise."""
    found: str = item.get("key") or item["path"]
    return found


def _below(root: str, path: str) -> str:
    if path == root:
        return ""
    return path[len(root) + 1 :] if root and path.startswith(f"{root}/") else path

"""Whatever else an installed fsspec reads: webhdfs, ftp, smb and so on, listed folder by folder."""

from __future__ import annotations

import contextlib
import errno
import inspect
import os
import queue
import threading
import time
import warnings
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

from ...core import places
from ...core.errors import SourceError, UsageError
from ...core.settings import SourceSettings
from ...core.values import FileEntry, Problem
from ..memory import Memory
from ..names import is_event_file
from .base import Listing, Spent
from .chosen import Chosen
from .folders import Folder, Item, Tree, join, shown, walk

# Clients that block have one connection each, and are no use to two threads.
_BLOCKING_AT_ONCE = 4
_ASYNC_AT_ONCE = 16
# These have a kind of their own here, which is cheaper, and safer.
_INSTEAD = {
    "s3a": "s3://BUCKET/PREFIX",
    "abfs": "az://CONTAINER/PREFIX",
    "abfss": "az://CONTAINER/PREFIX",
    "adl": "az://CONTAINER/PREFIX",
    "webdav": "davs://HOST/PATH",
    "webdavs": "davs://HOST/PATH",
    "local": "a path",
    "file": "a path",
}
_TIMES = tuple(
    "mtime modificationTime modify LastModified last_modified modified last_write_time updated"
    " creation_time created".split()
)
_T = TypeVar("_T")
_VERSIONS = ("ETag", "etag", "version_id", "generation", "sha", "fileId", "unique", "inode", "ino")


def open_source(settings: SourceSettings) -> AnySource:
    """A client of fsspec for the URL of *settings*; nothing is asked before the first walk.

    Options come from the environment as fsspec names them: FSSPEC_FTP_PASSWORD and the like. Raises
    `UsageError` where the extra, or the package that a scheme needs, is not installed.
    """
    scheme = places.scheme_of(settings.uri)
    if scheme in _INSTEAD:
        raise UsageError(
            f"{scheme}:// is not read by fsspec here", hint=f"write it as {_INSTEAD[scheme]}"
        )
    if "::" in settings.uri:
        raise UsageError(f"{scheme}://: expected one URL, not several that are chained by '::'")
    try:
        import fsspec
    except ImportError:
        raise UsageError(
            f"{scheme}:// is read by fsspec, which is not installed",
            hint="pip install 'boardlake[fsspec]'",
        ) from None
    try:
        cls = fsspec.get_filesystem_class(scheme)
    except ValueError:
        raise UsageError(
            f"{scheme}:// is no scheme that fsspec knows",
            hint="`python -c 'import fsspec; print(fsspec.available_protocols())'` lists them",
        ) from None
    except ImportError:
        from fsspec.registry import known_implementations

        known = known_implementations.get(scheme, {})
        hint = str(known.get("err") or "see fsspec's documentation of this scheme")[:300]
        raise UsageError(f"{scheme}:// needs a package that is not installed", hint=hint) from None
    return AnySource(settings, cls, _options(settings, cls, scheme))


def _options(settings: SourceSettings, cls: Any, scheme: str) -> dict[str, Any]:
    """What the client is made with: from the URL, from the environment, and what keeps it honest."""
    from fsspec.config import set_conf_env

    prefix = settings.env_prefix
    environ = {
        name.removeprefix(prefix): value
        for name, value in os.environ.items()
        if name.startswith(f"{prefix}FSSPEC_")
    }
    found: dict[str, Any] = {}
    with warnings.catch_warnings():
        # They would show names and values of variables.
        warnings.simplefilter("ignore")
        set_conf_env(found, environ)
    options = {**found.get(scheme, {}), **cls._get_kwargs_from_urls(settings.uri)}
    takes = inspect.signature(cls.__init__).parameters
    if "timeout" in takes:
        options.setdefault("timeout", settings.timeout)
    # A listing that is remembered, or a client that another made, would hide what has grown.
    return options | {"use_listings_cache": False, "skip_instance_cache": True}


class _Failed(OSError):
    """What went wrong, in words without addresses and secrets; `away` where it is the server."""

    def __init__(self, words: str, *, away: bool = True) -> None:
        super().__init__(errno.EIO, words)
        self.away = away


class AnySource:
    """A tree of files that a client of fsspec reads."""

    def __init__(self, settings: SourceSettings, cls: Any, options: dict[str, Any]) -> None:
        self.spent = Spent()
        self._asynchronous = bool(getattr(cls, "async_impl", False))
        self.at_once = _ASYNC_AT_ONCE if self._asynchronous else _BLOCKING_AT_ONCE
        self._uri = settings.uri
        self._timeout = settings.timeout
        self._chosen = Chosen(settings.include, settings.exclude)
        self._cls, self._options = cls, options
        self._idle: queue.LifoQueue[Any] = queue.LifoQueue()
        self._room = threading.Semaphore(self.at_once)
        self._items: dict[str, Item] = {}
        self._root = str(cls._strip_protocol(settings.uri)).rstrip("/")
        last = self._root.rpartition("/")[2]
        self._single = last if is_event_file(last) else ""
        if self._single:
            self._root = self._root.rpartition("/")[0]

    def walk(self, memory: Memory) -> Listing:
        """All files below the root."""
        try:
            tree = walk(partial(self._look, memory), self._chosen, memory, self.at_once)
        except FileNotFoundError as error:
            raise SourceError(f"{self._uri}: there is nothing", hint="check the path") from error
        except OSError as error:
            hint = f"{self._cls.__name__} of fsspec could not list it: check host and credentials"
            raise SourceError(f"{self._uri}: {error.strerror}", hint=hint) from error
        except SourceError as error:
            hint = "the next scan tries again"
            raise SourceError(f"{self._uri}: {error.message}", hint=hint) from error
        self._items = tree.items()
        return self._listing(tree)

    def _listing(self, tree: Tree) -> Listing:
        return tree.listing(self._chosen, self._single)

    def read(self, path: str, start: int, length: int, version: str = "") -> bytearray:
        """At most *length* bytes of a file, by open and seek."""
        place = self._place(path)

        def ask(client: Any) -> bytes:
            self.spent.add(reads=1)
            if self._asynchronous:
                return self._range(client, place, start, length)
            with client.open(place, "rb", cache_type="none") as file:
                file.seek(start)
                found: bytes = file.read(length)
            return found

        data = self._do(ask)
        self.spent.add(bytes=len(data))
        if len(data) > length:
            raise _Failed(f"{self._cls.__name__} of fsspec gives other bytes than were asked for")
        return bytearray(data)

    def _range(self, client: Any, place: str, start: int, length: int) -> bytes:
        try:
            data: bytes = client.cat_file(place, start=start, end=start + length)
        except FileNotFoundError:
            raise
        except Exception:
            # Behind the end most of them fail.
            self.spent.add(reads=1)
            if start >= int(client.info(place).get("size") or 0):
                return b""
            raise
        return data

    def stat(self, path: str) -> FileEntry | None:
        """The entry of a file as it is now."""

        def ask(client: Any) -> Item | None:
            self.spent.add(reads=1)
            return _item(client.info(self._place(path)), path, "")

        try:
            item = self._do(ask)
        except FileNotFoundError:
            return None
        return FileEntry(path, item.size, item.mtime_ns, item.version) if item else None

    def close(self) -> None:
        """Let go of all clients."""
        with contextlib.suppress(queue.Empty):
            while True:
                _let_go(self._idle.get_nowait())

    def _place(self, path: str) -> str:
        item = self._items.get(path)
        return (item and item.address) or f"{self._root}/{path}"

    def _look(self, memory: Memory, path: str, address: str, known: Folder | None) -> Folder:
        """One folder as the client lists it."""
        here = address or (f"{self._root}/{path}" if path else self._root or "/")
        folder = Folder()
        try:
            found = self._do(lambda client: self._list(client, here))
        except FileNotFoundError:
            # Some say so of a folder that they were not let into.
            if path and self._is_there(here):
                raise _Failed("the server refuses", away=False) from None
            raise
        for info in found:
            self._take(folder, path, here, info)
        return folder

    def _list(self, client: Any, here: str) -> list[dict[str, Any]]:
        self.spent.add(lists=1)
        found: list[dict[str, Any]] = client.ls(here, detail=True)
        return found

    def _is_there(self, place: str) -> bool:
        try:
            self._do(lambda client: self._list(client, place.rpartition("/")[0] or "/"))
            return bool(self._do(lambda client: client.info(place)))
        except FileNotFoundError:
            return False

    def _take(self, folder: Folder, path: str, here: str, info: dict[str, Any]) -> None:
        place = str(info.get("name", "")).rstrip("/")
        above, _, last = place.rpartition("/")
        # Some list the folder itself, and a file as a folder of one.
        if last in ("", ".", "..") or above.strip("/") != here.strip("/"):
            return
        if self._single and not path and last != self._single:
            return
        name = shown(last.encode("utf-8", "surrogatepass"))
        whole = join(path, name)
        # A client that takes a name for a URL would give another file's bytes for it.
        if str(self._cls._strip_protocol(place)).strip("/") != place.strip("/"):
            message = f"{self._cls.__name__} of fsspec cannot read such a name"
            folder.problems.append(Problem(whole, 0, 0, "unreadable", message))
            return
        address = "" if place == f"{self._root}/{whole}" else place
        if info.get("type") == "directory":
            folder.folders[name] = _mtime_ns(info)
            if address:
                folder.addresses[name] = address
        elif item := _item(info, name, address):
            folder.files.append(item)

    def _do(self, ask: Callable[[Any], _T]) -> _T:
        """What *ask* says of a client that no other thread has; a client that failed is let go."""
        with self._room:
            return self._tried(ask)

    def _tried(self, ask: Callable[[Any], _T]) -> _T:
        while True:
            client, used = self._borrow()
            try:
                found = ask(client)
            except FileNotFoundError:
                # Some say so as well where the server has hung up: a new connection tells.
                if used and not self._asynchronous:
                    _let_go(client)
                    continue
                self._idle.put(client)
                raise FileNotFoundError(errno.ENOENT, "is no longer there") from None
            except Exception as error:
                _let_go(client)
                # A server hangs up on who was idle.
                if used and not isinstance(error, PermissionError):
                    continue
                raise _spoken(error) from None
            except BaseException:
                _let_go(client)
                raise
            self._idle.put(client)
            return found

    def _borrow(self) -> tuple[Any, bool]:
        """A client, and whether it was used before."""
        try:
            return self._idle.get_nowait(), True
        except queue.Empty:
            pass
        try:
            client = self._cls(**self._options)
        except Exception as error:
            raise _spoken(error) from None
        session = getattr(client, "session", None)
        if callable(getattr(session, "request", None)) and not self._asynchronous:
            # Requests waits for ever unless it is told each time.
            session.request = partial(session.request, timeout=self._timeout)  # type: ignore[union-attr]
        return client, False


def _let_go(client: Any) -> None:
    for part in ("session", "ftp"):
        with contextlib.suppress(Exception):
            closing = getattr(client, part, None)
            if closing is not None and not inspect.iscoroutinefunction(closing.close):
                closing.close()


def _spoken(error: Exception) -> _Failed:
    """What kind of thing went wrong: an exception's own words may hold URLs with tokens."""
    if isinstance(error, PermissionError):
        return _Failed("the server refuses (PermissionError)", away=False)
    if isinstance(error, IsADirectoryError | NotADirectoryError):
        return _Failed("is no directory, or no file, any more", away=False)
    if isinstance(error, TimeoutError):
        return _Failed("the server is silent (TimeoutError)")
    name = type(error).__name__
    number = error.errno if isinstance(error, OSError) else None
    return _Failed(f"{name}, {os.strerror(number)}" if number else f"fails with {name}")


def _item(info: dict[str, Any], name: str, address: str) -> Item | None:
    size = info.get("size")
    if info.get("type") != "file" or not isinstance(size, int) or size < 0:
        return None
    version = next((str(info[key])[:256] for key in _VERSIONS if info.get(key)), "")
    return Item(name, size, _mtime_ns(info), version, address)


def _mtime_ns(info: dict[str, Any]) -> int:
    """When something changed, as one client or another says it; 0 where none does."""
    for key in _TIMES:
        value = info.get(key)
        if isinstance(value, str):
            value = _parsed(value)
        if isinstance(value, datetime):
            known = value if value.tzinfo else value.replace(tzinfo=UTC)
            with contextlib.suppress(ValueError, OverflowError, OSError):
                value = known.timestamp()
        if isinstance(value, int | float) and 0 < value < 1e14:
            # Hadoop counts milliseconds, and more than these not all of them keep.
            return int(value if key == "modificationTime" else value * 1000) * 10**6
    return 0


def _parsed(text: str) -> datetime | None:
    with contextlib.suppress(ValueError):
        if text[:14].isdecimal():
            return datetime(*time.strptime(text[:14], "%Y%m%d%H%M%S")[:6], tzinfo=UTC)
        return datetime.fromisoformat(text[:64])
    return None

"""Asking an HTTP server, in earnest: time-outs, bounded answers, the same host only, secrets unseen."""

from __future__ import annotations

import errno
import re
import threading
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from urllib.parse import unquote, urljoin, urlsplit

import urllib3
from urllib3 import exceptions as broken

from ....core import places
from ....core.settings import SourceSettings
from ..base import Changed, Spent
from .answers import (
    Answer,
    Facts,
    Gone,
    HttpError,
    Silent,
    encoded,
    facts_of,
    same,
    shown_host,
    spoken,
    unpacked,
)
from .login import LOGIN, authorization

AT_ONCE = 16
MAX_ANSWER = 64 << 20
_CHUNK = 1 << 18
_TRIES = 3
_WAIT_S = 0.2
_REDIRECTS = 5
_LONGEST_WAIT_S = 5.0
# Below this an answer is given up: a server that drips would hold a scan for ever.
_SLOWEST = 1024
_PORTS = {"http": 80, "https": 443}
_MOVED = (301, 302, 303, 307, 308)
_END = re.compile(r"bytes\s+\*/(\d{1,19})", re.IGNORECASE)
_RANGE = re.compile(r"bytes\s+(\d{1,19})-(\d{1,19})/(\d{1,19}|\*)", re.IGNORECASE)


class Client:
    """One server, and what lies below one path of it. Safe from any thread."""

    def __init__(self, settings: SourceSettings, spent: Spent, *, scheme: str = "") -> None:
        remote = places.parse(settings.uri)
        self.uri = settings.uri
        self.scheme = scheme or remote.scheme
        self.host = remote.host
        self.root = "/" + encoded(remote.path)
        self.origin = f"{self.scheme}://{self._netloc(remote.port)}"
        self.ranges = True
        self._port = remote.port
        self._spent = spent
        self._timeout = settings.timeout
        self._stop = threading.Event()
        self._secret = authorization(settings, self.host)
        self._pools: dict[tuple[str, int | None], urllib3.HTTPConnectionPool] = {}
        self._lock = threading.Lock()

    def _netloc(self, port: int | None) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{port}" if port else host

    def close(self) -> None:
        """Let go of all connections."""
        self._stop.set()
        for pool in self._pools.values():
            pool.close()

    def ask(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Answer:
        """The whole answer to a request that lists; raises `Gone` and `HttpError`."""
        sent = {"Accept-Encoding": "gzip", **(headers or {})}
        for left in reversed(range(_TRIES)):
            try:
                response, at = self._follow(method, path, sent, body, lists=1)
                with _closing(response):
                    found = unpacked(response, self._whole(response, MAX_ANSWER), MAX_ANSWER)
                return Answer(response.status, response.headers, found, at)
            except HttpError as error:
                self._again(error, left)
        raise AssertionError

    def head(self, path: str) -> Facts:
        """What the server says of a file; raises `Gone` and `HttpError`."""
        for left in reversed(range(_TRIES)):
            try:
                response, _ = self._follow("HEAD", path, {"Accept-Encoding": "identity"}, reads=1)
                with _closing(response):
                    facts = facts_of(response.headers)
                return facts if facts.size >= 0 else self._measured(path)
            except HttpError as error:
                if error.status in (405, 501):
                    return self._measured(path)
                self._again(error, left)
        raise AssertionError

    def read(
        self,
        path: str,
        start: int,
        length: int,
        version: str = "",
        size: int = -1,
        mtime_ns: int = 0,
    ) -> bytearray:
        """At most *length* bytes from *start*; fewer at the end, where a server without ranges is
        read from the beginning.

        Raises `Changed` where the answer is of another *version*, unless the file may just have
        grown in its place: where it is longer than the *size* that was listed at *mtime_ns*.
        """
        data = bytearray()
        while len(data) < length:
            part, total = self._read(
                path, start + len(data), length - len(data), version, (size, mtime_ns)
            )
            data += part
            # Some give less than they have: only the end is the end.
            if start + len(data) >= total or not part:
                break
        return data

    def _read(
        self, path: str, start: int, length: int, version: str, listed: tuple[int, int]
    ) -> tuple[bytearray, int]:
        """One answer's bytes, and the size of the file, -1 where it is not told."""
        sent = {"Accept-Encoding": "identity", "Range": f"bytes={start}-{start + length - 1}"}
        for left in reversed(range(_TRIES)):
            try:
                response, _ = self._follow("GET", path, sent, reads=1)
                with _closing(response):
                    if response.status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                        whole = _END.match(response.headers.get("Content-Range", ""))
                        if whole and version and int(whole[1]) < listed[0]:
                            raise Changed(errno.ESTALE, "has become shorter since it was listed")
                        return bytearray(), -1
                    skip, total = self._begin(response, start)
                    same(facts_of(response.headers), version, total, listed)
                    return self._part(response, skip, length), total
            except HttpError as error:
                self._again(error, left)
        raise AssertionError

    def _begin(self, response: urllib3.BaseHTTPResponse, start: int) -> tuple[int, int]:
        """How many bytes of the answer come before those that were asked for; and the whole size."""
        if response.status == HTTPStatus.PARTIAL_CONTENT:
            found = _RANGE.match(response.headers.get("Content-Range", ""))
            if not found or int(found[1]) != start:
                raise HttpError("answered another range than was asked for", status=206)
            return 0, -1 if found[3] == "*" else int(found[3])
        # An empty file has no range either.
        length = response.headers.get("Content-Length", "")
        total = int(length) if length.isdecimal() else -1
        self.ranges = self.ranges and total == 0
        return start, total

    def _measured(self, path: str) -> Facts:
        """The size of a file whose headers do not say it."""
        sent = {"Accept-Encoding": "identity", "Range": "bytes=0-0"}
        response, _ = self._follow("GET", path, sent, reads=1)
        with _closing(response):
            found = _RANGE.match(response.headers.get("Content-Range", ""))
            facts = facts_of(response.headers)
            if response.status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                return Facts(0, facts.mtime_ns, facts.etag, facts.age_s)
            if response.status == HTTPStatus.OK and facts.size >= 0:
                return facts
        if not found or found[3] == "*":
            raise HttpError("does not tell the sizes of files", status=response.status)
        return Facts(int(found[3]), facts.mtime_ns, facts.etag, facts.age_s)

    def _part(self, response: urllib3.BaseHTTPResponse, skip: int, length: int) -> bytearray:
        data = bytearray()
        for chunk in self._chunks(response, skip + length):
            if skip >= len(chunk):
                skip -= len(chunk)
                continue
            data += chunk[skip : skip + length - len(data)]
            skip = 0
            if len(data) >= length:
                break
        return data

    def _whole(self, response: urllib3.BaseHTTPResponse, most: int) -> bytes:
        data = bytearray()
        for chunk in self._chunks(response, most + 1):
            data += chunk
            if len(data) > most:
                raise HttpError(f"answers with more than {most >> 20} MB", status=response.status)
        return bytes(data)

    def _chunks(self, response: urllib3.BaseHTTPResponse, most: int) -> _Chunks:
        return _Chunks(response, most, self._timeout, self._spent)

    def _follow(
        self,
        method: str,
        path: str,
        headers: dict[str, str],
        body: bytes | None = None,
        *,
        lists: int = 0,
        reads: int = 0,
    ) -> tuple[urllib3.BaseHTTPResponse, str]:
        """The answer's head, redirects followed as long as they stay below the root."""
        scheme, port = self.scheme, self._port
        for _ in range(_REDIRECTS):
            self._spent.add(lists=lists, reads=reads)
            response = self._send(scheme, port, method, path, headers, body)
            if response.status not in _MOVED:
                self._judge(response)
                return response, path
            response.close()
            scheme, port, path = self._moved(scheme, port, path, response.headers)
        raise HttpError("redirects in circles", status=310)

    def _moved(
        self, scheme: str, port: int | None, path: str, headers: Mapping[str, str]
    ) -> tuple[str, int | None, str]:
        here = f"{scheme}://{self._netloc(port)}{path}"
        try:
            to = urlsplit(urljoin(here, headers.get("Location", "")[:8192]))
            host, to_port = (to.hostname or "").lower(), to.port
        except ValueError:
            raise HttpError("redirects to nowhere", status=310) from None
        same = (to.scheme, to_port or _PORTS.get(to.scheme)) == (scheme, port or _PORTS[scheme])
        safer = (scheme, to.scheme) == ("http", "https")
        if host != self.host.lower() or not (same or safer):
            raise HttpError(
                f"redirects to another server, {shown_host(host)}: not followed",
                status=310,
                hint="give the address that it redirects to",
            )
        found = encoded(to.path)
        below = self.root.rstrip("/") + "/"
        if not (found + "/").startswith(below):
            raise HttpError(
                "redirects to a page outside of its root: not followed",
                status=310,
                hint=f"if that is a login: {LOGIN}",
            )
        return to.scheme, to_port, found

    def _judge(self, response: urllib3.BaseHTTPResponse) -> None:
        status = response.status
        good = (HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT, HTTPStatus.MULTI_STATUS)
        if status in good or status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            return
        wait = response.headers.get("Retry-After", "")
        response.close()
        if status in (404, 410):
            raise Gone
        if status in (401, 403, 407):
            asks = {401: "asks for a login", 407: "stands behind a proxy that asks for a login"}
            what = "refuses what was given" if self._secret else "refuses"
            hint = (
                f"is an index of its files allowed there? If so, {LOGIN}"
                if status == 403
                else LOGIN
            )
            raise HttpError(f"{asks.get(status, what)} ({status})", status=status, hint=hint)
        name = next((one.phrase for one in HTTPStatus if one == status), "unknown status")
        wait_s = min(float(wait), _LONGEST_WAIT_S) if re.fullmatch(r"[0-9]{1,9}", wait) else 0.0
        raise HttpError(f"answers {status} {name}", status=status, wait_s=wait_s)

    def _again(self, error: HttpError, left: int) -> None:
        """Wait before the next try; raises *error* where there shall be none."""
        # A host that is silent costs its time-out once.
        if not left or not error.away or isinstance(error, Silent) or self._stop.is_set():
            raise error
        if self._stop.wait(max(_WAIT_S * 4 ** (_TRIES - 1 - left), error.wait_s)):
            raise error

    def _send(
        self,
        scheme: str,
        port: int | None,
        method: str,
        path: str,
        headers: dict[str, str],
        body: bytes | None,
    ) -> urllib3.BaseHTTPResponse:
        sent = {"User-Agent": "boardlake", **headers, **self._secret}
        target = path
        try:
            pool = self._pool(scheme, port)
            if pool.proxy is not None and scheme == "http":
                target = f"http://{self._netloc(port or 80)}{path}"
            return pool.urlopen(
                method,
                target,
                body=body,
                headers=sent,
                redirect=False,
                retries=False,
                preload_content=False,
                assert_same_host=False,
                decode_content=False,
            )
        except (broken.HTTPError, OSError, ValueError) as error:
            raise spoken(error, self._timeout) from None

    def _pool(self, scheme: str, port: int | None) -> urllib3.HTTPConnectionPool:
        with self._lock:
            pool = self._pools.get((scheme, port))
            if pool is None:
                pool = self._pools[scheme, port] = self._open(scheme, port)
            return pool

    def _open(self, scheme: str, port: int | None) -> urllib3.HTTPConnectionPool:
        timeout = urllib3.Timeout(connect=self._timeout, read=self._timeout)
        host = self._netloc(None)
        proxies = urllib.request.getproxies_environment()
        proxy = proxies.get(scheme) or proxies.get("all", "")
        if not proxy or urllib.request.proxy_bypass(self.host):
            manager = urllib3.PoolManager(maxsize=2 * AT_ONCE, timeout=timeout)
        else:
            user = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
            login = f"{unquote(user.username or '')}:{unquote(user.password or '')}"
            manager = urllib3.ProxyManager(
                f"{user.scheme}://{user.netloc.rpartition('@')[2]}",
                proxy_headers=urllib3.make_headers(proxy_basic_auth=login)
                if user.username
                else None,
                maxsize=2 * AT_ONCE,
                timeout=timeout,
            )
        return manager.connection_from_host(host, port, scheme)


class _Chunks:
    """What arrives of a body, up to *most* bytes; raises `HttpError` where it breaks off."""

    def __init__(
        self, response: urllib3.BaseHTTPResponse, most: int, timeout: float, spent: Spent
    ) -> None:
        self._response, self._left, self._spent = response, most, spent
        self._timeout, self._begun, self._got = timeout, time.monotonic(), 0

    def __iter__(self) -> _Chunks:
        return self

    def __next__(self) -> bytes:
        if self._left <= 0:
            raise StopIteration
        try:
            data: bytes = self._response.read1(min(self._left, _CHUNK))
        except (broken.HTTPError, OSError, ValueError) as error:
            raise spoken(error, self._timeout) from None
        if not data:
            raise StopIteration
        self._got += len(data)
        self._left -= len(data)
        self._spent.add(bytes=len(data))
        took = time.monotonic() - self._begun
        if self._left > 0 and took > self._timeout + self._got / _SLOWEST:
            raise Silent(f"answers more slowly than {_SLOWEST} bytes a second")
        return data


@contextmanager
def _closing(response: urllib3.BaseHTTPResponse) -> Iterator[None]:
    """Give the connection back if the answer is at its end, else close it."""
    try:
        yield
    finally:
        if getattr(response, "length_remaining", None) == 0:
            response.release_conn()
        else:
            response.close()

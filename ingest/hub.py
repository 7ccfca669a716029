"""The hub as an edge sees it: asked over HTTP, sent what waits in the outbox, and away at times."""

from __future__ import annotations

import json
import random
import ssl
import threading
import urllib.request
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import urllib3
from urllib3 import exceptions as broken

from ..core.errors import HubAway, HubError, UsageError
from ..lake import stock_json
from ..lake.outbox import Outbox, Stock

CA_FILE = "BOARDLAKE_CA_FILE"
_LOCAL = ("127.0.0.1", "localhost", "::1")
_TYPE = "application/x-boardlake-messages"
_BODY = 8 << 20
_MOST_ANSWER = 256 << 20
_CONNECT_S, _READ_S = 10.0, 180.0
_TRIES = 4
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.5, 30.0
_BUSY = (429, 500, 502, 503, 504, 507)
_POLL_S = 0.2


def check_url(url: str, *, plain: bool = False) -> str:
    """*url* without a slash at its end; raises UsageError, which never shows what may be a secret."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise UsageError("--to: is no address, expected https://HOST[:PORT]") from None
    if parts.username is not None or parts.password is not None:
        hint = "set BOARDLAKE_TOKEN, or name a file with --token-file"
        raise UsageError("--to: no secrets in the address, it is seen by others", hint=hint)
    if parts.scheme not in ("http", "https") or not host or parts.query or parts.fragment:
        raise UsageError("--to: expected https://HOST[:PORT]")
    if parts.scheme == "http" and host not in _LOCAL and not plain:
        hint = "use https://, or --plain-http where nobody else is on the network"
        raise UsageError("--to: over http:// anybody on the way reads the token", hint=hint)
    return url.rstrip("/")


class Hub:
    """A boardlake server that takes pushes, at *url*; safe from any thread."""

    def __init__(
        self, url: str, token: str, environ: Mapping[str, str], stop: threading.Event
    ) -> None:
        self.url = url
        self._stop = stop
        self._headers = {"Authorization": f"Bearer {token}", "User-Agent": "boardlake-edge"}
        self._pool = _pool(url, environ.get(CA_FILE))

    def close(self) -> None:
        """Let go of the connection."""
        self._pool.clear()

    def push(self, body: bytes) -> dict[str, Any]:
        """Have messages stored; returns what the hub says of them. Raises HubAway, HubError."""
        return self._json(self._ask("receive", body, _TYPE))

    def differing(self, digests: Mapping[str, str]) -> list[str]:
        """The sources of which the hub knows something else than the digests say."""
        found = self._post("receive/differing", {"digests": dict(digests)}).get("sources")
        if not isinstance(found, list) or not set(map(str, found)) <= set(digests):
            raise self._strange()
        return [str(one) for one in found]

    def stock(self, source: str) -> Stock:
        """All that the hub knows of a source."""
        try:
            return stock_json.read(self._post("receive/known", {"source": source}))
        except UsageError as error:
            raise self._strange() from error

    def metadata(
        self, source: str, run: str, stream: str
    ) -> Sequence[tuple[str, str, str, bytes, str, str]]:
        """Tag, kind, plugin, content, display name and description of every series of a stream."""
        asked = {"source": source, "run": run, "stream": stream}
        try:
            return stock_json.read_series(self._post("receive/series", asked))
        except UsageError as error:
            raise self._strange() from error

    def _post(self, path: str, told: dict[str, Any]) -> dict[str, Any]:
        return self._json(self._ask(path, json.dumps(told).encode(), "application/json"))

    def _json(self, body: bytes) -> dict[str, Any]:
        try:
            found = json.loads(body)
        except (ValueError, RecursionError):
            raise self._strange() from None
        if not isinstance(found, dict):
            raise self._strange()
        return found

    def _strange(self) -> HubError:
        return HubError(
            f"{self.url} does not answer as a hub does", hint="is it a boardlake server?"
        )

    def _ask(self, path: str, body: bytes, kind: str) -> bytes:
        """The answer to a POST, tried a few times while the hub is away or busy."""
        wait = _FIRST_WAIT_S
        for left in reversed(range(_TRIES)):
            asked_for = 0.0
            try:
                status, answer, asked_for = self._once(path, body, kind)
                if status == 200:
                    return answer
                failure = self._failure(status, answer)
            except (broken.HTTPError, OSError) as error:
                failure = self._away(error)
            if not isinstance(failure, HubAway) or not left:
                raise failure
            # Not all at once where a hub comes back to many edges.
            pause = max(wait, asked_for) * random.uniform(0.7, 1.3)
            if asked_for > _LONGEST_WAIT_S or self._stop.wait(min(pause, _LONGEST_WAIT_S)):
                raise failure
            wait *= 3
        raise AssertionError

    def _once(self, path: str, body: bytes, kind: str) -> tuple[int, bytes, float]:
        response = self._pool.request(
            "POST", f"{self.url}/api/v1/{path}", body=body, preload_content=False, redirect=False,
            headers=self._headers | {"Content-Type": kind}, retries=False,
            timeout=urllib3.Timeout(connect=_CONNECT_S, read=_READ_S),
        )  # fmt: skip
        try:
            answer = response.read(_MOST_ANSWER + 1, decode_content=True)
        finally:
            response.release_conn()
        if len(answer) > _MOST_ANSWER:
            raise self._strange()
        after = response.headers.get("Retry-After", "")
        return response.status, answer, float(after) if after.isdecimal() else 0.0

    def _failure(self, status: int, answer: bytes) -> HubError:
        message = hint = ""
        try:
            told = json.loads(answer[:100_000])["error"]
            message, hint = str(told["message"])[:1000], str(told["hint"])[:1000]
        except (ValueError, KeyError, TypeError, RecursionError):
            pass
        if status in _BUSY:
            return HubAway(f"{self.url} answers {status}{f': {message}' if message else ''}")
        if status in (401, 403) and not message:
            message = "the token is not accepted"
        if 300 <= status < 400:
            message, hint = "it leads elsewhere", "name the address itself with --to"
        return HubError(
            f"{self.url} refuses ({status}): {message or 'is it a boardlake server?'}", hint=hint
        )

    def _away(self, error: Exception) -> HubError:
        reason: object = getattr(error, "reason", None) or error
        if isinstance(reason, ssl.SSLCertVerificationError):
            return HubError(
                f"{self.url}: its certificate is not trusted: {reason.verify_message}",
                hint=f"{CA_FILE} names a file with the certificate of your own authority",
            )
        if isinstance(error, broken.TimeoutError):
            said = "it is silent"
        else:
            said = str(getattr(reason, "strerror", "") or type(reason).__name__)
        return HubAway(f"{self.url} is away: {said}")


def _pool(url: str, ca_file: str | None) -> urllib3.PoolManager:
    try:
        context = ssl.create_default_context(cafile=ca_file or None)
    except (OSError, ssl.SSLError) as error:
        why = error.strerror or "it holds no certificates"
        raise UsageError(f"{CA_FILE}: {ca_file}: cannot be read: {why}") from error
    parts = urlsplit(url)
    proxy = urllib.request.getproxies().get(parts.scheme)
    if proxy and not urllib.request.proxy_bypass(parts.hostname or ""):
        return urllib3.ProxyManager(proxy, num_pools=1, maxsize=2, ssl_context=context)
    return urllib3.PoolManager(num_pools=1, maxsize=2, ssl_context=context)


class Sender:
    """A thread that empties the outbox, until there is nothing left to come or the hub is away."""

    def __init__(self, outbox: Outbox, hub: Hub, stop: threading.Event) -> None:
        self._outbox, self._hub, self._stop = outbox, hub, stop
        self._news = threading.Condition()
        self._thread: threading.Thread | None = None
        self._ending = False
        self._sent = 0
        self.failure: BaseException | None = None
        self.passed_over: set[str] = set()

    def metadata(
        self, source: str, run: str, stream: str
    ) -> Sequence[tuple[str, str, str, bytes, str, str]]:
        """As the hub's."""
        return self._hub.metadata(source, run, stream)

    @property
    def sent(self) -> int:
        """Bytes that the hub took."""
        return self._sent

    def drain(self) -> None:
        """Send all that waits; raises HubAway, HubError."""
        while not self._stop.is_set():
            last, messages = self._outbox.head(_BODY)
            if not messages:
                return
            body = b"".join(messages)
            answer = self._hub.push(body)
            self._outbox.sent(last)
            self._sent += len(body)
            for one in answer.get("passed_over") or ():
                self.passed_over.add(str(one["source"]) if isinstance(one, dict) else "")
            with self._news:
                self._news.notify_all()

    def start(self) -> None:
        """Send what comes, in a thread."""
        self._thread = threading.Thread(target=self._work, name="sender", daemon=True)
        self._thread.start()

    def told(self) -> None:
        """There is something new to send."""
        with self._news:
            self._news.notify_all()

    def room(self) -> bool:
        """Wait until something more was sent; False where that cannot be hoped for."""
        before = self._sent
        while self.failure is None and self._thread is not None and not self._stop.is_set():
            with self._news:
                self._news.notify_all()
                self._news.wait(_POLL_S)
            if self._sent != before:
                return True
        return False

    def finish(self) -> None:
        """Send the rest; what keeps the hub from taking it is in `failure`."""
        if self._thread is None:
            return
        self._ending = True
        self.told()
        while self._thread.is_alive() and not self._stop.is_set():
            self._thread.join(_POLL_S)
        # A request that is under way when the process is stopped may be answered or not.
        self._thread.join(2.0 if self._stop.is_set() else None)

    def _work(self) -> None:
        try:
            while True:
                self.drain()
                with self._news:
                    if self._ending or self._stop.is_set():
                        break
                    self._news.wait(_POLL_S)
            self.drain()
        except BaseException as error:
            self.failure = error
            self.told()

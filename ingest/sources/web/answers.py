"""What servers of HTTP say, in plain words and numbers: errors without secrets, sizes, times, versions."""

from __future__ import annotations

import email.utils
import errno
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

import urllib3
from urllib3 import exceptions as broken

from ..base import Changed

# Statuses of a server that may do better soon.
BUSY = (429, 500, 502, 503, 504)
# Times are in whole seconds: what changed before that many cannot have changed in the same one.
_QUIET_S = 2.0
_BARE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_SAFE = "/%:@!$&'()*+,;=~-._"


class HttpError(OSError):
    """What went wrong in words; `status` is 0 where there was no answer at all, `hint` what to do."""

    def __init__(self, words: str, *, status: int = 0, hint: str = "", wait_s: float = 0.0) -> None:
        super().__init__(errno.EIO, words)
        self.status = status
        self.hint = hint
        self.wait_s = wait_s

    @property
    def away(self) -> bool:
        """Whether it was the server that failed, not the one address."""
        return self.status == 0 or self.status in BUSY


class Gone(FileNotFoundError):
    """The server says that there is nothing at this address."""

    def __init__(self) -> None:
        super().__init__(errno.ENOENT, "is no longer there")


@dataclass
class Answer:
    """A whole, bounded answer; `path` is where it came from after redirects, percent-encoded."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    path: str


@dataclass(frozen=True)
class Facts:
    """What the headers of an answer say of a file: -1, 0 and '' where they do not."""

    size: int = -1
    mtime_ns: int = 0
    etag: str = ""
    # Seconds between its last change and the answer, by the server's own clock.
    age_s: float = 0.0


class Silent(HttpError):
    """No answer within the time-out: to try again would double it."""


def unpacked(response: urllib3.BaseHTTPResponse, body: bytes, most: int) -> bytes:
    """The body as it was before it was packed; raises `HttpError` where that is over *most* bytes."""
    if response.headers.get("Content-Encoding", "").lower() not in ("gzip", "x-gzip"):
        return body
    try:
        unpack = zlib.decompressobj(wbits=31)
        found = unpack.decompress(body, most)
    except zlib.error:
        raise HttpError("answers with damaged gzip data", status=response.status) from None
    if unpack.unconsumed_tail:
        raise HttpError(f"answers with more than {most >> 20} MB", status=response.status)
    return found


def same(facts: Facts, version: str, total: int, listed: tuple[int, int]) -> None:
    if not version or not facts.etag or _bare(facts.etag) == _bare(version):
        return
    # A file that is written to changes its tag all the time; its reader holds what it has read
    # against hashes of what was there before.
    if 0 <= listed[0] < total:
        return
    # Some servers list other tags than they answer with.
    if (total, facts.mtime_ns) == listed and facts.age_s > _QUIET_S:
        return
    raise Changed(errno.ESTALE, "has changed since it was listed")


def _bare(etag: str) -> str:
    # Apache marks what it has compressed.
    return etag.removeprefix("W/").strip('"').removesuffix("-gzip")


def facts_of(headers: Mapping[str, str]) -> Facts:
    """What headers say of a file."""
    length = headers.get("Content-Length", "")
    mtime = when(headers.get("Last-Modified", ""))
    now = when(headers.get("Date", ""))
    return Facts(
        int(length) if length.isdecimal() and len(length) < 19 else -1,
        mtime * 10**9,
        headers.get("ETag", "").strip()[:256],
        float(now - mtime) if now and mtime else 0.0,
    )


def when(text: str) -> int:
    """Seconds of a date as HTTP writes it; 0 where it is none."""
    try:
        return max(0, int(email.utils.parsedate_to_datetime(text[:64]).timestamp()))
    except (ValueError, TypeError, OverflowError, IndexError):
        return 0


def encoded(path: str) -> str:
    """A path as it is sent: what is percent-encoded stays so, what is not becomes so."""
    whole = _BARE_PERCENT.sub("%25", path)
    return quote(whole.encode("utf-8", "surrogateescape"), safe=_SAFE)


def shown_host(host: str) -> str:
    return re.sub(r"[^0-9a-z.:-]", "?", host[:255]) or "?"


def spoken(error: Exception, timeout: float) -> HttpError:
    """What went wrong, without addresses: an exception's own words may hold them."""
    inner: BaseException = error
    if isinstance(error, broken.ProxyError):
        return Silent("the proxy cannot be reached", hint="look at the variables *_proxy")
    if isinstance(error, broken.MaxRetryError) and error.reason:
        inner = error.reason
    if isinstance(inner, broken.NameResolutionError):
        return Silent("the name of the host is not known", hint="check the host's name")
    if isinstance(inner, broken.NewConnectionError):
        return Silent(
            "cannot be reached: connection refused or no route", hint="check the host and port"
        )
    if isinstance(inner, broken.ConnectTimeoutError):
        return Silent(f"cannot be reached within {timeout:g} s", hint="check the host and port")
    if isinstance(inner, broken.TimeoutError | TimeoutError):
        return Silent(f"silent for {timeout:g} s")
    if isinstance(inner, broken.SSLError):
        return Silent(
            "the certificate or the encryption of the server cannot be trusted",
            hint="SSL_CERT_FILE names the certificates of authorities of your own",
        )
    if isinstance(inner, broken.ProtocolError | broken.IncompleteRead | OSError):
        return HttpError("the connection broke off")
    return HttpError("the answer cannot be understood")

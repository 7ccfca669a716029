"""What a source's URI names: which kind of place, and which client reads it. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import SplitResult, urlsplit

PlaceKind = Literal["local", "s3", "gs", "az", "http", "dav", "ssh", "slurm", "fsspec"]

SCHEMES: dict[str, PlaceKind] = {
    "s3": "s3",
    "gs": "gs",
    "gcs": "gs",
    "az": "az",
    "http": "http",
    "https": "http",
    "dav": "dav",
    "davs": "dav",
    "sftp": "ssh",
    "ssh": "ssh",
    "slurm": "slurm",
}
MAX_URI = 4096
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{1,31}):(?://)?")
_HOST = re.compile(r"[^\s/@:?#%\[\]]{1,255}|\[[0-9A-Fa-f:.]{2,64}\]")
_CONTROL = re.compile(r"[\x00-\x20\x7f\ud800-\udfff]")


@dataclass(frozen=True)
class Remote:
    """A URI taken apart: `host` is a bucket, container or machine; `path` has no slash around it.

    Of a path on a machine `absolute` says whether it starts at its root or at the user's home.
    """

    kind: PlaceKind
    scheme: str
    host: str
    path: str
    user: str = ""
    port: int | None = None
    absolute: bool = True


def scheme_of(uri: str) -> str:
    """The scheme of a URI in lower case; '' for a path. A single letter is no scheme."""
    found = _SCHEME.match(uri)
    if not found or (found[1].lower() != "slurm" and not found[0].endswith("//")):
        return ""
    return found[1].lower()


def kind_of(uri: str) -> PlaceKind:
    """Which kind of place a URI or path names."""
    scheme = scheme_of(uri)
    if scheme in ("", "file"):
        return "local"
    return SCHEMES.get(scheme, "fsspec")


def parse(uri: str) -> Remote:
    """Take a remote URI apart; raises ValueError that says what was expected.

    Credentials have no place in it: they would be stored and shown.
    """
    scheme = scheme_of(uri)
    if len(uri) > MAX_URI or _CONTROL.search(uri.replace(" ", "")):
        raise ValueError(
            f"expected a URI of at most {MAX_URI} characters without control characters"
        )
    kind = kind_of(uri)
    if kind == "slurm" and uri.rstrip("/") in ("slurm:", "slurm"):
        return Remote(kind, scheme, "", "")
    try:
        parts = urlsplit(uri)
        port = parts.port
    except ValueError:
        raise ValueError("expected scheme://host/path") from None
    _refuse_secrets(parts, kind)
    host = parts.netloc.rpartition("@")[2]
    if port is not None:
        host = host.rpartition(":")[0]
    host = host.strip("[]") if host.startswith("[") else host
    if not host and not (kind == "ssh" or kind == "fsspec"):
        expected = {
            "s3": "s3://BUCKET/PREFIX",
            "gs": "gs://BUCKET/PREFIX",
            "az": "az://CONTAINER/PREFIX",
        }
        raise ValueError(f"expected {expected.get(kind, f'{scheme}://HOST/PATH')}")
    path = parts.path
    absolute = not path.startswith(("/~/", "/./")) and path not in ("/~", "")
    if kind in ("ssh", "slurm") and not absolute:
        path = path[2:]
    return Remote(kind, scheme, host, path.strip("/"), parts.username or "", port, absolute)


def _refuse_secrets(parts: SplitResult, kind: PlaceKind) -> None:
    if parts.password is not None or (parts.username and kind not in ("ssh", "slurm", "fsspec")):
        raise ValueError(
            "expected a URI without a user or password: credentials come from the environment"
        )
    if parts.query or parts.fragment:
        raise ValueError("expected a URI without '?' and '#': they may hold secrets")

"""Keys that are no paths: what is wrong with one, how it is shown, and boto3, which takes them. Pure but for boto3."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .errors import Fault, answered

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
PAGE = 1000


@dataclass(frozen=True)
class Odd:
    """The first part of a key that is no path: `part` within `directory`.

    `behind` is a path that sorts behind every key with that part, and before nearly all others.
    """

    directory: str
    part: str
    behind: str
    reason: str


def is_odd(key: str) -> bool:
    """Whether a key is no path: an empty part, '.', '..' or a control character."""
    return (
        key.startswith(("/", "./", "../"))
        or "//" in key
        or "/./" in key
        or "/../" in key
        or key.endswith(("/", "/.", "/.."))
        or key in (".", "..")
        or _CONTROL.search(key) is not None
    )


def find(key: str) -> Odd | None:
    """What is odd about a key; None where nothing is."""
    parts = key.split("/")
    for number, part in enumerate(parts):
        above = "/".join(parts[:number])
        begin = f"{above}/" if above else ""
        if control := _CONTROL.search(part):
            after = " " if control[0] < " " else "\x80"
            behind = begin + part[: control.start()] + after
            return Odd(above, part, behind, "a control character")
        if part == "" and number + 1 < len(parts):
            # '0' is what follows '/': behind `a//...` comes `a/0`.
            return Odd(above, part, f"{begin}0", "an empty directory name")
        if part in (".", ".."):
            return Odd(above, part, f"{begin}{part}0", f"a directory named {part!r}")
    return None


def shown(key: str) -> str:
    """An odd key as a path: control characters, and what makes parts empty or dots, escaped."""
    text = _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", key)
    parts: list[str] = []
    pending = ""
    for part in text.split("/"):
        if part == "":
            pending += "\\x2f"
            continue
        dots = part in (".", "..")
        parts.append(pending + (part.replace(".", "\\x2e") if dots else part))
        pending = ""
    if pending and parts:
        parts[-1] += pending
    return "/".join(parts)


@dataclass
class Plain:
    """boto3's client of the same bucket; it sends keys as they are. Safe from any thread."""

    make: Callable[[], Any] = field(repr=False)
    bucket: str
    _client: Any = field(default=None, repr=False)

    @property
    def client(self) -> Any:
        """The client, made when first needed."""
        if self._client is None:
            self._client = self.make()
        return self._client

    def page(self, prefix: str, after: str) -> tuple[list[dict[str, Any]], bool]:
        """Up to 1,000 objects below *prefix* behind the key *after*; whether there are more.

        Objects look as obstore's; `path` is the key.
        """
        wanted: dict[str, Any] = {"Bucket": self.bucket, "MaxKeys": PAGE}
        if prefix:
            wanted["Prefix"] = f"{prefix}/"
        if after:
            wanted["StartAfter"] = after
        answer = self.client.list_objects_v2(**wanted)
        found = [
            {
                "path": item["Key"],
                "size": item["Size"],
                "last_modified": item["LastModified"],
                "e_tag": item.get("ETag"),
            }
            for item in answer.get("Contents", ())
        ]
        return found, bool(answer.get("IsTruncated"))

    def read(self, key: str, start: int, length: int, version: str) -> bytearray:
        """A range of an object."""
        wanted = {"Range": f"bytes={start}-{start + length - 1}"}
        if version:
            wanted["IfMatch"] = version
        answer = self.client.get_object(Bucket=self.bucket, Key=key, **wanted)
        return bytearray(answer["Body"].read())

    def head(self, key: str) -> dict[str, Any]:
        """Size, time and ETag of an object."""
        answer = self.client.head_object(Bucket=self.bucket, Key=key)
        return {
            "path": key,
            "size": answer["ContentLength"],
            "last_modified": answer["LastModified"],
            "e_tag": answer.get("ETag"),
        }


def errors() -> tuple[type[Exception], ...]:
    """What boto3 raises; nothing as long as it is not in use."""
    found = sys.modules.get("botocore.exceptions")
    return (found.BotoCoreError, found.ClientError) if found else ()


def explain(error: Exception) -> Fault:
    """What went wrong with a request of boto3, whose messages can hold URLs."""
    answer = getattr(error, "response", None)
    if isinstance(answer, dict):
        status = int(answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) or 0)
        code = str(answer.get("Error", {}).get("Code", ""))
        return answered(status, code if re.fullmatch(r"[A-Za-z]\w{1,63}", code) else "")
    name = type(error).__name__
    if "Credential" in name:
        return Fault("credentials", "no credentials were found")
    if "Timeout" in name:
        return Fault("silent", "the server does not answer in time", "see timeout in the settings")
    if "Connection" in name or "Endpoint" in name:
        return Fault("busy", "the server cannot be reached", "check endpoint and the network")
    return Fault("other", f"boto3 failed ({name})")

"""The Python API on a lake behind a server."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import quote, urlsplit

import pyarrow as pa

from ..core.errors import BoardlakeError, FilterError, LakeError, UsageError
from .client import Client

_TIMEOUT_S = 300
_MOST_ERROR = 100_000  # bytes
_KINDS = {"UsageError": UsageError, "LakeError": LakeError}


class Remote(Client):
    """The lake behind the server at *url*, such as `http://127.0.0.1:8470`."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if not parts.hostname or parts.query or parts.fragment:
            raise UsageError(f"{url}: expected http://HOST:PORT")
        self._url = url.rstrip("/")

    def close(self) -> None:
        """Nothing is held between two questions."""

    def __repr__(self) -> str:
        return f"<boardlake {self._url}>"

    def _ask(self, question: str, arguments: dict[str, Any]) -> pa.Table:
        request = urllib.request.Request(
            f"{self._url}/api/v1/ask/{quote(question)}",
            json.dumps(arguments).encode(),
            {"Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:
                return pa.ipc.open_stream(answer).read_all()
        except urllib.error.HTTPError as error:
            with error:
                raise _error(error.read(_MOST_ERROR), error.code) from None
        except (OSError, pa.ArrowException) as error:
            reason = getattr(error, "reason", error)
            hint = "is `boardlake serve` running there?"
            raise LakeError(f"{self._url} does not answer: {reason}", hint=hint) from error


def _error(body: bytes, status: int) -> BoardlakeError:
    """The error that the server tells of, of the class that it has here."""
    try:
        told = json.loads(body)["error"]
        message, hint = str(told["message"]), str(told["hint"])
        if told["kind"] == "FilterError":
            text, at = str(told["text"]), int(told["position"])
            return FilterError(message, text=text, position=at, hint=hint)
        return _KINDS.get(str(told["kind"]), BoardlakeError)(message, hint=hint)
    except (ValueError, KeyError, TypeError):
        return LakeError(f"the server answers {status}", hint="is it a boardlake server?")

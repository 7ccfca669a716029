"""The Python API on a lake behind a server."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import duckdb
import pandas as pd
import pyarrow as pa

from ..core.errors import (
    BoardlakeError,
    FilterError,
    LakeBusy,
    LakeError,
    LimitError,
    SqlError,
    UsageError,
)
from ..lake.location import Location
from ..lake.sandbox import values
from ..lake.sandbox.limits import MAX_ROWS
from .client import Client, Runs, frame, some
from .local import connection

_TIMEOUT_S = 300
_MOST_ERROR = 100_000  # bytes
TOKEN = "BOARDLAKE_TOKEN"
_MOST_TOKEN = 512
_LOCAL = ("127.0.0.1", "localhost", "::1")
_KINDS = {one.__name__: one for one in (UsageError, LimitError, LakeError, LakeBusy)}
_KINDS |= {"Unauthorized": UsageError, "Forbidden": UsageError}


class Remote(Client):
    """The lake behind the server at *url*, such as `http://127.0.0.1:8470`."""

    def __init__(self, url: str, token: str | None = None) -> None:
        """A server that asks for a *token* is shown that, or without one BOARDLAKE_TOKEN."""
        parts = urlsplit(url)
        if parts.username is not None or parts.password is not None:
            # Not the address itself: it holds a secret.
            raise UsageError(
                "no secrets in the address", hint="pass token=, or set BOARDLAKE_TOKEN"
            )
        if not parts.hostname or parts.query or parts.fragment:
            raise UsageError(f"{url}: expected http://HOST:PORT")
        self._url = url.rstrip("/")
        # Over plain http others may listen: only who says so shows a token there.
        if token is None and (parts.scheme.lower() == "https" or parts.hostname in _LOCAL):
            token = os.environ.get(TOKEN)
        self._headers = _authorization(token)
        # A redirect would show the token to whomever it leads to.
        handlers = [_Stay()] if self._headers else []
        self._opener = urllib.request.build_opener(*handlers)

    def close(self) -> None:
        """Nothing is held between two questions."""

    def __repr__(self) -> str:
        return f"<boardlake {self._url}>"

    def sql(self, query: str, parameters: Any = None) -> pd.DataFrame:
        """The answer to one reading SQL statement; *parameters* for its `?` or `$name`.

        Raises LimitError, never a part of the rows, for an answer that the server cuts off.
        """
        asked = {"query": query, "parameters": values.encode(parameters), "limit": MAX_ROWS}
        with self._answer("sql", asked) as answer:
            table = pa.ipc.open_stream(answer).read_all()
            truncated = answer.headers.get("X-Boardlake-Truncated") != "false"
        if truncated:
            raise LimitError(
                f"the answer has more than the {table.num_rows:,} rows that fit in one answer of"
                f" {self._url} (at most {MAX_ROWS:,} rows, and so many bytes)",
                hint="aggregate, select fewer columns, or ask in parts (WHERE run_id BETWEEN ...);"
                " history() has whole curves, and connect() no limit on the server's machine",
            )
        return frame(table)

    def connect(self) -> duckdb.DuckDBPyConnection:
        """A DuckDB connection of the caller's own to the server's lake, if that is on this machine."""
        with self._answer("info") as answer:
            told = json.loads(answer.read(_MOST_ERROR))
        root, identity = str(told.get("lake", "")), told.get("lake_id")
        hint = "sql() asks the server; connect() needs the lake's directory on this machine"
        if not root or not identity:
            raise UsageError(f"{self._url} does not tell where its lake is", hint=hint)
        location = Location(Path(root))
        if location.identity() != identity:
            why = "is not here" if not location.exists() else "is another one than that here"
            raise UsageError(f"the lake of {self._url}, {root} on its machine, {why}", hint=hint)
        try:
            return connection(location)
        except LakeError as error:
            message = f"{root} cannot be opened here: {error.message}"
            raise UsageError(message, hint=hint) from error

    def tensorboard(
        self, runs: Runs = "", *, duplicates: bool = False, archived: bool = False
    ) -> str:
        """The address of TensorBoard on *runs*, on the server; see the class it is made from."""
        chosen = some(runs)
        asked: dict[str, Any] = {"duplicates": duplicates, "archived": archived}
        if isinstance(chosen, str):
            asked["filter"] = chosen
        else:
            asked["runs"] = self._ask("keys", {"runs": chosen})["run_key"].to_pylist()
            if not asked["runs"]:
                raise UsageError("runs: none are given", hint="without any runs all are shown")
        with self._answer("tensorboard", asked) as answer:
            return f"{self._url}{json.loads(answer.read(_MOST_ERROR))['url']}"

    def _ask(self, question: str, arguments: dict[str, Any]) -> pa.Table:
        with self._answer(f"ask/{quote(question)}", arguments) as answer:
            return pa.ipc.open_stream(answer).read_all()

    @contextmanager
    def _answer(self, path: str, body: dict[str, Any] | None = None) -> Iterator[Any]:
        """The server's answer to a GET, or to a POST of *body*; raises what it tells of."""
        request = urllib.request.Request(
            f"{self._url}/api/v1/{path}",
            None if body is None else json.dumps(body).encode(),
            self._headers | ({} if body is None else {"Content-Type": "application/json"}),
        )
        try:
            with self._opener.open(request, timeout=_TIMEOUT_S) as answer:
                yield answer
        except urllib.error.HTTPError as error:
            with error:
                raise _error(error.read(_MOST_ERROR), error.code) from None
        except (OSError, ValueError, pa.ArrowException) as error:
            reason = getattr(error, "reason", error)
            hint = "is `boardlake serve` running there?"
            raise LakeError(f"{self._url} does not answer: {reason}", hint=hint) from error


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        """Follow nothing."""


def _authorization(token: str | None) -> dict[str, str]:
    token = (token or "").strip()
    if not token:
        return {}
    if len(token) > _MOST_TOKEN or not token.isascii() or not token.isprintable():
        raise UsageError(f"token: expected at most {_MOST_TOKEN} ASCII characters")
    return {"Authorization": f"Bearer {token}"}


def _error(body: bytes, status: int) -> BoardlakeError:
    """The error that the server tells of, of the class that it has here."""
    try:
        told = json.loads(body)["error"]
        message, hint = str(told["message"]), str(told["hint"])
        if told["kind"] == "FilterError":
            text, at = str(told["text"]), int(told["position"])
            return FilterError(message, text=text, position=at, hint=hint)
        if told["kind"] == "SqlError":
            place = told.get("position")
            return SqlError(message, text=str(told["text"]), position=place, hint=hint)
        return _KINDS.get(str(told["kind"]), BoardlakeError)(message, hint=hint)
    except (ValueError, KeyError, TypeError):
        return LakeError(f"the server answers {status}", hint="is it a boardlake server?")

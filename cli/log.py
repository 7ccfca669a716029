"""What a program says as lines for a log: plain with a time, or one JSON object each, without secrets."""

from __future__ import annotations

import json
import logging
import os
import re
import sys
import threading
import traceback
import warnings
from collections.abc import Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Literal

Kind = Literal["plain", "json"]
Level = Literal["debug", "info", "warning", "error"]

_LONGEST = 16_000
_HIDDEN = "***"
_SECRET_NAME = re.compile(
    r"(^|_)(KEY|KEYS|SECRET|TOKEN|PASSWORD|PASSWD|PASSPHRASE|CREDENTIALS?|CONNECTION_STRING|SAS)(_|$)",
    re.IGNORECASE,
)
_SHORTEST_SECRET = 8
_IN_URL = re.compile(r"(?<=://)[^/\s@:]*:[^/\s@]+(?=@)")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_OWN = ("time", "level", "event", "source", "message")


class Log:
    """Lines on stderr; *quiet* leaves out what is neither a warning nor an error.

    Values of variables of *environ* that hold secrets by their names are hidden wherever they turn up,
    and so is what stands before the @ of a URL.
    """

    def __init__(self, kind: Kind, environ: Mapping[str, str] = os.environ) -> None:
        self.kind = kind
        self.quiet = False
        self._lock = threading.Lock()
        secrets = {
            value
            for name, value in environ.items()
            if _SECRET_NAME.search(name) and len(value) >= _SHORTEST_SECRET and value[0] not in "/~"
        }
        longest_first = sorted(secrets, key=len, reverse=True)
        self._secrets = re.compile("|".join(map(re.escape, longest_first))) if secrets else None

    def write(
        self, level: Level, event: str, message: str, source: str = "", /, **fields: object
    ) -> None:
        """Say one thing: *event* is its kind in a word, *fields* are numbers, texts or lists."""
        if self.quiet and level not in ("warning", "error"):
            return
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        if self.kind == "json":
            told: dict[str, object] = {"time": now, "level": level, "event": event}
            if source:
                told["source"] = source
            told["message"] = message
            told |= {name: value for name, value in fields.items() if name not in _OWN}
            line = json.dumps(self._clean(told), default=str, allow_nan=False)
        else:
            place = f"{source}: " if source else ""
            hint = f" (hint: {fields['hint']})" if fields.get("hint") else ""
            trace = f" {fields['trace']}" if fields.get("trace") else ""
            text = self._hide(f"{place}{message}{hint}{trace}")
            text = _CONTROL.sub(" ", text).encode("utf-8", "backslashreplace").decode()
            line = f"{now} {level:<7} {text}"
        with self._lock:
            try:
                sys.stderr.write(f"{line}\n")
                sys.stderr.flush()
            except (OSError, ValueError):
                # Nobody reads what is said; the work goes on.
                pass

    def _clean(self, value: object) -> object:
        if isinstance(value, str):
            return self._hide(value)
        if isinstance(value, dict):
            return {self._hide(str(key)): self._clean(one) for key, one in value.items()}
        if isinstance(value, list | tuple):
            return [self._clean(one) for one in value]
        if isinstance(value, float) and not -1e300 < value < 1e300:
            return None
        if value is None or isinstance(value, bool | int | float):
            return value
        return self._hide(str(value))

    def _hide(self, text: str) -> str:
        if len(text) > _LONGEST:
            text = f"{text[:_LONGEST]}..."
        if self._secrets:
            text = self._secrets.sub(_HIDDEN, text)
        return _IN_URL.sub(_HIDDEN, text)

    def install(self) -> None:
        """Say in the same way what libraries log and warn of, and with what an own mistake ends."""
        handler = _Handler(self)
        logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
        logging.captureWarnings(capture=True)
        warnings.simplefilter("default")
        sys.excepthook = self._crash
        threading.excepthook = self._thread_crash

    def _crash(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        lines = "".join(traceback.format_exception(kind, error, trace))
        self.write("error", "crash", f"{kind.__name__}: {error}", trace=lines)

    def _thread_crash(self, crashed: threading.ExceptHookArgs) -> None:
        error = crashed.exc_value or crashed.exc_type()
        self._crash(crashed.exc_type, error, crashed.exc_traceback)


class _Handler(logging.Handler):
    def __init__(self, log: Log) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        level: Level = "error" if record.levelno >= logging.ERROR else "warning"
        fields: dict[str, object] = {"logger": record.name}
        if record.exc_info and record.exc_info[0]:
            fields["trace"] = "".join(traceback.format_exception(*record.exc_info))
        try:
            self._log.write(level, "library", record.getMessage(), "", **fields)
        except Exception:
            self.handleError(record)

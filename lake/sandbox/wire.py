"""Messages between the service and its workers: a JSON header and a body of bytes."""

from __future__ import annotations

import json
import socket
import struct
import time
from typing import Any

_SIZES = struct.Struct("<IQ")
MAX_HEADER = 8 << 20
_CHUNK = 1 << 20


class Gone(Exception):
    """The other end is no longer there, or talks nonsense."""


class Late(Exception):
    """The other end did not answer in time."""


def send(
    end: socket.socket, header: dict[str, Any], body: bytes = b"", until: float | None = None
) -> None:
    """Send one message; raises Gone, or Late at the time *until* (monotonic)."""
    text = json.dumps(header).encode()
    for part in (_SIZES.pack(len(text), len(body)) + text, body):
        view = memoryview(part)
        while view:
            view = view[_patient(end, until, lambda now=view: end.send(now[:_CHUNK])) :]


def receive(
    end: socket.socket, most: int, until: float | None = None
) -> tuple[dict[str, Any], bytes]:
    """One message with a body of up to *most* bytes; raises Gone, or Late at the time *until*."""
    header_size, body_size = _SIZES.unpack(_exactly(end, _SIZES.size, until))
    if header_size > MAX_HEADER or body_size > most:
        raise Gone(f"a message of {header_size} and {body_size} bytes")
    try:
        header = json.loads(_exactly(end, header_size, until))
    except (ValueError, RecursionError) as error:
        raise Gone("a header that is no JSON") from error
    if not isinstance(header, dict):
        raise Gone("a header that is no object")
    return header, _exactly(end, body_size, until)


def waits(end: socket.socket, seconds: float, until: float) -> bool:
    """Whether the other end has said something within *seconds*; raises Late at the time *until*."""
    left = until - time.monotonic()
    if left <= 0:
        raise Late
    end.settimeout(min(seconds, left))
    try:
        # Also where the connection has ended: whoever reads then is told.
        end.recv(1, socket.MSG_PEEK)
    except TimeoutError:
        return False
    except OSError as error:
        raise Gone(str(error)) from error
    return True


def _exactly(end: socket.socket, size: int, until: float | None) -> bytes:
    parts = bytearray()
    while len(parts) < size:
        wanted = min(size - len(parts), _CHUNK)
        part = _patient(end, until, lambda wanted=wanted: end.recv(wanted))
        if not part:
            raise Gone("the connection has ended")
        parts += part
    return bytes(parts)


def _patient(end: socket.socket, until: float | None, action: Any) -> Any:
    left = None if until is None else until - time.monotonic()
    if left is not None and left <= 0:
        raise Late
    end.settimeout(left)
    try:
        return action()
    except TimeoutError:
        raise Late from None
    except OSError as error:
        raise Gone(str(error)) from error

"""What TensorBoard calls a byte string: text that leads back to one blob of one run. Pure."""

from __future__ import annotations

import base64
import binascii
import json
from typing import NamedTuple

_MOST = 40_000


class Key(NamedTuple):
    """A byte string of the lake, or with *literal* one that stands for itself."""

    run_key: str
    file_id: int
    record: int
    idx: int
    tag: str
    literal: str = ""


def write(key: Key) -> str:
    """The key as text of A-Z, a-z, 0-9, `-` and `_`."""
    text = json.dumps(key, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode("utf-8", "surrogatepass")).decode().rstrip("=")


def read(text: str) -> Key | None:
    """The key of *text*, None where it is none of ours."""
    if len(text) > _MOST:
        return None
    try:
        padded = text + "=" * (-len(text) % 4)
        found = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError):
        return None
    kinds = (str, int, int, int, str, str)
    fits = isinstance(found, list) and len(found) == len(kinds)
    if not fits or not all(type(one) is kind for one, kind in zip(found, kinds, strict=True)):
        return None
    if not all(0 <= number < 1 << 62 for number in found[1:4]):
        return None
    return Key(*found)

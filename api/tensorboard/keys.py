"""What TensorBoard calls a byte string: text that leads back to one blob of one run. Pure."""

from __future__ import annotations

import base64
import binascii
import json
import re
from typing import NamedTuple

# A tag has up to 4,096 characters.
_MOST = 40_000
# What stands for itself is the size of an image: nobody's words are given back.
_LITERAL = re.compile(r"[0-9]{0,20}", re.ASCII)


class Key(NamedTuple):
    """A byte string of the lake, or with *literal* digits that stand for themselves."""

    run_key: str
    file_id: int
    record: int
    idx: int
    tag: str
    literal: str = ""


def write(key: Key) -> str:
    """The key as text of A-Z, a-z, 0-9, `-` and `_`."""
    text = json.dumps(key, separators=(",", ":"), ensure_ascii=False)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read(text: str) -> Key | None:
    """The key of *text*, None where it is none of ours."""
    if len(text) > _MOST:
        return None
    try:
        padded = text + "=" * (-len(text) % 4)
        found = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        # Half a character, which JSON may hold, is none that the lake knows.
        json.dumps(found, ensure_ascii=False).encode()
    except (binascii.Error, ValueError, RecursionError):
        return None
    kinds = (str, int, int, int, str, str)
    fits = isinstance(found, list) and len(found) == len(kinds)
    if not fits or not all(type(one) is kind for one, kind in zip(found, kinds, strict=True)):
        return None
    if not all(0 <= number < 1 << 62 for number in found[1:4]):
        return None
    return Key(*found) if _LITERAL.fullmatch(found[5]) else None

"""Regular expressions of strangers: a layout in an event file brings some, and none may hold up the server."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from ...core.errors import UsageError

MAX_PATTERN = 4_096
_PATIENCE_S = 2.0
# Of a filter, for the values of all sessions together.
_PATIENCE_FILTER_S = 10.0
# What RE2 has not, above all what looks ahead, is Python's to find, in a process that can be ended.
_SLOW = """
import json, re, sys
pattern, texts = json.load(sys.stdin)
find = re.compile(pattern).search
json.dump([find(text) is not None for text in texts], sys.stdout)
"""


class BadPattern(UsageError):
    """A pattern that is no regular expression, or one that takes too long."""


def matching(pattern: str, texts: Sequence[str], *, start: bool) -> list[bool]:
    """Whether each of *texts* matches *pattern*, anywhere or, as `re.match` has it, at its start.

    RE2 finds it in linear time; there `\\w`, `\\d` and `\\b` know ASCII only. Raises BadPattern.
    """
    if len(pattern) > MAX_PATTERN:
        raise BadPattern(f"a pattern of {len(pattern)} characters, at most {MAX_PATTERN} are taken")
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        raise BadPattern(f"the pattern {pattern[:100]!r} is no regular expression") from error
    if start:
        # A group keeps `|` together; flags stand at the very beginning.
        flags = re.match(r"\(\?[aiLmsux]+\)", pattern)
        head = flags[0] if flags else ""
        pattern = f"{head}\\A(?:{pattern.removeprefix(head)})"
    try:
        found = pc.match_substring_regex(pa.array(texts, pa.string()), pattern)
    except pa.ArrowInvalid:
        return _apart(pattern, texts)
    answer: list[bool] = found.to_pylist()
    return answer


def _apart(pattern: str, texts: Sequence[str]) -> list[bool]:
    command = [sys.executable, "-I", "-S", "-c", _SLOW]
    try:
        done = subprocess.run(
            command, input=json.dumps([pattern, list(texts)]).encode(), capture_output=True,
            timeout=_PATIENCE_S, check=True,
        )  # fmt: skip
        answer: list[bool] = json.loads(done.stdout)
    except (subprocess.SubprocessError, OSError, ValueError) as error:
        message = f"the pattern {pattern[:100]!r} takes longer than {_PATIENCE_S:.0f} s"
        raise BadPattern(message, hint="write it without nested repeats") from error
    return answer


def filter_of(pattern: str) -> Callable[[object], bool]:
    """What the hparams plugin makes of a pattern: whether it occurs in a value, which is text.

    It asks of one value after the other: each is looked at once, and all within a limit, else BadPattern.
    """
    matching(pattern, [""], start=False)
    known: dict[str, bool] = {}
    spent = 0.0

    def found(value: object) -> bool:
        nonlocal spent
        if not isinstance(value, str):
            return False
        if value not in known:
            if spent > _PATIENCE_FILTER_S:
                message = (
                    f"the pattern {pattern[:100]!r} takes longer than {_PATIENCE_FILTER_S:.0f} s"
                )
                raise BadPattern(message, hint="write it without what looks ahead or behind")
            begin = time.monotonic()
            known[value] = matching(pattern, [value], start=False)[0]
            spent += time.monotonic() - begin
        return known[value]

    return found

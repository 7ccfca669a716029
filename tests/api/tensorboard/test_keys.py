"""Keys of byte strings: they lead back to what they were made of, and nothing else is one."""

from __future__ import annotations

import base64
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boardlake.api.tensorboard import keys

_NUMBERS = st.integers(0, (1 << 62) - 1)
_KEYS = st.builds(
    keys.Key, st.text(max_size=64), _NUMBERS, _NUMBERS, _NUMBERS, st.text(max_size=300),
    st.from_regex(r"[0-9]{0,20}", fullmatch=True).filter(str.isascii),
)  # fmt: skip


def packed(value: object) -> str:
    """Anything in the form of a key."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@given(_KEYS)
def test_there_and_back(key: keys.Key) -> None:
    """A key is what TensorBoard takes, and is read as it was written."""
    text = keys.write(key)
    assert re.fullmatch(r"[A-Za-z0-9_-]+", text)
    assert keys.read(text) == key


@pytest.mark.parametrize("one", ["x", "\x01", "é", "漢", "🧪"])
def test_the_longest_tag_has_a_key(one: str) -> None:
    """A tag has up to 4,096 characters, whichever they are."""
    key = keys.Key("0" * 12, 1 << 61, 1 << 61, 1 << 61, one * 4096)
    assert keys.read(keys.write(key)) == key


@given(
    st.text(max_size=200)
    | st.binary(max_size=100).map(lambda b: base64.urlsafe_b64encode(b).decode())
)
def test_any_text_is_a_key_or_none(text: str) -> None:
    """Nothing raises, and what is read may be written."""
    found = keys.read(text)
    assert found is None or keys.read(keys.write(found)) == found


@pytest.mark.parametrize(
    "value",
    [
        None, 1, "text", {}, [], ["key", 1, 2, 3, "tag"], ["key", 1, 2, 3, "tag", "", ""],
        ["key", True, 2, 3, "tag", ""], ["key", 1.0, 2, 3, "tag", ""], ["key", -1, 2, 3, "tag", ""],
        ["key", 1 << 62, 2, 3, "tag", ""], [1, 1, 2, 3, "tag", ""], ["key", 1, 2, 3, None, ""],
        ["key", 1, 2, 3, ["tag"], ""], ["k\ud800", 1, 2, 3, "tag", ""],
        ["key", 1, 2, 3, "\udfff", ""], ["", 0, 0, 0, "", "<script>"], ["", 0, 0, 0, "", "\u0661"],
        ["", 0, 0, 0, "", "1\n"], ["", 0, 0, 0, "", "1" * 21], ["key", 1, 2, 3, "t" * 40_000, ""],
    ],
)  # fmt: skip
def test_what_is_none(value: object) -> None:
    """Wrong shapes, numbers out of bounds, half characters, and words that would be given back."""
    assert keys.read(packed(value)) is None


@pytest.mark.parametrize("text", ["", "=", "a", "!", "é", "\0", "[" * 30_000, packed([[]] * 9)])
def test_what_is_no_text_of_a_key(text: str) -> None:
    """Nothing raises."""
    assert keys.read(text) is None


def test_deep_nesting_is_none() -> None:
    """Nor does what JSON cannot be read of."""
    deep = base64.urlsafe_b64encode(b"[" * 25_000).decode().rstrip("=")
    assert keys.read(deep) is None

"""Patterns of strangers are matched as Python would, or refused; none takes long."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boardlake.api.tensorboard import patterns
from boardlake.api.tensorboard.patterns import MAX_PATTERN, BadPattern, filter_of, matching

TAGS = ["loss", "train/loss", "eval/loss", "acc", "loss\nx", "", "a|b", "Größe"]
HONEST = [
    "loss", ".*loss", "train/.*", "(train|eval)/loss", "a|l", r"[a-z]+/loss$", r"(?i)LOSS",
    r"(?!eval).*loss", r"(?<=train/)loss", r"(a)\1", "^", "", r"a\|b", r"\w+", ".+",
]  # fmt: skip


@pytest.mark.parametrize("pattern", HONEST)
def test_it_is_what_python_finds(pattern: str) -> None:
    """At the start and anywhere; what RE2 has not as well."""
    assert matching(pattern, TAGS, start=True) == [bool(re.match(pattern, tag)) for tag in TAGS]
    assert matching(pattern, TAGS, start=False) == [bool(re.search(pattern, tag)) for tag in TAGS]


WORDS = st.text("ab/.", max_size=6)
PATTERNS = st.recursive(
    st.sampled_from(["a", "b", "/", ".", "[ab]", r"\.", "^", "a*", "b+?"]),
    lambda inner: st.tuples(inner, inner, st.sampled_from(["{}{}", "(?:{}|{})", "({}){}"])).map(
        lambda parts: parts[2].format(*parts[:2])
    ),
    max_leaves=6,
)


@given(PATTERNS, st.lists(WORDS, max_size=4))
def test_any_simple_pattern_is_what_python_finds(pattern: str, tags: list[str]) -> None:
    """Alternatives, groups, classes and repeats."""
    assert matching(pattern, tags, start=True) == [bool(re.match(pattern, tag)) for tag in tags]


@pytest.mark.parametrize("pattern", ["(", "[", "*", "(?P<x", "a" * (MAX_PATTERN + 1), "(" * 4_000])
def test_what_is_no_pattern_is_refused(pattern: str) -> None:
    """With the reason."""
    with pytest.raises(BadPattern):
        matching(pattern, TAGS, start=True)


def test_a_pattern_that_explodes_ends() -> None:
    """In RE2 it takes no time; where it looks ahead, too, it is told that it takes too long."""
    assert matching("(a+)+$", ["a" * 4_000 + "b"], start=True) == [False]
    with pytest.raises(BadPattern, match="takes longer"):
        matching("(?!x)(a+)+$", ["a" * 60 + "b"], start=True)


def test_the_filter_of_a_column() -> None:
    """It is refused at once, and finds no text in what is none."""
    assert filter_of("da")("adam")
    assert not filter_of("^da")("adam")
    assert not filter_of("a")(1.0)
    with pytest.raises(BadPattern):
        filter_of("(")


def test_a_filter_is_limited_for_all_values_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each value takes a process where the pattern looks ahead; those that are known take none."""
    found = filter_of("(?=d)da")
    assert found("adam")
    monkeypatch.setattr(patterns, "_PATIENCE_FILTER_S", 0.0)
    assert found("adam")
    with pytest.raises(BadPattern, match="takes longer"):
        found("sgd")

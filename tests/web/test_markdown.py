"""Logged text as HTML: whatever it says, nothing runs and nothing is loaded from elsewhere."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boardlake.api.markdown import MAX_CHARS, render, render_array

PIXEL = "data:image/png;base64,iVBORw0KGgo="


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("a **b**", "<p>a <strong>b</strong></p>"),
        ("|a|\n|-:|\n|1|", '<td style="text-align:right">1</td>'),
        (f"![dot]({PIXEL})", f'<img src="{PIXEL}" alt="dot">'),
        ("<b>raw</b>", "&lt;b&gt;raw&lt;/b&gt;"),
        ("~~gone~~", "<s>gone</s>"),
    ],
)
def test_markdown_is_rendered(text: str, html: str) -> None:
    """The usual forms, tables among them; HTML in the text is text."""
    assert html in render(text)


def test_links_are_marked() -> None:
    """A link tells neither where it was followed nor counts for a search engine."""
    found = render("[x](https://example.org/a)")
    assert 'href="https://example.org/a"' in found
    assert 'rel="noopener noreferrer nofollow"' in found


@pytest.mark.parametrize(
    "text",
    [
        "[x](javascript:alert(1))", "[x](data:text/html,<script>)", "[x](//evil.example/)",
        "[x](/api/v1/export)", "<javascript:alert(1)>", "[x](vbscript:a)",
    ],
)  # fmt: skip
def test_other_links_lead_nowhere(text: str) -> None:
    """Neither scripts nor addresses within this server can be linked."""
    assert "href" not in render(text)


def test_images_of_others_are_links() -> None:
    """Looking at a text tells no one about it."""
    found = render("![chart](https://evil.example/x.png)")
    assert "<img" not in found and ">chart</a>" in found


class _Seen(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


@given(
    st.lists(
        st.sampled_from(
            ["<script>", "<img src=x onerror=y>", "[a](", "javascript:", "http://a", "![", "](", ")",
             "`", "*", "|", "\n", "|-|", "data:image/svg+xml,", '"', "<svg/onload=a>", "&#x3C;", "a"]
        ),
        max_size=30,
    ).map("".join)
)  # fmt: skip
def test_nothing_runs(text: str) -> None:
    """However the pieces fall: only known elements and attributes, and only known addresses."""
    seen = _Seen()
    seen.feed(render(text))
    for tag, attributes in seen.tags:
        assert tag not in ("script", "svg", "iframe", "object", "style", "form")
        assert not any(name.startswith("on") for name in attributes)
        assert tag != "img" or str(attributes.get("src", "data:image/")).startswith("data:image/")
        assert re.match(r"https?://|mailto:|$", attributes.get("href") or "")


def test_a_very_long_text_is_shown_as_it_is() -> None:
    """Markdown of any length would take any time."""
    assert render("**a**" * MAX_CHARS).startswith("<pre>**a**")


def test_arrays_are_tables() -> None:
    """A vector is a column, more than two dimensions are cut to a table with a word on it."""
    assert render_array(["a"], [1]) == render("a")
    assert render_array(["a", "b"], [2]).count("<tr>") == 2
    square = render_array(["a", "b", "c", "d", "e", "f"], [2, 3])
    assert (square.count("<tr>"), square.count("<td>")) == (2, 6)
    cube = render_array(list("abcdefgh"), [2, 2, 2])
    assert cube.count("<td>") == 4 and "3 dimensions" in cube
    assert "script" not in render_array(["<script>", "b"], [2]).replace("&lt;script&gt;", "")

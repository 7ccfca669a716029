"""Text that runs logged as safe HTML: Markdown is rendered, then cleaned whatever it became."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence

import nh3
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

# Some forms take quadratic time: beyond so many characters a text is shown as it is.
MAX_CHARS = 50_000

_TAGS = {
    "a", "blockquote", "br", "code", "del", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "img",
    "li", "ol", "p", "pre", "s", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip
_ATTRIBUTES = {
    "a": {"href", "title"}, "img": {"src", "alt", "title"}, "ol": {"start"},
    "td": {"style"}, "th": {"style"},
}  # fmt: skip
_LINK = re.compile(r"(?:https?://|mailto:)\S+", re.IGNORECASE)
_IMAGE = re.compile(r"data:image/(?:png|jpeg|gif|webp);base64,[A-Za-z0-9+/=]+")
_ALIGNED = re.compile(r"text-align:(?:left|center|right)")
_VALUES = {("a", "href"): _LINK, ("img", "src"): _IMAGE}
_VALUES |= {(cell, "style"): _ALIGNED for cell in ("td", "th")}
_SLICED = "This text has {} dimensions; a table of the first of them all but the last two is shown."


class _Renderer(RendererHTML):
    def image(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        """An image that the text itself holds; another is a link, which nothing loads by itself."""
        token = tokens[idx]
        source = str(token.attrs.get("src", ""))
        if _IMAGE.fullmatch(source):
            return super().image(tokens, idx, options, env)
        name = token.content or source
        return f'<a href="{html.escape(source)}">{html.escape(name)}</a>'


_MARKDOWN = MarkdownIt("commonmark", {"html": False}, renderer_cls=_Renderer)
_MARKDOWN.enable(["table", "strikethrough"])


def render(text: str) -> str:
    """Markdown as HTML that may stand in any page: no scripts, no foreign images, marked links."""
    return _clean(_rendered(text))


def render_array(strings: Sequence[str], shape: Sequence[int] | None) -> str:
    """A string tensor in row-major order as TensorBoard shows it: one text, or a table of them.

    A single string of any shape is a text; *strings* may end early, then so does the table.
    """
    if len(strings) == 1 or not shape:
        return render(strings[0] if strings else "")
    rows, columns = (shape[0], 1) if len(shape) == 1 else (shape[-2], shape[-1])
    shown = strings[: rows * columns]
    lines = [shown[at : at + columns] for at in range(0, len(shown), max(columns, 1))]
    whole = sum(map(len, shown)) <= MAX_CHARS
    body = "".join(
        f"<tr>{''.join(f'<td>{_rendered(cell, whole)}</td>' for cell in line)}</tr>"
        for line in lines
    )
    note = f"<p><strong>{_SLICED.format(len(shape))}</strong></p>" if len(shape) > 2 else ""
    return _clean(f"{note}<table><tbody>{body}</tbody></table>")


def unrendered(text: str) -> str:
    """*text* as it is, for HTML."""
    return f"<pre>{html.escape(text)}</pre>"


def _rendered(text: str, small: bool = True) -> str:
    if not small or len(text) > MAX_CHARS:
        return unrendered(text)
    return str(_MARKDOWN.render(text))


def _clean(unsafe: str) -> str:
    return nh3.clean(
        unsafe,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        attribute_filter=_kept,
        url_schemes={"http", "https", "mailto", "data"},
        link_rel="noopener noreferrer nofollow",
        set_tag_attribute_values={"a": {"target": "_blank"}},
    )


def _kept(tag: str, name: str, value: str) -> str | None:
    allowed = _VALUES.get((tag, name))
    return value if allowed is None or allowed.fullmatch(value) else None

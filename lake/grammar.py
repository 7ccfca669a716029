"""Reads the text of filters and column lists: sqlglot's tokens and trees, cut down to expressions.

Hostile text ends here: length, parts and depth are bounded, and whatever is no name, literal,
bracket or operator is refused with its position.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import sqlglot
from sqlglot import Token, TokenType, exp
from sqlglot.dialects import DuckDB

from ..core.errors import FilterError

MAX_CHARS = 10_000
MAX_TOKENS = 2_000
MAX_DEPTH = 32

KEYWORDS = {
    TokenType.AND, TokenType.OR, TokenType.NOT, TokenType.BETWEEN, TokenType.IN, TokenType.LIKE,
    TokenType.ILIKE, TokenType.IS, TokenType.NULL, TokenType.TRUE, TokenType.FALSE,
}  # fmt: skip
_SIGNS = {
    TokenType.L_PAREN, TokenType.R_PAREN, TokenType.COMMA, TokenType.DOT, TokenType.EQ,
    TokenType.NEQ, TokenType.LT, TokenType.LTE, TokenType.GT, TokenType.GTE, TokenType.PLUS,
    TokenType.DASH, TokenType.STAR, TokenType.SLASH, TokenType.MOD, TokenType.TILDE,
    TokenType.NOT, TokenType.NUMBER,
}  # fmt: skip
_PREFIXES = {TokenType.NOT, TokenType.DASH, TokenType.PLUS, TokenType.TILDE}
_TYPED_LITERALS = {"interval", "timestamp", "date"}

_NAME = re.compile(r"[^\W\d]\w*")
_QUOTED = re.compile(r"""'[^']*'|"[^"]*\"""")


class _Parser(DuckDB.Parser):  # type: ignore[misc]
    """DuckDB's grammar with no function of its own: every call stays a name and its arguments."""

    FUNCTIONS: dict[str, Callable[..., Any]] = {}
    FUNCTION_PARSERS: dict[str, Callable[..., Any]] = {}
    NO_PAREN_FUNCTIONS: dict[Any, Any] = {}
    NO_PAREN_FUNCTION_PARSERS: dict[str, Callable[..., Any]] = {}


def check(text: str) -> None:
    """Refuse what is too long or no text at all; raises FilterError."""
    if len(text) > MAX_CHARS:
        message = f"{len(text)} characters are too many: at most {MAX_CHARS} are taken"
        raise FilterError(message, text=text[:80], position=0)
    surrogate = re.search("[\ud800-\udfff]", text)
    if surrogate:
        message = "this character is half a surrogate pair, which is no text"
        raise FilterError(message, text=text, position=surrogate.start())


def tokenize(text: str) -> list[Token]:
    """The tokens of an expression; words without a meaning in the language are plain names.

    Raises FilterError at the first thing that cannot be part of an expression.
    """
    check(text)
    try:
        raw = DuckDB().tokenize(text)
    except (sqlglot.errors.SqlglotError, RecursionError):
        raise _unreadable(text) from None
    if len(raw) > MAX_TOKENS:
        message = f"{len(raw)} names, values and operators are too many: at most {MAX_TOKENS}"
        raise FilterError(message, text=text, position=raw[MAX_TOKENS].start)
    _refuse_comments(text, raw)
    tokens = [_plain(text, raw, at) for at in range(len(raw))]
    _refuse_depth(text, tokens)
    return _literals_as_calls(tokens)


def parse(text: str, tokens: list[Token]) -> exp.Expression:
    """The tree of one expression; raises FilterError where the grammar ends."""
    if not tokens:
        raise FilterError("an expression is expected", text=text, position=0)
    parser = _Parser(dialect=DuckDB(), error_level=sqlglot.ErrorLevel.IMMEDIATE)
    try:
        tree = parser.parse_into(exp.Condition, tokens, text)[0]
    except sqlglot.errors.ParseError as error:
        raise _ungrammatical(text, tokens, error) from None
    except RecursionError:
        raise FilterError("nested too deep", text=text, position=tokens[0].start) from None
    except (sqlglot.errors.SqlglotError, ValueError) as error:
        message = f"this cannot be read: {error}"
        raise FilterError(message, text=text, position=tokens[0].start) from None
    if not isinstance(tree, exp.Expression):
        raise FilterError("an expression is expected", text=text, position=tokens[0].start)
    return tree


def split(text: str) -> tuple[str, ...]:
    """A list such as `name, min("val/loss") as best` as its parts, cut at the outer commas."""
    parts: list[str] = []
    depth = start = 0
    for token in tokenize(text):
        kind = token.token_type
        depth += (kind == TokenType.L_PAREN) - (kind == TokenType.R_PAREN)
        if kind == TokenType.COMMA and depth == 0:
            if not text[start : token.start].strip():
                raise FilterError(
                    "nothing stands before this comma", text=text, position=token.start
                )
            parts.append(text[start : token.start].strip())
            start = token.end + 1
    rest = text[start:].strip()
    return (*parts, rest) if rest else tuple(parts)


def alias(text: str) -> tuple[str, str | None]:
    """A column such as `min("val/loss") as best` as its expression and the name it is given."""
    tokens = tokenize(text)
    if len(tokens) < 3 or tokens[-2].token_type != TokenType.VAR or tokens[-2].text.lower() != "as":
        return text, None
    if tokens[-1].token_type not in (TokenType.VAR, TokenType.IDENTIFIER):
        raise FilterError("a name is expected after `as`", text=text, position=tokens[-1].start)
    return text[: tokens[-2].start], tokens[-1].text


def direction(text: str) -> tuple[str, bool]:
    """A sort key such as `-points` or `points desc` as its expression and whether it descends."""
    tokens = tokenize(text)
    if len(tokens) > 1 and tokens[-1].token_type == TokenType.VAR:
        word = tokens[-1].text.lower()
        if word in ("asc", "desc"):
            return text[: tokens[-1].start], word == "desc"
    if len(tokens) > 1 and tokens[0].token_type == TokenType.DASH:
        # A blank in its place: positions in errors stay those of the text.
        return text[: tokens[0].start] + " " + text[tokens[0].end + 1 :], True
    return text, False


def span(node: exp.Expression) -> tuple[int, int]:
    """The first and the last position of *node* in the text, or of what it is part of.

    sqlglot keeps the places of names, literals and calls, not of NULL, TRUE and operators.
    """
    metas = [part.meta for part in node.walk() if "start" in part.meta]
    if not metas:
        return span(node.parent) if isinstance(node.parent, exp.Expression) else (0, 0)
    return min(meta["start"] for meta in metas), max(meta["end"] for meta in metas)


def _plain(text: str, tokens: list[Token], at: int) -> Token:
    token = tokens[at]
    source = text[token.start : token.end + 1]
    kind = token.token_type
    if kind == TokenType.STRING and source.startswith("'"):
        return token
    if kind == TokenType.IDENTIFIER and source.startswith('"'):
        return token
    if _NAME.fullmatch(source):
        after_dot = at > 0 and tokens[at - 1].token_type == TokenType.DOT
        return token if kind in KEYWORDS and not after_dot else _like(token, source)
    if kind in _SIGNS:
        return token
    message = f"{source[:20]} is not taken here: a field, a value or an operator is expected"
    raise FilterError(message, text=text, position=token.start)


def _like(token: Token, text: str, kind: TokenType = TokenType.VAR) -> Token:
    return Token(kind, text, token.line, token.col, token.start, token.end)


def _literals_as_calls(tokens: list[Token]) -> list[Token]:
    """`interval '3 days'` and `interval 3 day` as interval('3 days'), likewise dates and times."""
    result: list[Token] = []
    at = 0
    while at < len(tokens):
        token = tokens[at]
        kinds = [following.token_type for following in tokens[at + 1 : at + 3]]
        literal = None
        if token.token_type == TokenType.VAR and token.text.lower() in _TYPED_LITERALS:
            if kinds[:1] == [TokenType.STRING]:
                literal = tokens[at + 1]
            elif kinds == [TokenType.NUMBER, TokenType.VAR]:
                number, unit = tokens[at + 1 : at + 3]
                literal = _like(number, f"{number.text} {unit.text}", TokenType.STRING)
        result.append(token)
        if literal is not None:
            result.append(_like(literal, "(", TokenType.L_PAREN))
            result.append(literal)
            result.append(_like(literal, ")", TokenType.R_PAREN))
            at += len(kinds) if kinds[0] == TokenType.NUMBER else 1
        at += 1
    return result


def _refuse_comments(text: str, tokens: list[Token]) -> None:
    # The tokenizer drops comments in silence: what no token covers is one.
    end = 0
    for start, stop in [*((t.start, t.end + 1) for t in tokens), (len(text), len(text))]:
        gap = text[end:start]
        if gap.strip():
            at = end + len(gap) - len(gap.lstrip())
            raise FilterError("a comment is not taken here", text=text, position=at)
        end = max(end, stop)


def _refuse_depth(text: str, tokens: list[Token]) -> None:
    # Every bracket and every prefix operator makes the parser call itself once more.
    depth = prefixes = 0
    for token in tokens:
        kind = token.token_type
        depth += (kind == TokenType.L_PAREN) - (kind == TokenType.R_PAREN)
        prefixes = prefixes + 1 if kind in _PREFIXES else 0
        if max(depth, prefixes) > MAX_DEPTH:
            message = f"nested too deep: at most {MAX_DEPTH} levels are taken"
            raise FilterError(message, text=text, position=token.start)


def _unreadable(text: str) -> FilterError:
    rest = _QUOTED.sub(lambda found: " " * len(found[0]), text)
    quote = re.search("""['"]""", rest)
    if quote:
        return FilterError(f"{quote[0]} is not closed", text=text, position=quote.start())
    comment = re.search(r"/\*", rest)
    at = comment.start() if comment else 0
    return FilterError("a comment is not taken here", text=text, position=at)


def _ungrammatical(text: str, tokens: list[Token], error: sqlglot.errors.ParseError) -> FilterError:
    found = error.errors[0] if error.errors else {}
    place = (found.get("line"), found.get("col"))
    token = next((t for t in tokens if (t.line, t.col) == place), tokens[-1])
    source = text[token.start : token.end + 1][:40]
    description = str(found.get("description", ""))
    if description.startswith("Expecting"):
        message = f"{description.split()[-1]} is expected near {source}"
    elif description.startswith("Required"):
        message = f"a value or a field is expected after {source}"
    else:
        message = f"{source} is not expected here: an operator, `and` or `or` would be"
    hint = "A search for words has no operators; text values stand in single quotes."
    return FilterError(message, text=text, position=token.start, hint=hint)

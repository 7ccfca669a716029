"""The filter language: checked expressions over runs, hyperparameters and metrics, written as SQL.

The tree of an expression is walked against the few forms listed here and written anew. Names become
columns we chose and every literal becomes a bound parameter: no character of the text reaches SQL.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal, NoReturn

import pyarrow as pa
import pyarrow.compute as pc
from sqlglot import exp

from ..core.errors import FilterError
from . import grammar

Kind = Literal["number", "text", "time", "interval", "condition", "hyperparameter", "null", "list"]
Metric = tuple[str, str, str | None]

FIELDS: dict[str, Kind] = {
    **dict.fromkeys(("run_key", "source", "machine", "project", "name", "path", "state"), "text"),
    **dict.fromkeys(("host", "writer", "git_commit", "command", "group_name", "end_reason"), "text"),
    **dict.fromkeys(("created_at", "last_event_at", "discovered_at"), "time"),
    **dict.fromkeys(("run_id", "duration_s", "attempts", "points", "last_step"), "number"),
    **dict.fromkeys(("files", "size", "duplicate_of"), "number"),
    "locations": "list",
}  # type: ignore[dict-item]
STATS = ("last", "first", "min", "max", "mean", "std", "count", "step_min", "step_max")
# The logarithm of zero or less is missing rather than an error that ends the search.
_OF_NUMBER: dict[str, tuple[str, Kind]] = {
    "abs": ("abs({0})", "number"),
    "round": ("round({0})", "number"),
    "exp": ("exp({0})", "number"),
    "ln": ("ln(nullif(greatest({0}, 0), 0))", "number"),
    "log10": ("log10(nullif(greatest({0}, 0), 0))", "number"),
    "isnan": ("isnan({0})", "condition"),
    "isinf": ("isinf({0})", "condition"),
}
_OF_TEXT = {"lower": "lower({0})", "upper": "upper({0})"}
FUNCTIONS = (*STATS, "now", "tag", "coalesce", *_OF_NUMBER, *_OF_TEXT)

_COMPARE = {exp.EQ: "=", exp.NEQ: "<>", exp.LT: "<", exp.LTE: "<=", exp.GT: ">", exp.GTE: ">="}
_ARITHMETIC = {exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.Div: "/", exp.Mod: "%"}
_BINARY = {"this", "expression"}
# sqlglot notes on a division how its dialect divides; we write a division of DOUBLEs.
_ARGS: dict[type, set[str]] = {exp.Div: {*_BINARY, "typed", "safe"}}

_INTERVAL = re.compile(r"\s*(\d{1,6}) *(second|minute|hour|day|week|month|year)s?\s*", re.IGNORECASE)
_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800}
_SECONDS |= {"month": 2678400, "year": 31622400}
# As many as an expression can hold, added up, stay within a TIMESTAMP.
_MAX_INTERVAL_S = 100 * 31622400
_MAX_WORDS = 20


@dataclass(frozen=True)
class Term:
    """A checked expression as SQL.

    A hyperparameter has two forms: *sql* is its text, *number* its number (NULL where it has none).
    *literal* is the text of a text literal; *nan* says that a number may be NaN.
    """

    sql: str
    kind: Kind
    number: str = ""
    literal: str | None = None
    nan: bool = False


@dataclass
class Scope:
    """What the expressions of one statement share, and what they turned out to need.

    *tags* names a relation (run_id, tag) that holds the users' tags. Where *known_hparams* or
    *known_tags* are given, other names are refused. *names* are aliases that expressions may use.
    *hparams* numbers the columns `hp.h0` (text) and `hp.n0` (number), *metrics* the columns `m.m0`.
    A metric is (stat, tag, stream); stream None is the first stream that has the tag, '' before all.
    """

    tags: str | None = None
    known_hparams: tuple[str, ...] = ()
    known_tags: tuple[str, ...] = ()
    now: datetime = field(default_factory=lambda: datetime.now(UTC).replace(tzinfo=None))
    names: dict[str, Term] = field(default_factory=dict)
    params: dict[str, object] = field(default_factory=dict)
    hparams: dict[str, int] = field(default_factory=dict)
    metrics: dict[Metric, int] = field(default_factory=dict)
    fields: set[str] = field(default_factory=set)

    def bind(self, value: object) -> str:
        """The placeholder of a new parameter that holds *value*."""
        name = f"p{len(self.params)}"
        self.params[name] = value
        return f"${name}"


def condition(text: str, scope: Scope) -> str:
    """A filter, or words to search for, as a boolean SQL expression.

    Raises FilterError with the position of what cannot be taken.
    """
    if not text.strip():
        return "true"
    searched = grammar.words(text)
    if searched is None:
        return _Writer(text, scope).condition()
    if len(searched) > _MAX_WORDS:
        message = f"{len(searched)} words are too many: at most {_MAX_WORDS} are searched for"
        raise FilterError(message, text=text, position=0)
    return " AND ".join(_search(word, scope) for word in searched)


def expression(text: str, scope: Scope) -> Term:
    """A column, sort or group expression as a term; raises FilterError."""
    return _Writer(text, scope).expression()


def _search(word: str, scope: Scope) -> str:
    """Runs with *word* in a name, a tag or a hyperparameter; `*` stands for any characters."""
    pattern = scope.bind("(?is)" + ".*".join(re.escape(part) for part in word.split("*")))
    places = [
        f"regexp_matches(concat_ws(chr(10), r.name, r.path, r.project, r.machine), {pattern})",
        f"r.run_id IN (SELECT run_id FROM series_parts WHERE regexp_matches(tag, {pattern}))",
        "r.run_id IN (SELECT run_id FROM hparams"
        f" WHERE regexp_matches(name, {pattern}) OR regexp_matches(value, {pattern}))",
    ]
    if scope.tags:
        relation = exp.to_identifier(scope.tags, quoted=True).sql("duckdb")
        places.append(
            f"r.run_id IN (SELECT run_id FROM {relation} WHERE regexp_matches(tag, {pattern}))"
        )
    return f"({' OR '.join(places)})"


class _Writer:
    """Writes the SQL of one expression."""

    def __init__(self, text: str, scope: Scope):
        self.text = text
        self.scope = scope
        self.tree = grammar.parse(text, grammar.tokenize(text))

    def condition(self) -> str:
        try:
            return self._condition(self.tree)
        except RecursionError:
            self._refuse(self.tree, "nested too deep")

    def expression(self) -> Term:
        try:
            term = self._term(self.tree)
        except RecursionError:
            self._refuse(self.tree, "nested too deep")
        if term.kind == "null":
            self._refuse(self.tree, "null alone is no column")
        return term

    def _term(self, node: exp.Expression) -> Term:
        self._only(node, _ARGS.get(type(node)))
        if type(node) in _COMPARE:
            return _true_or_false(self._compare(node, node.this, node.expression))
        if type(node) in _ARITHMETIC:
            return self._arithmetic(node)
        match node:
            case exp.Paren():
                return self._term(node.this)
            case exp.And() | exp.Or():
                return self._junction(node)
            case exp.Not():
                return _true_or_false(f"(NOT {self._condition(node.this)})")
            case exp.Neg():
                return Term(f"(-{self._double(node.this)})", "number", nan=True)
            case exp.Between():
                return self._between(node)
            case exp.In():
                return self._in(node)
            case exp.Like() | exp.ILike() | exp.RegexpLike():
                return self._pattern(node)
            case exp.Is():
                return self._is(node)
            case exp.Literal():
                return self._literal(node)
            case exp.Boolean():
                return _true_or_false("true" if node.this else "false")
            case exp.Null():
                return Term("NULL", "null")
            case exp.Column() | exp.Dot():
                return self._name(node)
            case exp.Anonymous():
                return self._call(node)
        self._refuse(node, f"{self._source(node)} is not taken here: it is no part of the language")

    def _only(self, node: exp.Expression, allowed: set[str] | None) -> None:
        # sqlglot hangs variants of a form (BETWEEN SYMMETRIC, IN of a subquery) on further arguments.
        allowed = allowed or _FORMS.get(type(node), _BINARY)
        extra = [name for name, value in node.args.items() if value and name not in allowed]
        if extra:
            self._refuse(node, f"{extra[0].upper()} is not taken here")

    # Conditions

    def _condition(self, node: exp.Expression) -> str:
        term = self._term(node)
        if term.kind == "hyperparameter":
            return f"(lower({term.sql}) = 'true')"
        if term.kind != "condition":
            hint = f"Compare it with something, as in `{self._source(node)} = ...`."
            self._refuse(node, f"a condition is expected, this is a {term.kind}", hint)
        return term.sql

    def _junction(self, node: exp.Expression) -> Term:
        # Chains are as long as people like: they are walked, not recursed into.
        word = " AND " if isinstance(node, exp.And) else " OR "
        parts = [self._condition(part) for part in node.flatten(unnest=False)]
        return _true_or_false(f"({word.join(parts)})")

    def _compare(self, node: exp.Expression, one: exp.Expression, other: exp.Expression) -> str:
        sign = _COMPARE[type(node)]
        left, right = self._term(one), self._term(other)
        if left.kind == right.kind == "hyperparameter":
            return (
                f"(CASE WHEN {left.number} IS NOT NULL AND {right.number} IS NOT NULL"
                f" THEN {_ordinary(left)} {sign} {_ordinary(right)}"
                f" ELSE {left.sql} {sign} {right.sql} END)"
            )
        a, b = self._pair(left, right, one, other)
        return f"({a} {sign} {b})"

    def _pair(
        self, left: Term, right: Term, one: exp.Expression, other: exp.Expression
    ) -> tuple[str, str]:
        """Both sides of a comparison in one type."""
        kinds = left.kind, right.kind
        if "null" in kinds:
            self._refuse(other, "nothing equals null", "Write `is null` or `is not null`.")
        if kinds[0] == kinds[1] and kinds[0] not in ("list", "hyperparameter"):
            return _ordinary(left), _ordinary(right)
        if kinds == ("time", "text"):
            return left.sql, self._time(right, other)
        if kinds == ("text", "time"):
            return self._time(left, one), right.sql
        if left.kind == "hyperparameter" and right.kind in ("number", "text", "condition"):
            return _as(left, right.kind), _as(right, right.kind, with_hparam=True)
        if right.kind == "hyperparameter" and left.kind in ("number", "text", "condition"):
            return _as(left, left.kind, with_hparam=True), _as(right, left.kind)
        message = (
            f"{self._source(one)} is a {left.kind} and {self._source(other)} is a {right.kind}:"
            " they cannot be compared"
        )
        self._refuse(other, message)

    def _between(self, node: exp.Expression) -> Term:
        low, high = node.args["low"], node.args["high"]
        above = self._compare(exp.GTE(), node.this, low)
        below = self._compare(exp.LTE(), node.this, high)
        return _true_or_false(f"({above} AND {below})")

    def _in(self, node: exp.Expression) -> Term:
        items = node.expressions
        if not items:
            hint = "Write the values in brackets: `in ('a', 'b')`."
            self._refuse(node, "a list of values is expected after `in`", hint)
        left = self._term(node.this)
        lists: dict[str, list[str]] = {}
        for item in items:
            a, b = self._pair(left, self._term(item), node.this, item)
            lists.setdefault(a, []).append(b)
        parts = [f"{a} IN ({', '.join(values)})" for a, values in lists.items()]
        return _true_or_false(f"({' OR '.join(parts)})")

    def _is(self, node: exp.Expression) -> Term:
        if not isinstance(node.expression, exp.Null):
            self._refuse(node.expression, "`null` is expected after `is`")
        return _true_or_false(f"({self._term(node.this).sql} IS NULL)")

    def _pattern(self, node: exp.Expression) -> Term:
        """LIKE too becomes a regular expression: RE2 takes linear time, whatever the pattern."""
        subject = self._text(node.this)
        pattern = self._term(node.expression).literal
        if pattern is None:
            self._refuse(node.expression, "a pattern in single quotes is expected")
        if isinstance(node, exp.RegexpLike):
            self._refuse_regex(pattern, node.expression)
            sql = f"regexp_matches({subject}, {self.scope.bind(pattern)})"
        else:
            flags = "(?s)" if isinstance(node, exp.Like) else "(?is)"
            sql = f"regexp_full_match({subject}, {self.scope.bind(flags + _like(pattern))})"
        return _true_or_false(f"(NOT {sql})" if node.args.get("negate") else sql)

    def _refuse_regex(self, pattern: str, node: exp.Expression) -> None:
        try:
            pc.match_substring_regex(pa.array(["x"]), pattern)  # RE2, as in DuckDB
        except pa.ArrowInvalid as error:
            what = str(error).partition("regular expression: ")[2] or str(error)
            self._refuse(node, f"this is no regular expression: {what}")

    # Values

    def _arithmetic(self, node: exp.Expression) -> Term:
        sign = _ARITHMETIC[type(node)]
        left, right = self._term(node.this), self._term(node.expression)
        kinds = left.kind, sign, right.kind
        if kinds in (("time", "-", "interval"), ("time", "+", "interval")):
            return Term(f"({left.sql} {sign} {right.sql})", "time")
        if kinds == ("time", "-", "time"):
            return Term(f"({left.sql} - {right.sql})", "interval")
        a, b = self._double(node.this, left), self._double(node.expression, right)
        return Term(f"({a} {sign} {b})", "number", nan=True)

    def _double(self, node: exp.Expression, term: Term | None = None) -> str:
        # DOUBLE throughout: integers would overflow, and end the search with an error.
        term = term or self._term(node)
        if term.kind not in ("number", "hyperparameter"):
            self._refuse(node, f"a number is expected, {self._source(node)} is a {term.kind}")
        return f"CAST({term.number or term.sql} AS DOUBLE)"

    def _text(self, node: exp.Expression) -> str:
        term = self._term(node)
        if term.kind not in ("text", "hyperparameter"):
            self._refuse(node, f"text is expected, {self._source(node)} is a {term.kind}")
        return term.sql

    def _time(self, term: Term, node: exp.Expression) -> str:
        if term.literal is None:
            self._refuse(node, f"a time is expected, {self._source(node)} is a text")
        try:
            moment = datetime.fromisoformat(term.literal.strip())
            if moment.tzinfo is not None:
                moment = moment.astimezone(UTC).replace(tzinfo=None)
        except (ValueError, OverflowError):
            hint = "Times look like '2025-01-31' or '2025-01-31 18:30', in UTC."
            self._refuse(node, f"{self._source(node)} is no time", hint)
        return self.scope.bind(moment)

    def _literal(self, node: exp.Expression) -> Term:
        text = str(node.this)
        if node.is_string:
            return Term(self.scope.bind(text), "text", literal=text)
        try:
            whole = int(text) if text.isdigit() and len(text) < 19 else None
            return Term(self.scope.bind(float(text) if whole is None else whole), "number")
        except ValueError:
            self._refuse(node, f"{text} is no number")

    # Names and calls

    def _name(self, node: exp.Expression) -> Term:
        if not all(isinstance(part, exp.Identifier) for part in node.parts):
            self._refuse(node, f"{self._source(node)} is no field")
        first, *rest = (part.name for part in node.parts)
        if first.lower() == "hp" and rest:
            return self._hparam(".".join(rest), node)
        name = first.lower()
        if not rest and name in FIELDS:
            self.scope.fields.add(name)
            return Term("l.locations" if name == "locations" else f"r.{name}", FIELDS[name])
        if not rest and first in self.scope.names:
            return self.scope.names[first]
        self._refuse(node, f"{self._source(node)} is no field", self._hint(node, name))

    def _hint(self, node: exp.Expression, name: str) -> str:
        if name in STATS:
            return f'A metric is written {name}("tag").'
        if name in self.scope.known_hparams:
            return f"A hyperparameter is written hp.{name}."
        if name in self.scope.known_tags:
            return f'A metric is written last("{name}").'
        if node.find(exp.Identifier).quoted:  # type: ignore[union-attr]
            return "Text values stand in single quotes, double quotes are for names and tags."
        return _nearest(name, [*self.scope.names, *FIELDS, *FUNCTIONS])

    def _hparam(self, name: str, node: exp.Expression) -> Term:
        known = self.scope.known_hparams
        if known and name not in known:
            self._refuse(node, f"no run has the hyperparameter {name}", _nearest(name, known, "hp."))
        number = self.scope.hparams.setdefault(name, len(self.scope.hparams))
        return Term(f"hp.h{number}", "hyperparameter", number=f"hp.n{number}", nan=True)

    def _call(self, node: exp.Expression) -> Term:
        name, arguments = str(node.this).lower(), node.expressions
        if name in STATS:
            return self._metric(name, node)
        if name == "coalesce" and arguments:
            return self._coalesce(arguments)
        if name == "round" and len(arguments) == 2:
            return self._round(arguments)
        if name == "now" and not arguments:
            return Term(self.scope.bind(self.scope.now), "time")
        if name not in {*FUNCTIONS, "interval", "timestamp", "date"}:
            hint = _nearest(name, FUNCTIONS)
            self._refuse(node, f"there is no function {name[:40]}", hint)
        if len(arguments) != (name != "now"):
            many = "no value" if name == "now" else "one value"
            self._refuse(node, f"{name} takes {many}, not {len(arguments)}")
        return self._call_of_one(name, arguments[0])

    def _call_of_one(self, name: str, argument: exp.Expression) -> Term:
        if name in _OF_NUMBER:
            template, kind = _OF_NUMBER[name]
            return Term(template.format(self._double(argument)), kind, nan=kind == "number")
        if name in _OF_TEXT:
            return Term(_OF_TEXT[name].format(self._text(argument)), "text")
        if name == "interval":
            return self._interval(argument)
        if name == "tag":
            return self._tag(argument)
        return Term(self._time(self._term(argument), argument), "time")

    def _metric(self, stat: str, node: exp.Expression) -> Term:
        names = [self._series_name(argument) for argument in node.expressions]
        if len(names) not in (1, 2) or None in names:
            hint = 'Tag and stream stand in quotes, as in last("loss") or last("loss", "eval").'
            self._refuse(node, f"{stat} takes a tag and perhaps a stream", hint)
        tag, stream = str(names[0]), names[1] if len(names) == 2 else None
        known = self.scope.known_tags
        if known and tag not in known:
            self._refuse(node.expressions[0], f"no run has the tag {tag}", _nearest(tag, known))
        metric = (stat, tag, stream)
        number = self.scope.metrics.setdefault(metric, len(self.scope.metrics))
        return Term(f"m.m{number}", "number", nan=True)

    def _series_name(self, node: exp.Expression) -> str | None:
        if isinstance(node, exp.Literal) and node.is_string:
            return str(node.this)
        quoted = isinstance(node, exp.Column) and len(node.parts) == 1 and node.this.args["quoted"]
        return str(node.name) if quoted else None

    def _tag(self, argument: exp.Expression) -> Term:
        if not self.scope.tags:
            message = "tags are kept by the web service in its state database, not in the lake"
            self._refuse(argument, message, "Search by tag on the pages or in the HTTP API.")
        name = self._series_name(argument)
        if name is None:
            self._refuse(argument, "tag takes a name in quotes")
        relation = exp.to_identifier(self.scope.tags, quoted=True).sql("duckdb")
        found = f"SELECT run_id FROM {relation} WHERE tag = {self.scope.bind(name)}"
        return _true_or_false(f"(r.run_id IN ({found} AND run_id IS NOT NULL))")

    def _interval(self, argument: exp.Expression) -> Term:
        match = _INTERVAL.fullmatch(self._term(argument).literal or "")
        if not match or int(match[1]) * _SECONDS[match[2].lower()] > _MAX_INTERVAL_S:
            hint = "Intervals look like '3 days', '12 hours' or '1 month', up to 100 years."
            self._refuse(argument, f"{self._source(argument)} is no interval", hint)
        value = self.scope.bind(f"{match[1]} {match[2].lower()}")
        return Term(f"CAST({value} AS INTERVAL)", "interval")

    def _round(self, arguments: list[exp.Expression]) -> Term:
        digits = str(arguments[1].this) if isinstance(arguments[1], exp.Literal) else ""
        if not re.fullmatch(r"\d|1[0-5]", digits, re.ASCII) or arguments[1].is_string:
            self._refuse(arguments[1], "a number of digits from 0 to 15 is expected")
        return Term(f"round({self._double(arguments[0])}, {int(digits)})", "number", nan=True)

    def _coalesce(self, arguments: list[exp.Expression]) -> Term:
        terms = [self._term(argument) for argument in arguments]
        kinds = {term.kind for term in terms} - {"hyperparameter"}
        if len(kinds) > 1 or kinds & {"list", "null"}:
            self._refuse(arguments[-1], "the values of coalesce are of different types")
        kind: Kind = kinds.pop() if kinds else "text"
        if kind not in ("number", "text") and any(t.kind == "hyperparameter" for t in terms):
            self._refuse(arguments[0], f"a hyperparameter is no {kind}")
        values = ", ".join(term.number if kind == "number" and term.number else term.sql
                           for term in terms)  # fmt: skip
        return Term(f"coalesce({values})", kind, nan=True)

    # Refusals

    def _source(self, node: exp.Expression) -> str:
        start, end = grammar.span(node)
        return self.text[start : end + 1][:40]

    def _refuse(self, node: exp.Expression, message: str, hint: str = "") -> NoReturn:
        raise FilterError(message, text=self.text, position=grammar.span(node)[0], hint=hint)


_FORMS: dict[type, set[str]] = {
    exp.Between: {"this", "low", "high"},
    exp.In: {"this", "expressions"},
    exp.Like: {*_BINARY, "negate"},
    exp.ILike: {*_BINARY, "negate"},
    exp.RegexpLike: {*_BINARY, "negate"},
    exp.Literal: {"this", "is_string"},
    exp.Column: {"this", "table", "db", "catalog"},
    exp.Anonymous: {"this", "expressions"},
}


def _true_or_false(sql: str) -> Term:
    return Term(sql, "condition")


def _ordinary(term: Term) -> str:
    """A value for comparisons: NaN is like NULL there, neither smaller nor greater than anything."""
    sql = term.number or term.sql
    return f"nullif({sql}, 'NaN'::DOUBLE)" if term.nan and term.kind != "text" else sql


def _as(term: Term, kind: Kind, *, with_hparam: bool = False) -> str:
    """One side of a comparison between a hyperparameter and a value of *kind*."""
    if kind == "number":
        return _ordinary(term)
    if kind == "condition":
        return f"CAST({term.sql} AS VARCHAR)" if with_hparam else f"lower({term.sql})"
    return term.sql


def _like(pattern: str) -> str:
    signs = {"%": ".*", "_": "."}
    return "".join(signs.get(character) or re.escape(character) for character in pattern)


def _nearest(name: str, known: Iterable[str], prefix: str = "") -> str:
    found = difflib.get_close_matches(name[:200], list(known)[:20_000], n=1, cutoff=0.5)
    return f"Did you mean {prefix}{found[0]}?" if found else ""

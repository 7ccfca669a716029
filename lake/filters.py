"""The filter language: checked expressions over runs, hyperparameters and metrics, written as SQL.

The tree of an expression is walked against the few forms listed here and written anew. Names become
columns we chose and every literal becomes a bound parameter: no character of the text reaches SQL.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import NoReturn, TypeVar, cast

from sqlglot import exp

from ..core.errors import FilterError, UsageError
from . import fields, grammar, words
from .fields import Kind, Scope, Term, holds

Node = exp.Expression
Result = TypeVar("Result")
_COMPARE: dict[type, str] = {
    exp.EQ: "=", exp.NEQ: "<>", exp.LT: "<", exp.LTE: "<=", exp.GT: ">", exp.GTE: ">=",
}  # fmt: skip
_ARITHMETIC: dict[type, str] = {
    exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.Div: "/", exp.Mod: "%",
}  # fmt: skip
_A: dict[Kind, str] = {
    "number": "a number", "text": "text", "time": "a time", "interval": "an interval",
    "condition": "a condition", "hyperparameter": "a hyperparameter", "null": "null", "list": "a list",
}  # fmt: skip
_BINARY = {"this", "expression"}
_FORMS: dict[type, set[str]] = {
    # sqlglot notes on a division how its dialect divides; ours divides DOUBLEs.
    exp.Div: {*_BINARY, "typed", "safe"},
    exp.Between: {"this", "low", "high"},
    exp.In: {"this", "expressions"},
    exp.Like: {*_BINARY, "negate"},
    exp.ILike: {*_BINARY, "negate"},
    exp.RegexpLike: {*_BINARY, "negate"},
    exp.Literal: {"this", "is_string"},
    exp.Column: {"this", "table", "db", "catalog"},
    exp.Anonymous: {"this", "expressions"},
}


def condition(text: str, scope: Scope) -> str:
    """A filter, or words to search for, as a boolean SQL expression.

    Raises FilterError with the position of what cannot be taken.
    """
    if not text.strip():
        return "true"
    grammar.check(text)
    searched = words.split(text)
    return _Writer(text, scope).condition() if searched is None else words.search(searched, scope)


def expression(text: str, scope: Scope) -> Term:
    """A column, sort or group expression as a term; raises FilterError."""
    return _Writer(text, scope).expression()


class _Writer:
    """Writes the SQL of one expression."""

    def __init__(self, text: str, scope: Scope):
        self.text = text
        self.scope = scope
        self.tree = grammar.parse(text, grammar.tokenize(text))

    def condition(self) -> str:
        return self._bounded(self._condition)

    def expression(self) -> Term:
        term = self._bounded(self._term)
        if term.kind == "null":
            self._refuse(self.tree, "null alone is no column")
        return term

    def _bounded(self, form: Callable[[Node], Result]) -> Result:
        try:
            return form(self.tree)
        except RecursionError:
            self._refuse(self.tree, "nested too deep")

    def _term(self, node: Node) -> Term:
        self._only(node)
        if type(node) in _COMPARE:
            return holds(self._compare(node, node.this, node.expression))
        if type(node) in _ARITHMETIC:
            return self._arithmetic(node)
        match node:
            case exp.Paren():
                return self._term(node.this)
            case exp.And() | exp.Or():
                return self._junction(node)
            case exp.Not():
                return holds(f"(NOT {self._condition(node.this)})")
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
                return holds("true" if node.this else "false")
            case exp.Null():
                return Term("NULL", "null")
            case exp.Column() | exp.Dot():
                return self._name(node)
            case exp.Anonymous():
                return self._call(node)
        self._refuse(node, f"{self._source(node)} is not taken here: it is no part of the language")

    def _only(self, node: Node) -> None:
        # Variants of a form (BETWEEN SYMMETRIC, IN of a subquery) hang on further arguments.
        allowed = _FORMS.get(type(node), _BINARY)
        extra = [name for name, value in node.args.items() if value and name not in allowed]
        if extra:
            self._refuse(node, f"{extra[0].upper()} is not taken here")

    # Conditions

    def _condition(self, node: Node) -> str:
        term = self._term(node)
        if term.kind == "hyperparameter":
            return f"(lower({term.sql}) = 'true')"
        if term.kind != "condition":
            hint = f"Compare it with something, as in `{self._source(node)} = ...`."
            self._refuse(node, f"a condition is expected, this is {_A[term.kind]}", hint)
        return term.sql

    def _junction(self, node: Node) -> Term:
        # Chains are as long as people like: they are walked, not recursed into.
        word = " AND " if isinstance(node, exp.And) else " OR "
        conditions = cast(Iterable[Node], node.flatten(unnest=False))
        parts = [self._condition(part) for part in conditions]
        return holds(f"({word.join(parts)})")

    def _compare(self, node: Node, one: Node, other: Node) -> str:
        sign = _COMPARE[type(node)]
        left, right = self._term(one), self._term(other)
        if left.kind == right.kind == "hyperparameter":
            return (
                f"(CASE WHEN {left.number} IS NOT NULL AND {right.number} IS NOT NULL"
                f" THEN {left.comparable} {sign} {right.comparable}"
                f" ELSE {left.sql} {sign} {right.sql} END)"
            )
        a, b = self._pair(left, right, one, other)
        return f"({a} {sign} {b})"

    def _pair(self, left: Term, right: Term, one: Node, other: Node) -> tuple[str, str]:
        """Both sides of a comparison in one type."""
        kinds = left.kind, right.kind
        if "null" in kinds:
            self._refuse(other, "nothing equals null", "Write `is null` or `is not null`.")
        if kinds[0] == kinds[1] and kinds[0] not in ("list", "hyperparameter"):
            return left.comparable, right.comparable
        if kinds == ("time", "text"):
            return left.sql, self._time(right, other)
        if kinds == ("text", "time"):
            return self._time(left, one), right.sql
        if left.kind == "hyperparameter" and right.kind in ("number", "text", "condition"):
            return left.like(right.kind), right.beside_hparam
        if right.kind == "hyperparameter" and left.kind in ("number", "text", "condition"):
            return left.beside_hparam, right.like(left.kind)
        sides = (
            f"{self._source(one)} is {_A[left.kind]} and {self._source(other)} is {_A[right.kind]}"
        )
        hint = "A tag is looked for with tag('name')." if "list" in kinds else ""
        self._refuse(other, f"{sides}: they cannot be compared", hint)

    def _between(self, node: Node) -> Term:
        subject, low, high = node.this, node.args["low"], node.args["high"]
        left = self._term(subject)
        a, above = self._pair(left, self._term(low), subject, low)
        b, below = self._pair(left, self._term(high), subject, high)
        if a == b:
            return holds(f"({a} BETWEEN {above} AND {below})")
        # Only fields and literals have two forms: what is written twice here stays short.
        return holds(f"({a} >= {above} AND {b} <= {below})")

    def _in(self, node: Node) -> Term:
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
        return holds(f"({' OR '.join(parts)})")

    def _is(self, node: Node) -> Term:
        if not isinstance(node.expression, exp.Null):
            self._refuse(node.expression, "`null` is expected after `is`")
        return holds(f"({self._term(node.this).sql} IS NULL)")

    def _pattern(self, node: Node) -> Term:
        """LIKE too becomes a regular expression: RE2 takes linear time, whatever the pattern."""
        subject = self._text(node.this)
        pattern = self._term(node.expression).literal
        if pattern is None:
            self._refuse(node.expression, "a pattern in single quotes is expected")
        if isinstance(node, exp.RegexpLike):
            sql = f"regexp_matches({subject}, {self.scope.bind(self._regex(pattern, node))})"
        else:
            regex = fields.like(pattern, any_case=isinstance(node, exp.ILike))
            sql = f"regexp_full_match({subject}, {self.scope.bind(regex)})"
        return holds(f"(NOT {sql})" if node.args.get("negate") else sql)

    def _regex(self, pattern: str, node: exp.RegexpLike) -> str:
        try:
            return fields.regex(pattern)
        except ValueError as error:
            self._refuse(node.expression, f"this is no regular expression: {error}")

    # Values

    def _arithmetic(self, node: Node) -> Term:
        sign = _ARITHMETIC[type(node)]
        left, right = self._term(node.this), self._term(node.expression)
        kinds = left.kind, sign, right.kind
        if kinds in (("time", "-", "interval"), ("time", "+", "interval")):
            return Term(f"({left.sql} {sign} {right.sql})", "time")
        if kinds == ("time", "-", "time"):
            return Term(f"({left.sql} - {right.sql})", "interval")
        a, b = self._double(node.this, left), self._double(node.expression, right)
        return Term(f"({a} {sign} {b})", "number", nan=True)

    def _double(self, node: Node, term: Term | None = None) -> str:
        # DOUBLE throughout: integers would overflow, and end the search with an error.
        term = term or self._term(node)
        if term.kind not in ("number", "hyperparameter"):
            self._refuse(node, f"a number is expected, {self._source(node)} is {_A[term.kind]}")
        return f"CAST({term.number or term.sql} AS DOUBLE)"

    def _text(self, node: Node) -> str:
        term = self._term(node)
        if term.kind not in ("text", "hyperparameter"):
            self._refuse(node, f"text is expected, {self._source(node)} is {_A[term.kind]}")
        return term.sql

    def _time(self, term: Term, node: Node) -> str:
        if term.literal is None:
            self._refuse(node, f"a time is expected, {self._source(node)} is text")
        try:
            return self.scope.bind(fields.moment(term.literal))
        except ValueError as error:
            hint = "Times look like '2025-01-31' or '2025-01-31 18:30', in UTC."
            self._refuse(node, f"{self._source(node)} is no time: {error}", hint)

    def _literal(self, node: Node) -> Term:
        text = str(node.this)
        if node.is_string:
            return Term(self.scope.bind(text), "text", literal=text)
        try:
            whole = int(text) if text.isdigit() and len(text) < 19 else None
            return Term(self.scope.bind(float(text) if whole is None else whole), "number")
        except ValueError:
            self._refuse(node, f"{text} is no number")

    # Names and calls

    def _name(self, node: exp.Column | exp.Dot) -> Term:
        if not all(isinstance(part, exp.Identifier) for part in node.parts):
            self._refuse(node, f"{self._source(node)} is no field", self._hint(node, "hp"))
        first, *rest = (part.name for part in node.parts)
        if first.lower() == "hp" and rest:
            return self._hparam(".".join(rest), node)
        name = first.lower()
        if not rest and name in fields.FIELDS:
            return Term(
                fields.LOCATIONS if name == "locations" else f"r.{name}", fields.FIELDS[name]
            )
        if not rest and name in fields.FAULTS:
            number = self.scope.faults.setdefault(name, len(self.scope.faults))
            return Term(f"q.q{number}", fields.FAULTS[name])
        if not rest and name in fields.NOTES and self.scope.notes:
            return Term(*fields.NOTES[name])
        if not rest and first in self.scope.names:
            return self.scope.names[first]
        self._refuse(node, f"{self._source(node)} is no field", self._hint(node, name))

    def _hint(self, node: Node, name: str) -> str:
        if name == "hp":
            return 'A hyperparameter is written hp.name, or hp."name" with other signs in it.'
        if name in fields.NOTES and not self.scope.notes:
            return f"What people write, such as {name}, the web service has: ask its pages or API."
        if name in fields.STATS:
            return f'A metric is written {name}("tag").'
        if name in self.scope.known_hparams:
            return f"A hyperparameter is written hp.{name}."
        if name in self.scope.known_tags:
            return f'A metric is written last("{name}").'
        if self._source(node).startswith('"'):
            return "Text stands in single quotes; double quotes are for names and metrics' tags."
        notes = fields.NOTES if self.scope.notes else ()
        known = [
            *self.scope.names, *fields.FIELDS, *fields.FAULTS, *notes, *fields.FUNCTIONS,
        ]  # fmt: skip
        hint = fields.nearest(name, known)
        return hint or "Text stands in single quotes; words to search for stand without operators."

    def _hparam(self, name: str, node: Node) -> Term:
        known = self.scope.known_hparams
        if known and name not in known:
            hint = fields.nearest(name, known, "hp.")
            self._refuse(node, f"no run has the hyperparameter {name}", hint)
        number = self.scope.hparams.setdefault(name, len(self.scope.hparams))
        return Term(f"hp.h{number}", "hyperparameter", number=f"hp.n{number}", nan=True)

    def _call(self, node: Node) -> Term:
        name, arguments = str(node.this).lower(), node.expressions
        if name in fields.STATS:
            return self._metric(name, node)
        if name == "coalesce" and arguments:
            return self._coalesce(arguments)
        if name == "round" and len(arguments) == 2:
            return self._round(arguments)
        if name == "now" and not arguments:
            return Term(self.scope.bind(self.scope.now), "time")
        if name not in {*fields.FUNCTIONS, "interval", "timestamp", "date"}:
            message = f"there is no function {name[:40]}"
            self._refuse(node, message, fields.nearest(name, fields.FUNCTIONS))
        if len(arguments) != (name != "now"):
            many = "no value" if name == "now" else "one value"
            self._refuse(node, f"{name} takes {many}, not {len(arguments)}")
        return self._call_of_one(name, arguments[0])

    def _call_of_one(self, name: str, argument: Node) -> Term:
        if name in fields.OF_NUMBER:
            template, kind = fields.OF_NUMBER[name]
            return Term(template.format(self._double(argument)), kind, nan=kind == "number")
        if name in fields.OF_TEXT:
            return Term(fields.OF_TEXT[name].format(self._text(argument)), "text")
        if name == "interval":
            return self._interval(argument)
        if name == "tag":
            return self._tag(argument)
        if name == "search":
            return self._search(argument)
        if name == "selected":
            return self._selected(argument)
        return Term(self._time(self._term(argument), argument), "time")

    def _metric(self, stat: str, node: Node) -> Term:
        names = [self._series_name(argument) for argument in node.expressions]
        if len(names) not in (1, 2) or None in names:
            hint = 'Tag and stream stand in quotes, as in last("loss") or last("loss", "eval").'
            self._refuse(node, f"{stat} takes a tag and perhaps a stream", hint)
        tag, stream = str(names[0]), names[1] if len(names) == 2 else None
        known = self.scope.known_tags
        if known and tag not in known:
            hint = fields.nearest(tag, known)
            self._refuse(node.expressions[0], f"no run has the tag {tag}", hint)
        metric = (stat, tag, stream)
        number = self.scope.metrics.setdefault(metric, len(self.scope.metrics))
        return Term(f"m.m{number}", "number", nan=True)

    def _series_name(self, node: Node) -> str | None:
        if isinstance(node, exp.Literal) and node.is_string:
            return str(node.this)
        quoted = isinstance(node, exp.Column) and len(node.parts) == 1 and node.this.args["quoted"]
        return str(node.name) if quoted else None

    def _tag(self, argument: Node) -> Term:
        if not self.scope.tags:
            message = "tags are kept by the web service in its state database, not in the lake"
            self._refuse(argument, message, "Search by tag on the pages or in the HTTP API.")
        name = self._series_name(argument)
        if name is None:
            self._refuse(argument, "tag takes a name in quotes")
        found = self.scope.tagged(f"tag = {self.scope.bind(name)}")
        return holds(f"(r.run_id IN ({found}))")

    def _search(self, argument: Node) -> Term:
        found = words.split(self._series_name(argument) or "")
        if found is None:
            hint = "Write the words in single quotes: `search('resnet adam')`."
            self._refuse(argument, "search takes words in quotes", hint)
        return holds(words.search(found, self.scope))

    def _selected(self, argument: Node) -> Term:
        if self.scope.selected is None:
            message = "selections are kept by the web service in its state database"
            self._refuse(argument, message, "Use them on the pages or in the HTTP API.")
        name = self._series_name(argument)
        if name is None:
            self._refuse(argument, "selected takes the id of a selection in quotes")
        try:
            keys = self.scope.bind(list(self.scope.selected(name)))
        except UsageError as error:
            self._refuse(argument, error.message, error.hint)
        return holds(f"(r.run_key IN (SELECT unnest({keys}::VARCHAR[])))")

    def _interval(self, argument: Node) -> Term:
        try:
            value = self.scope.bind(fields.interval(self._term(argument).literal or ""))
        except ValueError as error:
            self._refuse(argument, f"{self._source(argument)} is no interval: {error}")
        return Term(f"CAST({value} AS INTERVAL)", "interval")

    def _round(self, arguments: list[Node]) -> Term:
        digits = str(arguments[1].this) if isinstance(arguments[1], exp.Literal) else ""
        if not re.fullmatch(r"\d|1[0-5]", digits, re.ASCII) or arguments[1].is_string:
            self._refuse(arguments[1], "a number of digits from 0 to 15 is expected")
        return Term(f"round({self._double(arguments[0])}, {int(digits)})", "number", nan=True)

    def _coalesce(self, arguments: list[Node]) -> Term:
        terms = [self._term(argument) for argument in arguments]
        kinds = {term.kind for term in terms} - {"hyperparameter"}
        if len(kinds) > 1 or kinds & {"list", "null"}:
            self._refuse(arguments[-1], "the values of coalesce are of different types")
        kind: Kind = kinds.pop() if kinds else "text"
        if kind not in ("number", "text") and any(t.kind == "hyperparameter" for t in terms):
            self._refuse(arguments[0], f"a hyperparameter is not {_A[kind]}")
        values = [t.number if kind == "number" and t.number else t.sql for t in terms]
        return Term(f"coalesce({', '.join(values)})", kind, nan=kind == "number")

    # Refusals

    def _source(self, node: Node) -> str:
        start, end = grammar.span(node)
        return self.text[start : end + 1][:40]

    def _refuse(self, node: Node, message: str, hint: str = "") -> NoReturn:
        raise FilterError(message, text=self.text, position=grammar.span(node)[0], hint=hint)

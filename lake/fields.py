"""The words of the filter language: fields, functions, and what a statement needs of them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc
from sqlglot import exp

Kind = Literal["number", "text", "time", "interval", "condition", "hyperparameter", "null", "list"]
Metric = tuple[str, str, str | None]

FIELDS: dict[str, Kind] = {
    **dict.fromkeys(("run_key", "source", "machine", "project", "name", "path", "state"), "text"),
    **dict.fromkeys(
        ("host", "writer", "git_commit", "command", "group_name", "end_reason"), "text"
    ),
    **dict.fromkeys(("job_id", "job_name", "job_user", "job_state", "job_nodes"), "text"),
    **dict.fromkeys(("created_at", "last_event_at", "discovered_at"), "time"),
    **dict.fromkeys(("run_id", "duration_s", "attempts", "points", "last_step"), "number"),
    **dict.fromkeys(("files", "size", "duplicate_of"), "number"),
    "locations": "list",
}
# What may be wrong with a run: relations by run of lake/faults.py, joined as `q`.
FAULTS: dict[str, Kind] = dict.fromkeys(
    ("nan_tags", "stopped_tags", "hparams", "problems", "clock_skew_s"), "number"
)
# What people write about runs, from the relation of `Scope.notes`, joined as `w`.
NOTES: dict[str, tuple[str, Kind]] = {
    "label": ("coalesce(nullif(w.name, ''), r.name)", "text"),
    "notes": ("nullif(w.notes, '')", "text"),
    "tags": ("coalesce(w.tags, [])", "list"),
    "colour": ("nullif(w.colour, '')", "text"),
    "archived": ("coalesce(w.archived, false)", "condition"),
}
# The run itself first, which for a hidden copy is the one it is a copy of.
LOCATIONS = (
    "list_prepend(coalesce(o.source, r.source) || ':' || coalesce(o.path, r.path),"
    " coalesce(l.copies, []))"
)
STATS = (
    "last", "first", "min", "max", "mean", "std", "count", "step_min", "step_max", "step_last",
    "first_nan", "first_inf", "nan_count", "inf_count", "attempts", "superseded",
)  # fmt: skip
# The logarithm of zero or less is missing rather than an error that ends the search. A lambda names
# its value once: NULLIF and CASE would write it twice, and twice again for each one within.
_LOG = "list_transform([{{0}}], lambda v: CASE WHEN v > 0 THEN {}(v) END)[1]"
OF_NUMBER: dict[str, tuple[str, Kind]] = {
    "abs": ("abs({0})", "number"),
    "round": ("round({0})", "number"),
    "exp": ("exp({0})", "number"),
    "ln": (_LOG.format("ln"), "number"),
    "log10": (_LOG.format("log10"), "number"),
    "isnan": ("isnan({0})", "condition"),
    "isinf": ("isinf({0})", "condition"),
}
OF_TEXT = {"lower": "lower({0})", "upper": "upper({0})"}
FUNCTIONS = (*STATS, "now", "tag", "search", "selected", "coalesce", *OF_NUMBER, *OF_TEXT)

_INTERVAL = re.compile(r"\s*(\d{1,6}) *(second|minute|hour|day|week|month|year)s?\s*", re.I | re.A)
_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800}
_SECONDS |= {"month": 2678400, "year": 31622400}
# As many as an expression can hold, added up, stay within a TIMESTAMP.
_MAX_INTERVAL_S = 100 * 31622400


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

    @property
    def comparable(self) -> str:
        """The value in a comparison, where NaN is like NULL: neither smaller nor greater."""
        sql = self.number or self.sql
        return f"nullif({sql}, 'NaN'::DOUBLE)" if self.nan else sql

    @property
    def beside_hparam(self) -> str:
        """The value in a comparison with a hyperparameter."""
        return f"CAST({self.sql} AS VARCHAR)" if self.kind == "condition" else self.comparable

    def like(self, kind: Kind) -> str:
        """This hyperparameter in a comparison with a value of *kind*."""
        if kind == "condition":
            return f"lower({self.sql})"
        return self.comparable if kind == "number" else self.sql


@dataclass
class Scope:
    """What the expressions of one statement share, and what they turned out to need.

    *tags* names a relation (run_id, tag) that holds the users' tags, *notes* one (run_id, name,
    notes, colour, archived, tags) of all that they wrote, *selected* gives the run_keys of a
    selection that they kept. Where *known_hparams* or
    *known_tags* are given, other names are refused. *names* are aliases that expressions may use.
    *hparams* numbers the columns `hp.h0` (text) and `hp.n0` (number), *metrics* the columns `m.m0`.
    A metric is (stat, tag, stream); without a stream it is the first that has the tag, '' foremost.
    *faults* numbers the columns `q.q0` of what may be wrong with a run.
    """

    tags: str | None = None
    notes: str | None = None
    selected: Callable[[str], Sequence[str]] | None = None
    known_hparams: tuple[str, ...] = ()
    known_tags: tuple[str, ...] = ()
    now: datetime = field(default_factory=lambda: datetime.now(UTC).replace(tzinfo=None))
    names: dict[str, Term] = field(default_factory=dict)
    params: dict[str, object] = field(default_factory=dict)
    hparams: dict[str, int] = field(default_factory=dict)
    metrics: dict[Metric, int] = field(default_factory=dict)
    faults: dict[str, int] = field(default_factory=dict)

    def bind(self, value: object) -> str:
        """The placeholder of a new parameter that holds *value*."""
        name = f"p{len(self.params)}"
        self.params[name] = value
        return f"${name}"

    def tagged(self, test: str) -> str:
        """A subquery of the runs with a user's tag for which *test* holds."""
        return f"SELECT run_id FROM {quoted(self.tags)} WHERE run_id IS NOT NULL AND {test}"

    def noted(self, test: str) -> str:
        """A subquery of the runs about which someone wrote something for which *test* holds."""
        return f"SELECT run_id FROM {quoted(self.notes)} WHERE run_id IS NOT NULL AND {test}"


def quoted(relation: str | None) -> str:
    """The name of a relation in SQL."""
    return str(exp.Identifier(this=relation, quoted=True).sql("duckdb"))


def holds(sql: str) -> Term:
    """A condition as a term."""
    return Term(sql, "condition")


def nearest(name: str, known: Iterable[str], prefix: str = "") -> str:
    """A question that offers the known name most like *name*, or nothing."""
    found = difflib.get_close_matches(name[:100], list(known)[:20_000], n=1, cutoff=0.6)
    return f"Did you mean {prefix}{found[0]}?" if found else ""


def hparam_expression(name: str) -> str:
    """How the language writes a hyperparameter."""
    simple = all(part.isidentifier() for part in name.split("."))
    escaped = name.replace('"', '""')
    return f"hp.{name}" if simple else f'hp."{escaped}"'


def moment(text: str) -> datetime:
    """A time in UTC, without a zone, from its ISO 8601 form; raises ValueError."""
    try:
        found = datetime.fromisoformat(text.strip())
        return found.astimezone(UTC).replace(tzinfo=None) if found.tzinfo else found
    except OverflowError as error:
        raise ValueError(str(error)) from None


def interval(text: str) -> str:
    """An interval such as `3 days` in the one form that DuckDB is given; raises ValueError."""
    match = _INTERVAL.fullmatch(text)
    if not match:
        raise ValueError("'3 days', '12 hours' or '1 month' would be")
    if int(match[1]) * _SECONDS[match[2].lower()] > _MAX_INTERVAL_S:
        raise ValueError("at most 100 years are taken")
    return f"{match[1]} {match[2].lower()}"


def regex(pattern: str) -> str:
    """*pattern* if it is a regular expression of RE2, DuckDB's engine; raises ValueError."""
    try:
        pc.match_substring_regex(pa.array([""]), pattern)
    except pa.ArrowInvalid as error:
        raise ValueError(str(error).partition("regular expression: ")[2] or str(error)) from None
    return pattern


def like(pattern: str, *, any_case: bool) -> str:
    """The regular expression for a LIKE pattern: RE2 takes linear time, whatever the pattern."""
    signs = {"%": ".*", "_": "."}
    parts = (signs.get(character) or re.escape(character) for character in pattern)
    return ("(?is)" if any_case else "(?s)") + "".join(parts)

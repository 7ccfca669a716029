"""Searching runs: filter, columns, sort and groups as one SQL statement that never reads points."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from ..core.errors import FilterError, UsageError
from . import filters, grammar, statistics
from .fields import FAULTS, FIELDS, NOTES, Scope, Term, nearest, quoted
from .kept_columns import KeptColumns, of_faults, of_hparams, of_metrics

DEFAULT_COLUMNS = (
    "source", "machine", "project", "name", "path", "state", "created_at", "last_event_at",
    "duration_s", "points", "last_step", "run_key",
)  # fmt: skip
DEFAULT_SORT = ("-last_event_at",)
MAX_COLUMNS = 1_000
MAX_KEYS = 16
MAX_CHARS = 100_000


@dataclass(frozen=True)
class Query:
    """What to search for; every expression is in the filter language.

    *columns* None are the default ones; a column may end in `as name`. A sort key descends with `-`
    before or `desc` behind it; missing values and NaN come last either way. With *group_by* there
    is one row for each group, with *quartiles* also q1, median, q3 and n of each number. Runs that
    are copies of another are left out unless *duplicates*, and those that a user put away unless
    *archived*. *members* leaves only the runs of one group: a value for each group key, as the row
    of the group has it.
    """

    filter: str = ""
    columns: tuple[str, ...] | None = None
    sort: tuple[str, ...] = ()
    group_by: tuple[str, ...] = ()
    limit: int | None = None
    offset: int = 0
    quartiles: bool = False
    duplicates: bool = False
    archived: bool = False
    members: tuple[tuple[str, object], ...] = ()


@dataclass(frozen=True)
class Names:
    """What the caller knows: a relation (run_id, tag) of users' tags, and names that exist.

    *archived* is a relation (run_id) of runs that are left out unless the query has `archived`;
    *notes* is one (run_id, name, notes, colour, archived, tags) of what people wrote about runs.
    *selected* gives the run_keys of a selection by its id. *kept* has columns in memory.
    """

    tags: str | None = None
    archived: str | None = None
    notes: str | None = None
    selected: Callable[[str], Sequence[str]] | None = None
    hparams: tuple[str, ...] = ()
    series: tuple[str, ...] = ()
    kept: KeptColumns | None = None


@dataclass(frozen=True)
class Column:
    """An expression and what its column is called."""

    title: str
    term: Term


@dataclass(frozen=True)
class Output:
    """A column of the result; *number* is a hyperparameter's number beside the text in *sql*."""

    title: str
    sql: str
    number: str = ""


def search(con: duckdb.DuckDBPyConnection, query: Query, names: Names | None = None) -> pa.Table:
    """The runs, or groups of runs, that *query* asks for; *con* has the lake in use.

    A hyperparameter is a column of numbers where all its shown values are, else of text.
    Raises FilterError or UsageError.
    """
    statement = Statement(query, names or Names())
    sql, params = statement.rows()
    return titled(execute(con, sql, params, query), statement.outputs)


def page(
    con: duckdb.DuckDBPyConnection, query: Query, names: Names | None = None
) -> tuple[pa.Table, int]:
    """What `search` gives, and what `count` does; of a page that is the last one nothing is counted."""
    table = search(con, query, names)
    rows, whole = table.num_rows, query.limit is None or table.num_rows < query.limit
    # Counted by a window, `count(*) OVER ()`, it now and then ends the whole database in DuckDB 1.5.
    total = (
        query.offset + rows if whole and (rows or not query.offset) else count(con, query, names)
    )
    return table, total


def titled(table: pa.Table, outputs: list[Output]) -> pa.Table:
    """The answer to a statement that begins with `selected` of *outputs*, under their titles."""
    columns = []
    for index, output in enumerate(outputs):
        column = table.column(f"c{index}")
        if output.number:
            number = table.column(f"n{index}")
            column = number if number.null_count == column.null_count else column
        columns.append(column)
    return pa.table(columns, names=[output.title for output in outputs])


def count(con: duckdb.DuckDBPyConnection, query: Query, names: Names | None = None) -> int:
    """How many rows *query* has without its limit and offset."""
    sql, params = Statement(query, names or Names()).total()
    return int(execute(con, sql, params, query).column(0)[0].as_py())


def to_sql(query: Query, names: Names | None = None) -> tuple[str, dict[str, object]]:
    """The statement behind `search` and its named parameters; columns are called c0, c1, ...

    The statement holds none of the query's text: values are parameters, names are ours.
    """
    return Statement(query, names or Names()).rows()


def execute(
    con: duckdb.DuckDBPyConnection, sql: str, params: dict[str, object], query: Query
) -> pa.Table:
    """The answer to a statement made of *query*; raises FilterError where it cannot be computed."""
    try:
        return con.execute(sql, params).to_arrow_table()
    except (duckdb.DataError, duckdb.NotSupportedError, duckdb.InvalidInputException) as error:
        message = f"this cannot be computed: {error}"
        raise FilterError(message, text=query.filter, position=0) from error


class Statement:
    """One query on its way to SQL."""

    def __init__(self, query: Query, names: Names):
        self.query = query
        self.kept = names.kept
        self.turn = names.kept.turn() if names.kept else 0
        self.scope = Scope(
            tags=names.tags, notes=names.notes, selected=names.selected,
            known_hparams=names.hparams, known_tags=names.series,
        )  # fmt: skip
        _check(query)
        self.columns = self._columns()
        self.where = filters.condition(query.filter, self.scope)
        if not query.duplicates:
            self.where = f"r.duplicate_of IS NULL AND {self.where}"
        if names.archived and not query.archived:
            away = f"SELECT run_id FROM {quoted(names.archived)}"
            self.where = f"r.run_id NOT IN ({away}) AND {self.where}"
        for text, value in query.members:
            self.where = f"{self._same(self._key(text).term, value)} AND {self.where}"
        self.keys = [self._key(text) for text in query.group_by]
        if self.keys:
            self.outputs = self._group_outputs()
        else:
            self.outputs = [Output(c.title, c.term.sql, c.term.number) for c in self.columns]

    def rows(self) -> tuple[str, dict[str, object]]:
        """The statement for the page asked for."""
        return self.with_params(self._groups() if self.keys else self._runs())

    def total(self) -> tuple[str, dict[str, object]]:
        """The statement for the number of rows."""
        if not self.keys:
            return self.with_params(self._from_runs("count(*)", f"WHERE {self.where}"))
        inner = self._from_runs(f"DISTINCT {self._group_keys()}", f"WHERE {self.where}")
        return self.with_params(f"SELECT count(*) FROM ({inner})")

    def with_params(self, sql: str) -> tuple[str, dict[str, object]]:
        """*sql* with those parameters of the scope that it names."""
        used = set(re.findall(r"\$(p\d+)", sql))
        return sql, {name: value for name, value in self.scope.params.items() if name in used}

    # Columns and keys

    def _columns(self) -> list[Column]:
        texts = self.query.columns
        if texts is None:
            texts = () if self.query.group_by else DEFAULT_COLUMNS
        columns: dict[str, Column] = {}
        names: dict[str, Term] = {}
        for text in texts:
            source, name = grammar.alias(text)
            taken = {*FIELDS, *FAULTS, *(NOTES if self.scope.notes else ())}
            if name is not None and name.lower() in taken and name.lower() != source.strip():
                message, at = f"{name} is a field already: choose another name", text.rindex(name)
                raise FilterError(message, text=text, position=at)
            column = Column(name or text.strip(), filters.expression(source, self.scope))
            if column.title in columns:
                raise FilterError(f"there are two columns {column.title}", text=text, position=0)
            columns[column.title] = column
            if name is not None:
                names[name] = column.term
        # Known from here on only: columns made of columns could double at each step.
        self.scope.names = names
        return list(columns.values())

    def _key(self, text: str) -> Column:
        source, name = grammar.alias(text)
        term = filters.expression(source, self.scope)
        if source.strip().lower() == "tags":
            term = Term(f"array_to_string({term.sql}, ', ')", "text")
        if term.kind == "list":
            raise FilterError("a list cannot be grouped by", text=text, position=0)
        return Column(name or text.strip(), term)

    def _same(self, term: Term, value: object) -> str:
        """A condition that *term* has the value that a row of groups shows."""
        if value is None:
            # A hyperparameter that is a text has no number, but it is there.
            return f"({term.sql if term.number else term.comparable}) IS NULL"
        if isinstance(value, bool):
            return f"CAST({term.sql} AS VARCHAR) = {self.scope.bind(str(value).lower())}"
        if isinstance(value, int | float):
            number = term.number or term.sql
            return f"TRY_CAST({number} AS DOUBLE) = {self.scope.bind(float(value))}"
        if term.kind == "time":
            moment = f"CAST({self.scope.bind(str(value).rstrip('Z'))} AS TIMESTAMP)"
            return f"date_trunc('milliseconds', {term.sql}) = {moment}"
        return f"CAST({term.sql} AS VARCHAR) = {self.scope.bind(str(value))}"

    # Runs

    def _runs(self) -> str:
        """First the page by what filter and sort need, then all its columns: for its runs only."""
        select = selected(self.outputs)
        keys = [key for text in self.query.sort or DEFAULT_SORT for key in self._sort(text)]
        parts, joins = self._needs(select, among="r")
        fields = sorted(set(re.findall(r"\br\.(\w+)", select + joins)) - {"run_id"})
        columns = ["r.run_id", *(f"r.{field}" for field in fields)]
        columns += [f"{sql} AS s{i}" for i, (sql, _) in enumerate(keys)]
        order = "".join(f"s{i} {way}, " for i, (_, way) in enumerate(keys)) + "r.run_id DESC"
        rest = f"WHERE {self.where} ORDER BY {order}{self._limit()}"
        page = self._from_runs(", ".join(columns), rest)
        relations = ", ".join([f"r AS MATERIALIZED ({page})", *parts])
        return f"WITH {relations} SELECT {select} FROM r{joins} ORDER BY {order}"

    def _sort(self, text: str) -> list[tuple[str, str]]:
        """Numbers before texts where a hyperparameter has both; NaN with the missing at the end."""
        source, descends = grammar.direction(text)
        term = filters.expression(source, self.scope)
        texts = [_text_only(term)] if term.number else []
        return [(sql, _way(descends)) for sql in (term.comparable, *texts)]

    def _limit(self) -> str:
        limit = "" if self.query.limit is None else f" LIMIT {int(self.query.limit)}"
        return limit + (f" OFFSET {int(self.query.offset)}" if self.query.offset else "")

    # Groups

    def _groups(self) -> str:
        keys = ", ".join(f"k{i}" for i in range(len(self.keys)))
        return (
            f"SELECT {selected(self.outputs)} FROM ({self.members()})"
            f" GROUP BY {keys} ORDER BY {', '.join(self._group_order())}{self._limit()}"
        )

    def members(self, *more: str) -> str:
        """Every run with its keys k0, k1, ... (t0, ... as written) and its numbers v0, v1, ..."""
        columns = [*more, self._group_keys()]
        columns += [f"{k.term.sql} AS t{i}" for i, k in enumerate(self.keys) if k.term.number]
        for i, column in enumerate(self._numeric()):
            columns.append(f"CAST({column.term.number or column.term.sql} AS DOUBLE) AS v{i}")
        return self._from_runs(", ".join(columns), f"WHERE {self.where}")

    def _group_keys(self) -> str:
        return ", ".join(f"{_group_key(key.term)} AS k{i}" for i, key in enumerate(self.keys))

    def _group_outputs(self) -> list[Output]:
        outputs = [*self.key_outputs(), Output("runs", "count(*)")]
        for i, column in enumerate(self._numeric()):
            told = statistics.moments(f"v{i}")
            if self.query.quartiles:
                told |= statistics.quartiles(f"v{i}")
            for name, sql in told.items():
                outputs.append(Output(f"{column.title}_{name}", sql))
        return outputs

    def key_outputs(self) -> list[Output]:
        """The keys of a group as columns, among aggregates over `members`."""
        outputs = []
        for i, key in enumerate(self.keys):
            number = bool(key.term.number)
            sql = f"min(t{i})" if number else f"k{i}"
            outputs.append(Output(key.title, sql, f"k{i}.n" if number else ""))
        return outputs

    def _numeric(self) -> list[Column]:
        titles = {key.title for key in self.keys}
        kinds = ("number", "hyperparameter")
        return [c for c in self.columns if c.term.kind in kinds and c.title not in titles]

    def _group_order(self) -> list[str]:
        known = {output.title: output for output in self.outputs}
        order = []
        for text in self.query.sort or ("-runs",):
            source, descends = grammar.direction(text)
            name = source.strip()
            output = known.get(name) or known.get(f"{name}_mean")
            if output is None:
                hint = nearest(name, known) or f"There are: {', '.join(known)}."
                message = f"{name[:80]} is no column of the groups"
                raise FilterError(message, text=text, position=0, hint=hint)
            values = filter(None, (output.number, output.sql))
            order += [f"{sql} {_way(descends)}" for sql in values]
        return [*order, *(f"k{i}" for i in range(len(self.keys)))]

    # The parts a statement needs

    def _from_runs(self, columns: str, rest: str) -> str:
        parts, joins = self._needs(columns + rest)
        needs = f"WITH {', '.join(parts)} " if parts else ""
        return f"{needs}SELECT {columns} FROM runs r{joins} {rest}"

    def _needs(self, sql: str, among: str = "") -> tuple[list[str], str]:
        """The relations that *sql* refers to, and how they are joined to runs.

        With *among*, a relation of runs, only these are looked up.
        """
        parts, joins = [], ""
        test = f" AND run_id IN (SELECT run_id FROM {among})" if among else ""
        hparams = _referred(r"\bhp\.[hn](\d+)", sql)
        if hparams:
            wanted = {name: i for name, i in self.scope.hparams.items() if i in hparams}
            found = self.kept.hparams(self.turn, wanted, among) if self.kept else None
            parts.append(f"hp AS ({found or of_hparams(self.scope, wanted, test)})")
            joins += " LEFT JOIN hp ON hp.run_id = r.run_id"
        metrics = _referred(r"\bm\.m(\d+)", sql)
        if metrics:
            some = {metric: i for metric, i in self.scope.metrics.items() if i in metrics}
            found = self.kept.metrics(self.turn, some, among) if self.kept else None
            parts.append(f"m AS ({found or of_metrics(self.scope, some, test)})")
            joins += " LEFT JOIN m ON m.run_id = r.run_id"
        faults = _referred(r"\bq\.q(\d+)", sql)
        if faults:
            few = {name: i for name, i in self.scope.faults.items() if i in faults}
            found = self.kept.faults(self.turn, few, among) if self.kept else None
            parts.append(f"q AS ({found or of_faults(self.scope, few, test)})")
            joins += " LEFT JOIN q ON q.run_id = r.run_id"
        if re.search(r"\bw\.", sql):
            joins += f" LEFT JOIN {quoted(self.scope.notes)} w ON w.run_id = r.run_id"
        if "l.copies" in sql:
            parts.append(f"l AS ({_COPIES})")
            joins += " LEFT JOIN l ON l.run_id = coalesce(r.duplicate_of, r.run_id)"
            joins += " LEFT JOIN run_facts o ON o.run_id = r.duplicate_of"
        return parts, joins


# The copies of a run; the field `locations` puts the run itself before them.
_COPIES = (
    "SELECT duplicate_of AS run_id, list(source || ':' || path ORDER BY source, path) AS copies"
    " FROM runs WHERE duplicate_of IS NOT NULL GROUP BY duplicate_of"
)


def _check(query: Query) -> None:
    limits = (("columns", query.columns or (), MAX_COLUMNS), ("sort", query.sort, MAX_KEYS))
    for name, given, most in (*limits, ("group_by", query.group_by, MAX_KEYS)):
        if len(given) > most:
            raise UsageError(f"{name}: {len(given)} are given, at most {most} are taken")
    if sum(len(text) for text in query.columns or ()) > MAX_CHARS:
        raise UsageError(f"columns: at most {MAX_CHARS} characters are taken")
    if query.columns == ():
        raise UsageError("columns: at least one is needed")
    for name, number in (("limit", query.limit or 0), ("offset", query.offset)):
        if not 0 <= number < 1 << 62:
            raise UsageError(f"{name}: a number from 0 is expected, not {number}")


def selected(outputs: list[Output]) -> str:
    """The columns c0, c1, ... (n0, ... for numbers of hyperparameters) of a statement."""
    columns = [f"{output.sql} AS c{i}" for i, output in enumerate(outputs)]
    columns += [f"{output.number} AS n{i}" for i, output in enumerate(outputs) if output.number]
    return ", ".join(columns)


def _way(descends: bool) -> str:
    return "DESC NULLS LAST" if descends else "ASC NULLS LAST"


def _group_key(term: Term) -> str:
    # 0.001 and 1e-3 are one value: a hyperparameter is its number, and its text where it has none.
    if not term.number:
        return term.sql
    return f"struct_pack(n := {term.number}, s := {_text_only(term)})"


def _text_only(term: Term) -> str:
    return f"CASE WHEN {term.number} IS NULL THEN {term.sql} END"


def _referred(pattern: str, body: str) -> set[int]:
    return {int(number) for number in re.findall(pattern, body)}

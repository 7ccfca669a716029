"""Searching runs: what is found, its order, its columns and its groups."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import datetime, timedelta

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boardlake.core.errors import FilterError, UsageError
from boardlake.lake import migrate
from boardlake.lake.fields import STATS
from boardlake.lake.search import DEFAULT_COLUMNS, Names, Query, count, search, to_sql

START = datetime(2025, 1, 1)
NAN, INF = math.nan, math.inf

# (name, project, hp.lr, hp.opt, last loss, points); hp.lr as text is no number for run 5.
RUNS: list[tuple[str, str | None, str | None, str | None, float | None, int]] = [
    ("resnet_a", "vision", "0.1", "adam", 0.5, 100),
    ("resnet_b", "vision", "0.01", "sgd", NAN, 200),
    ("bert", "text", "1e-1", "Adam", INF, 300),
    ("100%_it's", None, None, None, None, 400),
    ("vit", "vision", "auto", "adam", -1.0, 500),
    ("unet", "vision", "0.001", None, 0.25, 600),
]


def tables() -> duckdb.DuckDBPyConnection:
    """The lake's tables and views in memory."""
    con = duckdb.connect()
    for _, _, sql in migrate.steps():
        con.execute(re.sub(r"ALTER TABLE \w+ SET SORTED BY [^;]*;", "", sql))
    return con


def add_run(con: duckdb.DuckDBPyConnection, run_id: int, name: str, **more: object) -> None:
    facts = {"run_id": run_id, "run_key": f"key{run_id}", "source": "lab", "name": name}
    facts |= {"path": f"runs/{run_id}"}
    insert(con, "run_facts", facts | {k: v for k, v in more.items() if k in ("project", "source")})
    first = START.timestamp() - datetime(1970, 1, 1).timestamp() + 86400 * run_id
    file = {"file_id": run_id, "run_id": run_id, "source": "lab", "stream": "", "size": 10}
    file |= {"records": 1, "points": more.get("points", 1), "last_step": 10 * run_id}
    file |= {"first_wall_time": first, "last_wall_time": first + 60.0 * run_id, "grew_at": first}
    insert(con, "files", file | {"content_key": more.get("content", f"content{run_id}")})


def add_hparam(
    con: duckdb.DuckDBPyConnection, run_id: int, name: str, value: str, rank: int = 1
) -> None:
    try:
        number = float(value)
    except ValueError:
        number = None
    row = {"run_id": run_id, "name": name, "value": value, "number": number, "rank": rank}
    insert(con, "hparams", row | {"origin": f"origin{rank}"})


def add_series(
    con: duckdb.DuckDBPyConnection, run_id: int, tag: str, last: float, **more: object
) -> None:
    row = {"run_id": run_id, "stream": "", "tag": tag, "kind": "scalar", "file_id": run_id}
    row |= {"points": 3, "superseded": 0, "first_step": 0, "last_step": 20, "last": last}
    insert(con, "series_parts", row | {"first": 9.0} | more)


def insert(con: duckdb.DuckDBPyConnection, table: str, row: dict[str, object]) -> None:
    columns = ", ".join(f'"{name}"' for name in row)
    marks = ", ".join("?" for _ in row)
    con.execute(f"INSERT INTO {table} ({columns}) VALUES ({marks})", list(row.values()))


def make() -> duckdb.DuckDBPyConnection:
    """The runs above with ids from 1, and a relation of users' tags."""
    con = tables()
    for run_id, (name, project, lr, opt, loss, points) in enumerate(RUNS, 1):
        add_run(con, run_id, name, project=project, points=points)
        if lr is not None:
            add_hparam(con, run_id, "lr", lr)
        if opt is not None:
            add_hparam(con, run_id, "opt", opt)
        if loss is not None:
            add_series(con, run_id, "loss", loss)
    con.execute("CREATE TABLE run_tags AS SELECT 2 AS run_id, 'baseline' AS tag")
    con.execute(
        "CREATE TABLE run_notes AS SELECT * FROM (VALUES"
        " (2, 'The baseline', '', '#00ff00', false, ['baseline', 'old']),"
        " (3, '', 'diverged at once', '', true, []::VARCHAR[]))"
        " AS t(run_id, name, notes, colour, archived, tags)"
    )
    return con


@pytest.fixture(scope="module")
def con() -> duckdb.DuckDBPyConnection:
    return make()


LAKE = make()


def found(con: duckdb.DuckDBPyConnection, text: str, names: Names | None = None) -> list[int]:
    query = Query(text, ("run_id",), ("run_id",))
    ids = search(con, query, names).column("run_id").to_pylist()
    assert count(con, query, names) == len(ids)
    return ids


@pytest.mark.parametrize(
    "text, ids",
    [
        ("", [1, 2, 3, 4, 5, 6]),
        ("project = 'vision'", [1, 2, 5, 6]),
        ("not project = 'vision'", [3]),
        ("project <> 'vision' or project is null", [3, 4]),
        ("hp.lr between 1e-2 and 0.1", [1, 2, 3]),
        ("hp.lr = 0.1", [1, 3]),
        ("hp.lr = '0.1'", [1]),
        ("hp.lr in (0.1, 'auto')", [1, 3, 5]),
        ("hp.lr is null", [4]),
        ("hp.opt = 'adam'", [1, 5]),
        ("lower(hp.opt) = 'adam'", [1, 3, 5]),
        ("hp.opt ilike 'a%'", [1, 3, 5]),
        ("hp.lr = hp.lr", [1, 2, 3, 5, 6]),
        ("name like '%0\\%'", []),
        ("name like '100%\\_%'", []),
        ("name like '100%_it''s'", [4]),
        ("name like 'resnet__'", [1, 2]),
        ("name ~ '^resnet_[ab]$|vi'", [1, 2, 5]),
        ("name !~ 't'", []),
        ('last("loss") > 0', [1, 3, 6]),
        ('last("loss") < 1e9', [1, 5, 6]),
        ('not last("loss") < 1e9', [3]),
        ("isnan(last('loss'))", [2]),
        ("isinf(last('loss'))", [3]),
        ("last('loss') is null", [4]),
        ("ln(last('loss')) < 0", [1, 6]),
        ("points / 0 > 1", [1, 2, 3, 4, 5, 6]),
        ("points % 0 = 1", []),
        ("points * 9223372036854775807 * 1e300 > 1", [1, 2, 3, 4, 5, 6]),
        ("round(points / 7, 1) = 14.3", [1]),
        ("exp(points * 1e9) > 1e300", [1, 2, 3, 4, 5, 6]),
        ("exp(exp(last('loss'))) * 0 = 0 or ln(points - 1e9) > 0", [1, 5, 6]),
        ("round(points * 1e305, 15) > 1", [1, 2, 3, 4, 5, 6]),
        ("name like '" + "%_" * 3000 + "'", []),
        ("name like '" + "%" * 9000 + "bert'", [3]),
        ("name ilike '" + "_" * 9000 + "'", []),
        ("*" * 500 + "bert" + "*" * 9000, [3]),
        ("created_at" + " + interval '100 years'" * 300 + " > created_at", [1, 2, 3, 4, 5, 6]),
        ("abs(-points) in (100, 200)", [1, 2]),
        ("coalesce(hp.lr, 7) = 7", [4, 5]),
        ("coalesce(project, 'none') = 'none'", [4]),
        ("created_at >= '2025-01-04' and created_at < timestamp '2025-01-06'", [3, 4]),
        ("last_event_at - created_at > interval '4 minutes'", [5, 6]),
        ("created_at < now() - interval '1 month'", [1, 2, 3, 4, 5, 6]),
        ("state = 'finished'", [1, 2, 3, 4, 5, 6]),
        ("locations is null", []),
        ("RESNET", [1, 2]),
        ("vision adam", [1, 5]),
        ("sgd", [2]),
        ("lr", [1, 2, 3, 5, 6]),
        ("loss bert", [3]),
        ("res*a", [1]),
        ("'it''s'", [4]),
        ('"it\'s"', [4]),
        ("100%", []),
        ("tag('baseline')", [2]),
        ('not tag("baseline")', [1, 3, 4, 5, 6]),
        ("baseline", [2]),
        ("search('vision adam') and hp.opt = 'adam'", [1, 5]),
        ('search(\'loss "bert"\') or not search("l*r")', [3, 4]),
    ],
)
def test_found(con: duckdb.DuckDBPyConnection, text: str, ids: list[int]) -> None:
    """NULL and NaN satisfy no comparison and no negated one; everything else is plain SQL."""
    if text == "100%":
        with pytest.raises(FilterError):
            found(con, text)
        return
    assert found(con, text, Names(tags="run_tags")) == ids


NOTED = Names(tags="run_tags", notes="run_notes")


@pytest.mark.parametrize(
    "text, ids",
    [
        ("THE BASE*", [2]),
        ("at once", [3]),
        ("diverged bert", [3]),
        ("search('diverged') or label = 'The baseline'", [2, 3]),
        ("label = name", [1, 3, 4, 5, 6]),
        ("label = 'The baseline' and project = 'vision'", [2]),
        ("notes is null", [1, 2, 4, 5, 6]),
        ("notes ~ 'diverged'", [3]),
        ("colour = '#00ff00'", [2]),
        ("archived = true", [3]),
        ("not archived and hp.opt = 'adam'", [1, 5]),
    ],
)
def test_found_by_what_people_wrote(
    con: duckdb.DuckDBPyConnection, text: str, ids: list[int]
) -> None:
    """Names, notes and colours are fields where they are known, and words are looked for there."""
    assert found(con, text, NOTED) == ids


def test_what_people_wrote_as_columns(con: duckdb.DuckDBPyConnection) -> None:
    """Runs without a word have their own name, no notes and no tags; groups go by all tags."""
    columns = ("run_id", "label", "notes", "tags", "colour", "archived")
    table = search(con, Query("run_id in (1, 2, 3)", columns, ("-label",)), NOTED)
    name = {row["run_id"]: row for row in table.to_pylist()}
    assert name[1]["label"] != "" and name[1]["tags"] == [] and name[1]["notes"] is None
    assert name[2] == {
        "run_id": 2, "label": "The baseline", "notes": None, "tags": ["baseline", "old"],
        "colour": "#00ff00", "archived": False,
    }  # fmt: skip
    assert name[3]["archived"] is True
    labels = table["label"].to_pylist()
    assert labels == sorted(labels, reverse=True)
    groups = search(con, Query(group_by=("tags",), sort=("-tags",)), NOTED).to_pylist()
    assert groups == [{"tags": "baseline, old", "runs": 1}, {"tags": "", "runs": 5}]
    members = Query(columns=("run_id",), members=(("tags", "baseline, old"),))
    assert search(con, members, NOTED)["run_id"].to_pylist() == [2]


@pytest.mark.parametrize("name", ["label", "notes", "tags", "colour", "archived"])
def test_what_people_wrote_is_not_in_the_lake(con: duckdb.DuckDBPyConnection, name: str) -> None:
    """Without the service it is said where such a field is to be had; the word may be a name."""
    with pytest.raises(FilterError) as caught:
        search(con, Query(columns=(name,)))
    assert "web service" in caught.value.hint
    column = Query(columns=(f"points as {name}",))
    assert search(con, column).column_names == [name]
    with pytest.raises(FilterError, match="field already"):
        search(con, column, NOTED)


Value = float | str | bool | None
Row = dict[str, Value]


def _sound(value: Value) -> Value:
    return None if isinstance(value, float) and math.isnan(value) else value


def _compare(sign: str, a: Value, b: Value) -> bool | None:
    a, b = _sound(a), _sound(b)
    if a is None or b is None:
        return None
    results = {"=": a == b, "<>": a != b, "<": a < b, ">=": a >= b}  # type: ignore[operator]
    return results[sign]


def _both(a: bool | None, b: bool | None) -> bool | None:
    return False if a is False or b is False else None if a is None or b is None else True


def _negated(a: bool | None) -> bool | None:
    return None if a is None else not a


Meaning = tuple[str, Callable[[Row], bool | None]]

_NUMBERS = st.sampled_from(["points", "hp.lr", "last('loss')"])
_TEXTS = st.sampled_from(["name", "project", "hp.opt"])
_SIGNS = st.sampled_from(["=", "<>", "<", ">="])


@st.composite
def _comparisons(draw: st.DrawFn) -> Meaning:
    sign = draw(_SIGNS)
    if draw(st.booleans()):
        field, number = draw(_NUMBERS), draw(st.sampled_from([-1.0, 0.01, 0.1, 0.5, 200.0, 1e9]))
        return f"{field} {sign} {number!r}", lambda row: _compare(sign, row[field], number)
    field, text = draw(_TEXTS), draw(st.sampled_from(["adam", "vision", "bert", "100%_it's", ""]))
    quoted = text.replace("'", "''")
    return f"{field} {sign} '{quoted}'", lambda row: _compare(sign, row[field], text)


def _combined(inner: st.SearchStrategy[Meaning]) -> st.SearchStrategy[Meaning]:
    def both(pair: tuple[Meaning, Meaning]) -> Meaning:
        (a, f), (b, g) = pair
        return f"({a} and {b})", lambda row: _both(f(row), g(row))

    def either(pair: tuple[Meaning, Meaning]) -> Meaning:
        (a, f), (b, g) = pair
        return f"({a} or {b})", lambda row: _negated(_both(_negated(f(row)), _negated(g(row))))

    def negation(one: Meaning) -> Meaning:
        text, meaning = one
        return f"not {text}", lambda row: _negated(meaning(row))

    pairs = st.tuples(inner, inner)
    return (
        pairs.map(both)
        | pairs.map(either)
        | inner.map(lambda one: (f"({one[0]})", one[1])).map(negation)
    )


def _row(run: tuple[str, str | None, str | None, str | None, float | None, int]) -> Row:
    name, project, lr, opt, loss, points = run
    number = None if lr in (None, "auto") else float(str(lr))
    row: Row = {"name": name, "project": project, "hp.lr": number, "hp.opt": opt}
    return row | {"last('loss')": loss, "points": float(points)}


@given(st.recursive(_comparisons(), _combined, max_leaves=6))
def test_filters_mean_what_python_says(meaning: Meaning) -> None:
    """A filter finds the runs for which a plain evaluation, with SQL's unknown, says true."""
    text, holds = meaning
    expected = [i for i, run in enumerate(RUNS, 1) if holds(_row(run)) is True]
    assert found(LAKE, text) == expected


@given(
    st.text(max_size=20), st.sampled_from(["name = {}", "name like {}", "hp.opt ilike {}", "{}"])
)
def test_hostile_values_are_only_compared(text: str, form: str) -> None:
    """Whatever a value holds, the search runs and finds no run that does not have it."""
    quoted = "'" + text.replace("'", "''") + "'"
    try:
        ids = found(LAKE, form.format(quoted))
    except FilterError:
        return
    written = [str(part) for run in RUNS for part in run]
    assert not ids or form != "name = {}" or text in written
    assert found(LAKE, "") == [1, 2, 3, 4, 5, 6]


def test_defaults(con: duckdb.DuckDBPyConnection) -> None:
    """Without anything asked the newest run comes first, in the default columns."""
    table = search(con, Query())
    assert tuple(table.column_names) == DEFAULT_COLUMNS
    assert table.column("name").to_pylist() == [run[0] for run in reversed(RUNS)]
    assert table.column("created_at").to_pylist()[-1] == START + timedelta(days=1)


@pytest.mark.parametrize(
    "sort, ids",
    [
        (("hp.lr",), [6, 2, 3, 1, 5, 4]),
        (("-hp.lr",), [3, 1, 2, 6, 5, 4]),
        (("last('loss')",), [5, 6, 1, 3, 4, 2]),
        (("last('loss') desc",), [3, 1, 6, 5, 4, 2]),
        (("project", "-points"), [3, 6, 5, 2, 1, 4]),
        (("project desc", "name asc"), [1, 2, 6, 5, 3, 4]),
        (("best",), [1, 2, 3, 4, 5, 6]),
        (("-points * 2",), [6, 5, 4, 3, 2, 1]),
        (("lower(hp.opt)", "run_id"), [1, 3, 5, 2, 4, 6]),
    ],
)
def test_order(con: duckdb.DuckDBPyConnection, sort: tuple[str, ...], ids: list[int]) -> None:
    """Missing values and NaN come last in both directions, of equal runs the newer first."""
    table = search(con, Query(columns=("run_id", "points + 1 as best"), sort=sort))
    assert table.column("run_id").to_pylist() == ids


def test_pages_cover_all_once(con: duckdb.DuckDBPyConnection) -> None:
    """Pages joined together are the whole, with the columns of each run beside it."""
    columns = ("run_id", "name", "hp.opt", "last('loss') as loss")
    whole = search(con, Query(columns=columns, sort=("project",)))
    rows = []
    for offset in range(0, 8, 2):
        page = search(con, Query(columns=columns, sort=("project",), limit=2, offset=offset))
        rows += page.to_pylist()
    assert repr(rows) == repr(whole.to_pylist())
    assert search(con, Query(limit=0)).num_rows == 0


def test_hyperparameter_columns(con: duckdb.DuckDBPyConnection) -> None:
    """A column is of numbers where all its values are, else of text as written."""
    mixed = search(con, Query(columns=("hp.lr",), sort=("run_id",)))
    assert mixed.column("hp.lr").to_pylist() == ["0.1", "0.01", "1e-1", None, "auto", "0.001"]
    numbers = search(con, Query("hp.lr <> 'auto'", ("hp.lr",), ("run_id",)))
    assert numbers.schema.field("hp.lr").type == pa.float64()
    assert numbers.column("hp.lr").to_pylist() == [0.1, 0.01, 0.1, 0.001]


def test_aliases(con: duckdb.DuckDBPyConnection) -> None:
    """A name given to a column can be used in filter and sort; that of a field is refused."""
    columns = ("name", "points * 2 as twice")
    table = search(con, Query("twice > 900", columns, ("-twice",)))
    assert table.column("twice").to_pylist() == [1200, 1000]
    with pytest.raises(FilterError, match="points is a field already"):
        search(con, Query(columns=("last_step as points",)))
    with pytest.raises(FilterError, match="two columns name"):
        search(con, Query(columns=("name", "name")))


def test_metrics_of_streams_and_parts() -> None:
    """Without a stream the first that has the tag counts, '' foremost; parts are added up."""
    con = tables()
    add_run(con, 1, "both")
    add_run(con, 2, "streams only")
    add_series(con, 1, "loss", 1.0, min=0.5, min_step=7, max=9.0, max_step=0)
    add_series(con, 1, "loss", 2.0, min=0.25, min_step=30, max=3.0, max_step=25,
               first_step=25, last_step=40)  # fmt: skip
    add_series(con, 1, "loss", 8.0, stream="eval")
    add_series(con, 2, "loss", 5.0, stream="val")
    add_series(con, 2, "loss", 4.0, stream="eval")
    add_series(con, 2, "loss", 7.0, kind="tensor")
    columns = ('last("loss")', "last('loss', 'val')", "last('loss', '')", 'first("loss")',
               "count('loss')", "min('loss')", "step_min('loss')", "step_max('loss')")  # fmt: skip
    table = search(con, Query(columns=columns, sort=("run_id",)))
    rows = [list(row.values()) for row in table.to_pylist()]
    assert rows[0] == [2.0, None, 2.0, 9.0, 6, 0.25, 30, 0]
    assert rows[1][:5] == [4.0, 5.0, None, 9.0, 3]


@given(st.lists(st.tuples(st.floats(-1e3, 1e3), st.integers(1, 9)), min_size=1, max_size=4))
@settings(max_examples=25)
def test_metrics_are_those_of_the_view(parts: list[tuple[float, int]]) -> None:
    """Every metric is what the view `series` says of the same parts."""
    con = tables()
    add_run(con, 1, "one")
    for index, (value, points) in enumerate(parts):
        start = 10 * index
        odd = {"nan_count": index % 2, "nan_step": start + 1 if index % 2 else None,
               "inf_count": index, "inf_step": start + 2 if index else None, "superseded": index,
               "attempt": index // 2}  # fmt: skip
        add_series(con, 1, "loss", value, first=-value, min=value / 2, max=value * 2, points=points,
                   min_step=index, max_step=2 * index, first_step=start, last_step=start + 9,
                   shift=1.0, shift_sum=value * points, shift_sum2=value * value * points,
                   finite=points, **odd)  # fmt: skip
    got = search(con, Query(columns=tuple(f"{stat}('loss')" for stat in _OF_VIEW))).to_pylist()[0]
    wanted = con.execute(f"SELECT {', '.join(_OF_VIEW.values())} FROM series").fetchone()
    for value, expected in zip(got.values(), wanted or (), strict=True):
        assert value == (None if expected is None else pytest.approx(expected))


# Each metric by the column of the view `series`.
_OF_VIEW = {
    **{name: f'"{name}"' for name in ("last", "first", "min", "max", "mean", "std", "attempts")},
    "count": "points", "step_min": "min_step", "step_max": "max_step", "step_last": "last_step",
    "first_nan": "nan_step", "first_inf": "inf_step", "nan_count": "nan_count",
    "inf_count": "inf_count", "superseded": "superseded",
}  # fmt: skip


def test_every_metric_is_held_to_the_view() -> None:
    """None is left out above."""
    assert set(_OF_VIEW) == set(STATS)


def test_the_smallest_rank_wins() -> None:
    """Of several origins of a hyperparameter the one with the smallest rank is asked for."""
    con = tables()
    add_run(con, 1, "one")
    add_hparam(con, 1, "lr", "0.3", rank=3)
    add_hparam(con, 1, "lr", "auto", rank=1)
    add_hparam(con, 1, "lr", "0.2", rank=2)
    assert search(con, Query(columns=("hp.lr",))).to_pylist() == [{"hp.lr": "auto"}]
    assert found(con, "hp.lr > 0") == []
    assert found(con, "hp.lr = 'auto'") == [1]


def test_copies_are_shown_once() -> None:
    """Of the same run in several places one is shown, with all its locations."""
    con = tables()
    for run_id in (1, 2, 3):
        add_run(con, run_id, "same", content="same", source=f"place{run_id}")
    add_run(con, 4, "other")
    query = Query(columns=("run_id", "locations"), sort=("run_id",))
    copies = ["place1:runs/1", "place2:runs/2", "place3:runs/3"]
    shown = search(con, query).to_pylist()
    assert shown == [
        {"run_id": 1, "locations": copies},
        {"run_id": 4, "locations": ["lab:runs/4"]},
    ]
    everything = Query(columns=query.columns, sort=query.sort, duplicates=True)
    assert [row["locations"] for row in search(con, everything).to_pylist()][:3] == [copies] * 3
    assert (count(con, query), count(con, everything)) == (2, 4)


def test_groups_are_over_all_members(con: duckdb.DuckDBPyConnection) -> None:
    """A group's numbers are of all its members, whatever the limit; numbers that differ only in
    writing are one group, and a missing value is a group of its own."""
    query = Query(columns=("name", "points", "last('loss') as loss"), group_by=("project",))
    table = search(con, Query(**{**query.__dict__, "sort": ("-loss",), "limit": 1}))
    assert table.column_names == [
        "project", "runs", "points_mean", "points_std", "points_min", "points_max",
        "loss_mean", "loss_std", "loss_min", "loss_max",
    ]  # fmt: skip
    row = table.to_pylist()[0]
    assert (row["project"], row["runs"]) == ("vision", 4)
    assert row["points_mean"] == 350 and row["points_std"] == pytest.approx(238.04761428)
    assert (row["loss_min"], row["loss_max"]) == (-1.0, 0.5)
    assert row["loss_mean"] == pytest.approx(-0.25 / 3)
    assert count(con, query) == 3
    rates = search(con, Query(group_by=("hp.lr",), sort=("hp.lr",)))
    assert rates.column("hp.lr").to_pylist() == ["0.001", "0.01", "0.1", "auto", None]
    assert rates.column("runs").to_pylist() == [1, 1, 2, 1, 1]
    assert count(con, Query(group_by=("hp.lr",))) == 5


def test_quartiles_are_of_every_member(con: duckdb.DuckDBPyConnection) -> None:
    """As numpy has them, over all members that have a finite value, whatever the limit and however
    many other groups match."""
    query = Query(columns=("points", "last('loss') as loss"), group_by=("project",), quartiles=True)
    rows = {row["project"]: row for row in search(con, query).to_pylist()}
    alone = search(con, Query(**{**query.__dict__, "filter": "project = 'vision'", "limit": 1}))
    vision = alone.to_pylist()[0]
    assert rows["vision"] == vision
    points = [run[5] for run in RUNS if run[1] == "vision"]
    assert [vision[f"points_{name}"] for name in ("q1", "median", "q3", "n")] == [
        *np.quantile(points, [0.25, 0.5, 0.75]), 4
    ]  # fmt: skip
    assert [vision[f"loss_{name}"] for name in ("q1", "median", "q3", "n")] == [
        *np.quantile([0.5, -1.0, 0.25], [0.25, 0.5, 0.75]), 3
    ]  # fmt: skip
    # An infinite loss, and none at all.
    for project in ("text", None):
        assert [rows[project][f"loss_{one}"] for one in ("q1", "median", "n")] == [None, None, 0]
    sort = Query(**{**query.__dict__, "sort": ("-points_median",)})
    assert search(con, sort)["points_median"].to_pylist() == [400, 350, 300]


def test_groups_of_hyperparameters_as_columns(con: duckdb.DuckDBPyConnection) -> None:
    """The aggregates of a hyperparameter are of its numbers, `runs` sorts by default."""
    table = search(con, Query("project = 'vision'", ("hp.lr",), group_by=("hp.opt as opt",)))
    rows = {row["opt"]: row for row in table.to_pylist()}
    assert table.column("runs").to_pylist() == [2, 1, 1]
    assert (rows["adam"]["hp.lr_mean"], rows["adam"]["hp.lr_std"]) == (0.1, None)
    assert rows["sgd"]["hp.lr_max"] == 0.01


def test_groups_of_huge_values() -> None:
    """Values whose squares overflow leave mean and std missing instead of ending the search."""
    con = tables()
    for run_id, value in enumerate((1e308, 1.7e308, 1.0), 1):
        add_run(con, run_id, "huge")
        add_series(con, run_id, "loss", value)
    row = search(con, Query(columns=("last('loss') as x",), group_by=("name",))).to_pylist()[0]
    assert (row["x_mean"], row["x_std"], row["x_min"], row["x_max"]) == (None, None, 1.0, 1.7e308)


@pytest.mark.parametrize(
    "query, error, message",
    [
        (Query(limit=-1), UsageError, "limit: a number from 0"),
        (Query(offset=-1), UsageError, "offset: a number from 0"),
        (Query(columns=("run_id as a", "a + a as b")), FilterError, "a is no field"),
        (Query(columns=("points" + "+1" * 3000,) * 20), UsageError, "at most 100000 char"),
        (Query(columns=()), UsageError, "columns: at least one"),
        (Query(sort=("name",) * 20), UsageError, "sort: 20 are given"),
        (Query(sort=("nme",)), FilterError, "nme is no field"),
        (Query(group_by=("locations",)), FilterError, "a list cannot be grouped by"),
        (Query(group_by=("name",), sort=("points",)), FilterError, "no column of the groups"),
        (Query(columns=("null",)), FilterError, "null alone"),
        (Query("tag('x')"), FilterError, "state database"),
    ],
)
def test_refused(
    con: duckdb.DuckDBPyConnection, query: Query, error: type[UsageError], message: str
) -> None:
    """What cannot be taken is refused by name before any SQL runs."""
    with pytest.raises(error, match=message):
        search(con, query)


def test_only_what_is_asked_for_is_read() -> None:
    """The statement reads series and hyperparameters by name only, and points never."""
    sql, params = to_sql(Query("hp.lr > 1", ("name", 'min("val/loss")'), ("-hp.depth",)))
    assert "scalar" not in sql.replace("kind = 'scalar'", "")
    assert {"lr", "depth", "val/loss"} <= set(params.values())
    assert "series" not in to_sql(Query("hp.lr > 1"))[0]
    assert "hparams" not in to_sql(Query("points > 1"))[0]

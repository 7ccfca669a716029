"""The filter language takes what it says, refuses all else with its place, and leaks no text."""

from __future__ import annotations

import re
from datetime import datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from boardlake.core.errors import FilterError
from boardlake.lake import filters, grammar, words
from boardlake.lake.fields import FIELDS, FUNCTIONS, NOTES, Scope

NOW = datetime(2025, 6, 1)
OURS = re.compile(r"[a-z0-9_.:'<>=+\-*/%(),$ \[\]\"]*", re.IGNORECASE)


def scope(**known: object) -> Scope:
    return Scope(now=NOW, **known)  # type: ignore[arg-type]


def values(text: str) -> set[object]:
    """The parameters that the SQL of *text* really refers to."""
    one = scope()
    sql = filters.condition(text, one)
    return {one.params[name] for name in re.findall(r"\$(p\d+)", sql)}


@pytest.mark.parametrize(
    "text, sql",
    [
        ("", "true"),
        ("project = 'vision'", "(r.project = $p0)"),
        ("PROJECT == 'vision'", "(r.project = $p0)"),
        ("points != 3", "(r.points <> $p0)"),
        ("points >= 1e3", "(r.points >= $p0)"),
        ("points in (1, 2)", "(r.points IN ($p0, $p1))"),
        ("points not in (1, 2)", "(NOT (r.points IN ($p0, $p1)))"),
        ("git_commit is null", "(r.git_commit IS NULL)"),
        ("git_commit is not null", "(NOT (r.git_commit IS NULL))"),
        ("not (points = 1)", "(NOT (r.points = $p0))"),
        ("name ~ 'a|b'", "regexp_matches(r.name, $p1)"),
        ("name !~ 'a|b'", "(NOT regexp_matches(r.name, $p1))"),
        ("name like 'a%'", "regexp_full_match(r.name, $p1)"),
        ("name not ilike 'a%'", "(NOT regexp_full_match(r.name, $p1))"),
        ("hp.amp", "(lower(hp.h0) = 'true')"),
        ("hp.amp = false", "(lower(hp.h0) = CAST(false AS VARCHAR))"),
        ("hp.lr < 1", "(nullif(hp.n0, 'NaN'::DOUBLE) < $p0)"),
        ("hp.opt = 'adam'", "(hp.h0 = $p0)"),
        ("last('loss') < 1", "(nullif(m.m0, 'NaN'::DOUBLE) < $p0)"),
        ("round(duration_s, 2) = 1", None),
        ("coalesce(hp.lr, 0.1) * 2 - -3 / points % 7 > ln(points) + log10(points)", None),
        ("created_at > now() - interval '3 days'", None),
        ("created_at between '2025-01-01' and timestamp '2025-01-31 18:00+02:00'", None),
        ("last_event_at - created_at > interval '2 hours'", None),
        ('lower(name) = upper(hp.name) or isnan(last("loss"))', None),
    ],
)
def test_taken(text: str, sql: str | None) -> None:
    """Each form of the language has its SQL; parameters stand for every value."""
    written = filters.condition(text, scope())
    assert sql is None or written == sql


@pytest.mark.parametrize(
    "text, at, message, hint",
    [
        ("nme = 'x'", 0, "nme is no field", "name"),
        ("points > 1 and projct = 'x'", 15, "projct is no field", "project"),
        ('name = "resnet"', 7, '"resnet" is no field', "single quotes"),
        ("points > best", 9, "best is no field", ""),
        ("min > 3", 0, "min is no field", 'min("tag")'),
        ("hp > 3", 0, "hp is no field", "hp.name"),
        ("hp.5 > 3", 0, "no field", "hp.name"),
        ("hp.* > 3", 0, "hp.* is no field", ""),
        ("name > 3", 7, "name is text and 3 is a number", ""),
        ("points = '3'", 9, "points is a number and '3' is text", ""),
        ("name = 'x' and points = null", 15, "nothing equals null", "is null"),
        ("name = 'x' and points is true", 15, "`null` is expected", ""),
        ("points + 1", 0, "a condition is expected, this is a number", "Compare"),
        ("points and state = 'x'", 0, "a condition is expected", "points = ..."),
        ("created_at > 'yesterday'", 13, "'yesterday' is no time", "2025-01-31"),
        ("created_at > interval '3 parsecs'", 22, "no interval", ""),
        ("created_at > now() - interval '999999 years'", 30, "at most 100 years", ""),
        ("name ~ 'a('", 7, "no regular expression: missing )", ""),
        ("name ~ project", 7, "a pattern in single quotes", ""),
        ("min(loss) < 1", 0, "min takes a tag", 'last("loss")'),
        ('min("a", "b", "c") < 1', 0, "min takes a tag", ""),
        ("count(*) > 1", 0, "count takes a tag", ""),
        ("read_text('/etc/passwd') = 'x'", 0, "no function read_text", ""),
        ("lowr(name) = 'x'", 0, "no function lowr", "lower"),
        ("abs(1, 2) > 1", 0, "abs takes one value, not 2", ""),
        ("now(1) > '2025-01-01'", 0, "now takes no value", ""),
        ("round(points, 99) > 1", 14, "digits from 0 to 15", ""),
        ("coalesce(points, 'x') = 'x'", 17, "different types", ""),
        ("locations = 'x'", 12, "locations is a list", ""),
        ("name + 1 > 2", 0, "a number is expected, name is text", ""),
        ("search(name)", 7, "search takes words in quotes", "search('resnet adam')"),
        ("search('a = 1')", 7, "search takes words in quotes", ""),
        ("tag('baseline')", 4, "web service in its state database", ""),
        ("name = 'x' -- more", 11, "a comment", ""),
        ("name /* x */ = 'x'", 5, "a comment", ""),
        ("name = 'x' /* x", 11, "a comment", ""),
        ("name = 'x'; drop table runs", 10, "; is not taken", ""),
        ("(select 1)", 8, ") is expected", ""),
        ("points in (select run_id from runs)", 18, ") is expected", ""),
        ("points in ()", 0, "a list of values is expected", ""),
        ("points in hp.x", 0, "FIELD is not taken", ""),
        ("points::int = 3", 6, ":: is not taken", ""),
        ("cast(points as int) = 3", 12, ") is expected", ""),
        ("points between symmetric 1 and 2", 0, "SYMMETRIC is not taken", ""),
        ("points = any(1)", 9, "no function any", ""),
        ("row_number() over () = 1", 13, "over is not expected", ""),
        ("points[1] = 1", 6, "[ is not taken", ""),
        ("points = $1", 9, "$ is not taken", ""),
        ("x -> x + 1", 2, "-> is not taken", ""),
        ("name || 'x' = 'y'", 5, "|| is not taken", ""),
        ("name = e'x'", 7, "e'x' is not taken", ""),
        ("name = $$x$$", 7, "$$x$$ is not taken", ""),
        ("name = 'x", 7, "' is not closed", ""),
        ('"name = 1', 0, '" is not closed', ""),
        ("points =", 7, "a value or a field is expected", ""),
        ("(points = 1", 10, ") is expected", ""),
        ("points = 1)", 10, ") is not expected", ""),
        ("points = 1 2", 11, "2 is not expected", ""),
        ("name = 'a' 'b'", 7, "not taken here", ""),
        ("vision and resnet", 0, "vision is no field", ""),
        ("not " * 100 + "true", 128, "nested too deep", ""),
        ("(" * 100 + "true" + ")" * 100, 32, "nested too deep", ""),
        ("points = " + "1+" * 2000 + "1", 2007, "too many", ""),
        ("name = 'x\ud800'", 9, "half a surrogate pair", ""),
        ("'x\ud800'", 2, "half a surrogate pair", ""),
        ("x" * 20_000, 0, "20000 characters are too many", ""),
    ],
)
def test_refused(text: str, at: int, message: str, hint: str) -> None:
    """Anything else is refused at its place, in words, and with the nearest known name."""
    with pytest.raises(FilterError) as caught:
        filters.condition(text, scope())
    assert message in caught.value.message
    assert hint in caught.value.hint
    assert at == caught.value.position


def test_known_names_are_offered() -> None:
    """Where hyperparameters and series are known, another name is refused with the nearest one."""
    known = {"known_hparams": ("lr", "batch_size"), "known_tags": ("val/loss",)}
    for text, at, hint in [
        ("hp.bacth_size > 3", 0, "hp.batch_size"),
        ('points > 1 and min("val/los") < 1', 19, "val/loss"),
        ("lr > 3", 0, "hp.lr"),
        ('"val/loss" > 3', 0, 'last("val/loss")'),
    ]:
        with pytest.raises(FilterError) as caught:
            filters.condition(text, scope(**known))
        assert (caught.value.position, hint in caught.value.hint) == (at, True)
    assert filters.condition("hp.lr > 3", scope(**known))


@pytest.mark.parametrize(
    "text, name",
    [
        ("hp.lr", "lr"),
        ('hp."model.depth"', "model.depth"),
        ("hp.model.depth", "model.depth"),
        ("hp.a.b.c.d.e.f", "a.b.c.d.e.f"),
        ("hp.select", "select"),
        ("hp.order.by.in.and", "order.by.in.and"),
        ('hp."it""s, a name"', 'it"s, a name'),
        ("HP.Lr", "Lr"),
    ],
)
def test_names_of_hyperparameters(text: str, name: str) -> None:
    """Dots need no quotes, keywords are plain names after a dot, case is kept."""
    one = scope()
    filters.expression(text, one)
    assert list(one.hparams) == [name]


def test_metrics() -> None:
    """Tag and stream may stand in either quotes; one metric is looked up once."""
    one = scope()
    filters.condition("""min("a") < 1 and min('a') > 0 and last("b", 'eval') < max('c')""", one)
    assert list(one.metrics) == [("min", "a", None), ("last", "b", "eval"), ("max", "c", None)]


def test_times_are_utc() -> None:
    """A time with a zone is taken to UTC, and now() is the scope's."""
    assert values("created_at < '2025-01-31 18:00+02:00'") == {datetime(2025, 1, 31, 16)}
    assert values("created_at < now() - interval 3 day") == {NOW, "3 day"}


def test_literals_keep_their_type_and_text() -> None:
    """Whole numbers stay whole, the rest are floats, texts are as written."""
    assert values("points in (1, 2.5, 1e3, 99999999999999999999)") == {1, 2.5, 1e3, 1e20}
    assert values("name in ('it''s', ';--', '\U0001f600')") == {"it's", ";--", "\U0001f600"}


@pytest.mark.parametrize(
    "text, found",
    [
        ("resnet", ("resnet",)),
        ("  resnet   cifar-10 ", ("resnet", "cifar-10")),
        ("'two words' \"and more\" x", ("two words", "and more", "x")),
        ("exp/trial_3/*.log", ("exp/trial_3/*.log",)),
        ("modèle", ("modèle",)),
        ("true", None),
        ("hp.amp", None),
        ("a = b", None),
        ("a and b", None),
        ("'it''s' x", ("it's", "x")),
        ("'a'b", None),
        ("- -", None),
        ("", None),
        ("-" * 10_000, None),
    ],
)
def test_words(text: str, found: tuple[str, ...] | None) -> None:
    """Words and quoted phrases without an operator are a search, all else is an expression."""
    assert words.split(text) == found


def test_split_and_alias() -> None:
    """A list is cut at its outer commas only; `as` gives a name, sort keys a direction."""
    text = """name, round(hp.lr, 2) as "the rate", min('a,b', "c") as best ,"""
    parts = grammar.split(text)
    assert parts == ("name", 'round(hp.lr, 2) as "the rate"', "min('a,b', \"c\") as best")
    assert [grammar.alias(part)[1] for part in parts] == [None, "the rate", "best"]
    assert grammar.direction("-points") == (" points", True)
    assert grammar.direction("points desc") == ("points ", True)
    assert grammar.direction("-points asc") == ("-points ", False)
    with pytest.raises(FilterError, match="nothing stands before this comma"):
        grammar.split("name,,points")


_PIECES = st.sampled_from(
    [*FIELDS, *NOTES, *FUNCTIONS, "hp.lr", 'hp."a b"', "'x'", "'it''s'", '"t"', "1", "1e-3", "(", ")", ",",
     "and", "or", "not", "=", "<>", "<", "between", "in", "like", "~", "!~", "is", "null", "+", "-",
     "*", "/", "%", "interval", "'3 days'", "select", "from", "--", "/*", "*/", ";", "::", "[", "]",
     "case", "when", "end", "over", "as", "cast", "exists", "at time zone", "ignore nulls", ".",
     "symmetric", "any", "escape", "distinct", "filter", "{", "}", "$1", "?", "@", "->", "||"]
)  # fmt: skip
_HOSTILE = st.lists(_PIECES, max_size=12).map(" ".join) | st.text(max_size=60)


@given(_HOSTILE, st.booleans())
@example("\x00", False)
@example("'\x00' = name", False)
@example("$p0", True)
@example("name = '\ud800'", False)
@example("{{ x }} {% y %}", False)
@example("points = 1e999", False)
@example("points = ١", False)
def test_any_text_is_taken_or_refused(text: str, column: bool) -> None:
    """No text raises anything but FilterError within the text, none of it reaches the SQL."""
    one = scope(tags="run_tags", notes="run_notes")
    try:
        sql = filters.expression(text, one).sql if column else filters.condition(text, one)
    except FilterError as error:
        assert 0 <= error.position <= len(error.text)
        return
    assert OURS.fullmatch(sql)
    assert set(re.findall(r"[a-z_]{2,}", sql.lower())) <= _vocabulary()


def _vocabulary() -> set[str]:
    sql = """lower upper coalesce nullif greatest abs exp ln log round isnan isinf regexp_matches
        regexp_full_match contains concat_ws chr list_prepend cast as double varchar interval nan
        list_transform lambda and or not in is between null true false case when then else end select
        from where run_id series_parts hparams run_tags run_notes tag name value copies hp"""
    return {*sql.split(), *FIELDS, *NOTES}


@given(st.text(max_size=30))
def test_quoted_text_is_a_value(text: str) -> None:
    """Whatever a quoted text holds is compared as it is."""
    quoted = text.replace("'", "''")
    assert values(f"name = '{quoted}'") == {text}


@given(st.text(min_size=1, max_size=30))
def test_quoted_names_are_names(name: str) -> None:
    """Whatever a quoted name holds is the name of a hyperparameter or of a tag."""
    one, quoted = scope(), name.replace('"', '""')
    filters.condition(f'hp."{quoted}" > 1 and last("{quoted}") > 1', one)
    assert list(one.hparams) == [name]
    assert list(one.metrics) == [("last", name, None)]


@pytest.mark.parametrize("step", ["ln({})", "coalesce({}, 1)", "({} + 1)", "abs({})", "-({})"])
def test_sql_grows_with_the_text(step: str) -> None:
    """No value is written twice: what lies within it would double at each level."""
    text = "points"
    for _ in range(20):
        text = step.format(text)
    assert filters.condition(f"{text} between 1 and 2", scope()).count("points") == 1
    conditions = "(" * 16 + "points = 1" + ") between true and true" * 16
    assert filters.condition(conditions, scope()).count("points") == 1


def test_long_chains() -> None:
    """A chain of a few hundred conditions is no nesting, and what may nest can be read."""
    nested = "(not " * 16 + "(" * 16 + "points = 1" + ")" * 32
    assert filters.condition(nested, scope()).count("NOT") == 16
    text = " or ".join(f"points = {number}" for number in range(400))
    assert filters.condition(text, scope()).count(" OR ") == 399

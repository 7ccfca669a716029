"""The mathematics of the analysis page, run where it runs: fronts, loops, ranks, trends, brushes, places on axes."""

from __future__ import annotations

import json
import math
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from playwright.sync_api import Browser, Error, Page

_MODULES = (
    "maths",
    "brush",
    "axis",
    "tints",
    "scatter-picture",
    "parallel-picture",
    "data",
    "turn",
)
_QUICK = settings(max_examples=60, deadline=None)
# Few values, so that there are ties.
_SOME = st.one_of(st.sampled_from([0.0, 1.0, 2.0, 3.0]), st.floats(-5, 5), st.just(math.nan))
_POINTS = st.lists(st.tuples(_SOME, _SOME), max_size=30)


@pytest.fixture(scope="module")
def maths(browser: Browser, server_url: str) -> Any:
    """A function that runs *script* with the modules of the analysis page at hand as `m`."""
    page: Page = browser.new_context().new_page()
    page.goto(f"{server_url}/api")
    page.evaluate(
        """async (names) => {
        const base = document.querySelector('link[rel=stylesheet]').href.replace(/[^/]*$/, '');
        const found = await Promise.all(names.map((name) => import(`${base}analyze/${name}.js`)));
        window.m = Object.assign({}, ...found, await import(`${base}table/language.js`));
    }""",
        list(_MODULES),
    )

    def run(script: str, argument: Any = None) -> Any:
        return page.evaluate(script, argument)

    yield run
    page.context.close()


@given(_POINTS, st.sampled_from([1, -1]), st.sampled_from([1, -1]))
@example([(1.0, 1.0), (1.0, 1.0), (math.nan, 5.0), (2.0, 1.0), (1.0, 2.0)], 1, 1)
@_QUICK
def test_a_front_is_what_no_other_beats(
    maths: Any, points: list[tuple[float, float]], best_x: int, best_y: int
) -> None:
    """The same as by comparing every two; equal runs are both on it, NaN never is."""
    own = [(i, best_x * x, best_y * y) for i, (x, y) in enumerate(points) if not math.isnan(x + y)]
    expected = {
        i for i, x, y in own if not any(a >= x and b >= y and (a > x or b > y) for _, a, b in own)
    }
    asked = {"xs": [x for x, _ in points], "ys": [y for _, y in points], "a": best_x, "b": best_y}
    found = maths("({xs, ys, a, b}) => m.paretoFront(xs, ys, a, b)", asked)
    assert set(found) == expected
    assert len(found) == len(expected)


def test_a_front_among_some(maths: Any) -> None:
    """Runs that a mask leaves out beat nobody."""
    assert maths("() => m.paretoFront([1, 2, 3], [3, 2, 1], -1, -1, [0, 1, 1])") == [1, 2]
    assert maths("() => m.paretoFront([1, 0], [1, 0], -1, -1, [1, 0])") == [0]
    assert maths("() => m.paretoFront([], [], 1, 1)") == []


def test_the_line_of_a_front_passes_through_what_is_beaten(maths: Any) -> None:
    """Between two runs of a front it stands at the worse x and the worse y."""
    line = maths("() => m.stepLine([[1, 5], [2, 3], [4, 1]])")
    assert line == {"xs": [1, 2, 2, 4, 4], "ys": [5, 5, 3, 3, 1]}


def test_what_lies_within_a_loop(maths: Any) -> None:
    """By the even-odd rule, whatever its shape."""
    horseshoe = [[0, 0], [10, 0], [10, 10], [7, 10], [7, 3], [3, 3], [3, 10], [0, 10]]
    inside = [[1, 1], [1, 9], [9, 9], [5, 2]]
    outside = [[5, 5], [5, 9], [-1, 5], [11, 5], [5, -1]]
    asked = {"loop": horseshoe, "points": inside + outside}
    told = maths("({loop, points}) => points.map(([x, y]) => m.within(x, y, loop))", asked)
    assert told == [True] * 4 + [False] * 5
    xs, ys = zip(*(inside + outside), strict=True)
    asked = {"loop": horseshoe, "xs": [*xs, math.nan], "ys": [*ys, 1]}
    assert maths("({loop, xs, ys}) => m.caught(xs, ys, loop)", asked) == [0, 1, 2, 3]
    assert maths("() => m.caught([1], [1], [[0, 0], [2, 2]])") == []


@given(st.lists(st.integers(0, 6), max_size=25))
@_QUICK
def test_ranks_share_ties(maths: Any, values: list[int]) -> None:
    """Equal values have the mean of the ranks that they take."""
    expected = [
        (sum(v < one for v in values) + 1 + sum(v <= one for v in values)) / 2 for one in values
    ]
    assert maths("(values) => m.ranks(values)", values) == expected


@given(st.lists(st.tuples(st.floats(-10, 10), st.floats(-10, 10)), min_size=3, max_size=30))
@_QUICK
def test_a_trend_is_the_line_of_least_squares(
    maths: Any, points: list[tuple[float, float]]
) -> None:
    """As NumPy has it; runs without a value do not count."""
    rounded = [(round(x, 3), round(y, 3)) for x, y in points]
    xs, ys = np.array(rounded).T
    found = maths(
        "({xs, ys}) => m.trend(xs, ys)",
        {"xs": [math.nan, *xs.tolist()], "ys": [1, *ys.tolist()]},
    )
    if np.ptp(xs) == 0:
        assert found is None
        return
    if np.ptp(xs) < 0.1:
        return
    slope, start = np.polyfit(xs, ys, 1)
    assert found["n"] == len(xs)
    assert found["slope"] == pytest.approx(slope, abs=1e-6 * (1 + abs(slope)))
    assert found["start"] == pytest.approx(start, abs=1e-5 * (1 + abs(start)))
    if np.ptp(ys) > 0:
        assert found["r"] == pytest.approx(np.corrcoef(xs, ys)[0, 1], abs=1e-9)


def test_lines_end_at_the_window(maths: Any) -> None:
    """Cut where they cross its border, and gone where they lie beside it."""
    cut = maths("() => m.clipped([-5, 5, 20], [5, 5, 5], [0, 10], [0, 10])")
    assert [x for x in cut["xs"] if not math.isnan(x)] == [0, 5, 5, 10]
    assert maths("() => m.clipped([0, 10], [11, 11], [0, 10], [0, 10]).xs.length") == 0


@pytest.mark.parametrize(
    ("values", "scale", "usual"),
    [
        ([1e-4, 1e-3, 0.1], "auto", "log"),
        ([0.1, 0.2, 0.3], "auto", "linear"),
        ([0.0, 1.0, 1000.0], "auto", "linear"),
        ([-1.0, 0.0, 10.0], "log", "log"),
    ],
)
def test_places_on_logarithmic_axes(
    maths: Any, values: list[float], scale: str, usual: str
) -> None:
    """Rates have one by themselves; what is not above 0 has no place on it, and is counted."""
    axis = maths(
        """({values, scale}) => {
            const all = Float64Array.from([...values, NaN]);
            const axis = m.axisOf('hp.lr', { kind: 'number', values: all }, scale);
            return { ...axis, places: Array.from(axis.places) };
        }""",
        {"values": values, "scale": scale},
    )
    assert axis["scale"] == usual
    assert axis["none"] == 1
    below = sum(v <= 0 for v in values) if usual == "log" else 0
    assert axis["below"] == below
    for value, place in zip(values, axis["places"], strict=False):
        if usual == "log":
            assert place == pytest.approx(math.log10(value)) if value > 0 else math.isnan(place)
        else:
            assert place == value


def test_texts_are_categories_in_order(maths: Any) -> None:
    """run2 before run10; the rarest of very many are others."""
    axis = maths("""() => m.axisOf('hp.a', { kind: 'text', values: ['r10', 'r2', null, 'r2'] })""")
    assert axis["categories"] == ["r2", "r10"]
    assert axis["none"] == 1
    many = maths(
        """() => {
            const values = Array.from({ length: 200 }, (_, i) => `v${i}`);
            const axis = m.axisOf('hp.a', { kind: 'text', values });
            return [axis.categories.length, axis.categories.at(-1), Number.isFinite(axis.places[199])];
        }"""
    )
    assert many == [61, None, True]


def ask(url: str, path: str, **given: Any) -> Any:
    with urlopen(f"{url}/api/v1/{path}?{urlencode(given)}") as answer:
        return json.load(answer)


_BRUSHES: list[dict[str, Any]] = [
    {"hp.lr": [[0.01, 0.1]]},
    {"hp.lr": [[0.01, 0.01], [0.3, 1]], "hp.model": ["resnet50", "it's"]},
    {"hp.lr": [[]]},
    {"hp.lr": [[], [-1.7976931348623157e308, 0]]},
    {"hp.model": [None]},
    {'hp."model"': ["resnet18"]},
    {"archived": [False]},
    {"archived": [True]},
    {'last("train/loss") - first("train/loss")': [[-100, 0]]},
    {"created_at": [["2000-01-01T00:00:00Z", "2040-01-01T00:00:00Z"]]},
    {"created_at": [None]},
    {"duration_s": [[0, 100_000.5]], "state": ["finished", "running", "stalled"]},
    {'max("train/loss")': [[0, 1e12], []]},
    {"duration_s / 3600": [[1e-7, 24]]},
    {"coalesce(hp.lr, 1) * 2": [[0, 0.5]]},
]


@pytest.mark.parametrize("brush", _BRUSHES, ids=str)
@pytest.mark.parametrize("filter", ["", "vision", "state = 'finished' or hp.lr > 0"])
def test_the_page_and_the_server_leave_the_same_runs(
    maths: Any, server_url: str, brush: dict[str, Any], filter: str
) -> None:
    """A brush as a test of values, and as a condition beside any filter: words, or either-or."""
    found = maths(
        """async ({ brush, filter }) => {
            const data = await m.columnsOf({ filter }, Object.keys(brush));
            const mask = m.left(brush, data.columns, data.keys.length);
            const condition = m.conditionOf(brush);
            return { filter: m.both(filter, condition), keys: data.keys.filter((_, i) => mask[i]).sort() };
        }""",
        {"brush": brush, "filter": filter},
    )
    rows = ask(server_url, "runs", filter=found["filter"], columns="run_key", limit=1000)["rows"]
    assert sorted(row[1] for row in rows) == found["keys"]


@pytest.mark.parametrize(
    ("rubbish", "taken"),
    [
        ([[1, 2]], True), (["a", None, True], True), ([[]], True), ([["2020-01-01", "2021"]], True),
        ([], False), ([[2, 1]], False), ([[1]], False), ([[1, None]], False), ({}, False),
        ("a", False), ([["x", "y"]], False), (["x" * 2000], False), ([[1, 2]] * 300, False),
        (None, False), ([{}], False),
    ],
)  # fmt: skip
def test_what_a_brush_is(maths: Any, rubbish: Any, taken: bool) -> None:
    """Anything else from an address is left out."""
    assert maths("(value) => m.isBrush(value)", rubbish) is taken


def test_a_brush_is_drawn_where_it_was_dragged(maths: Any) -> None:
    """Pixels become values and the values the same pixels again, upside down and on a logarithmic axis too."""
    told = maths(
        """() => {
            const values = Float64Array.from([0.001, 0.01, 0.1, 1, NaN]);
            const found = [];
            for (const scale of ['linear', 'log']) for (const turned of [false, true]) {
                const axis = m.axisOf('hp.lr', { kind: 'number', values }, scale);
                const { rails: [rail] } = m.layout([axis], 600, 340, { inverted: new Set(turned ? ['hp.lr'] : []) });
                for (const [from, to] of [[40, 120], [rail.top, rail.foot], [200, 90], [100, rail.none]]) {
                    const parts = m.partsBetween(rail, from, to);
                    const spans = m.spansOf(rail, parts);
                    found.push({ from: Math.min(from, to), to: Math.max(from, to), foot: rail.foot, spans, parts });
                }
            }
            return found;
        }"""
    )
    assert len(told) == 16
    for one in told:
        first = one["spans"][0]
        assert first["from"] == pytest.approx(one["from"], abs=1.01), one
        assert first["to"] == pytest.approx(min(one["to"], one["foot"]), abs=1.01), one
        lacking = one["to"] > one["foot"]
        assert any(span.get("lacking") for span in one["spans"]) is lacking
        assert ([] in one["parts"]) is lacking


def test_the_whole_of_an_axis_leaves_every_value(maths: Any) -> None:
    """Rounding of what was dragged never loses the ends."""
    lost = maths(
        """() => {
            let lost = 0;
            for (let seed = 1; seed < 300; seed += 1) {
                const size = 10 ** (seed % 13 - 6);
                const any = (_, i) => Math.sin(seed * 12.9898 + i * 78.233) * size;
                const values = Float64Array.from({ length: 7 }, any);
                const axis = m.axisOf('x', { kind: 'number', values }, seed % 3 ? 'linear' : 'symlog');
                const { rails: [rail] } = m.layout([axis], 600, 340, { inverted: new Set() });
                const test = m.tester(m.partsBetween(rail, rail.top, rail.foot));
                lost += values.filter((value) => !test(value)).length;
            }
            return lost;
        }"""
    )
    assert lost == 0


def test_values_are_found_by_name_and_lists_are_refused(maths: Any) -> None:
    """An expression with a comma would be two columns, and shift those behind it."""
    values = """async (exprs) => {
        const { columns } = await m.columnsOf({ filter: "project = 'vision'" }, exprs);
        return exprs.map((expr) => Array.from(columns.get(expr).values, String));
    }"""
    lr, size = maths(values, ["hp.lr", "hp.batch_size"])
    assert lr != size
    assert maths(values, ["hp.batch_size", "coalesce(hp.lr, 0)", "hp.lr"])[::2] == [size, lr]
    with pytest.raises(Error, match="One expression is expected"):
        maths(values, ["hp.lr, hp.batch_size", "hp.model"])


def test_the_same_question_waits_for_its_answer(maths: Any) -> None:
    """Asked again while it is on its way it is neither given up nor doubled, and asked once more."""
    told = maths("""async () => {
        const turn = new m.Turn();
        const said = [];
        const held = [];
        const ask = (about, rest) => turn.take(about, async (signal) => {
            said.push(about);
            await new Promise((done) => held.push(done));
            said.push(signal.aborted ? `${about} given up` : `${about} answered`);
        }, rest);
        const settle = async () => {
            for (const done of held.splice(0)) done();
            await new Promise((done) => setTimeout(done));
        };
        ask("a"); ask("a"); ask("a");
        await settle();
        await settle();
        ask("a"); ask("b");
        await settle();
        ask("b", 1e6);
        await settle();
        turn.void();
        ask("b", 1e6);
        await settle();
        return said;
    }""")
    assert told == [
        "a", "a answered", "a", "a answered",
        "a", "b", "a given up", "b answered",
        "b", "b answered",
    ]  # fmt: skip

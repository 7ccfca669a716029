"""The mathematics of charts, run where it runs: in the browser."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from playwright.sync_api import Browser, Page

from boardlake.api.frames import encode
from boardlake.lake.curves import Chart, Curve


@pytest.fixture(scope="module")
def maths(browser: Browser, server_url: str) -> Any:
    """A function that runs *script* with the modules of charts at hand as `m`."""
    page: Page = browser.new_context().new_page()
    page.goto(f"{server_url}/api")
    page.evaluate("""async () => {
        const base = document.querySelector('link[rel=stylesheet]').href.replace(/[^/]*$/, '');
        const names = ['smooth', 'scale', 'expr', 'lines', 'picture'];
        const found = await Promise.all(names.map((name) => import(`${base}charts/${name}.js`)));
        const core = await Promise.all(['frame', 'split', 'format'].map((name) => import(`${base}core/${name}.js`)));
        window.m = Object.assign({}, ...found, ...core);
    }""")

    def run(script: str, argument: Any = None) -> Any:
        return page.evaluate(script, argument)

    yield run
    page.context.close()


def tensorboards_ema(values: list[float], weight: float) -> list[float]:
    """TensorBoard's classicSmoothing, as its source has it."""
    if all(value == values[0] for value in values):
        return list(values)
    last, count, out = 0.0, 0, []
    for value in values:
        if not math.isfinite(value):
            out.append(value)
            continue
        last = last * weight + (1 - weight) * value
        count += 1
        out.append(last / (1.0 if weight == 1 else 1.0 - weight**count))
    return out


FLOATS = st.lists(
    st.floats(-1e6, 1e6) | st.sampled_from([math.nan, math.inf, -math.inf]), min_size=1, max_size=60
)


def given_numbers(values: list[float]) -> list[float | str]:
    """*values* as JSON can carry them."""
    return [value if math.isfinite(value) else str(value) for value in values]


@settings(max_examples=80, deadline=None)
@given(values=FLOATS, weight=st.sampled_from([0.1, 0.5, 0.6, 0.9, 0.99, 0.999]))
def test_the_default_smoothing_is_tensorboards(
    maths: Any, values: list[float], weight: float
) -> None:
    """Every value as TensorBoard computes it, those that are not finite included."""
    got = maths(
        "([values, weight]) => Array.from(m.ema(values.map(Number), weight), String)",
        [[{"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}.get(str(v), v) for v in values],
         weight],
    )  # fmt: skip
    want = tensorboards_ema(values, weight)
    np.testing.assert_allclose([float(one) for one in got], want, rtol=1e-13, equal_nan=True)


@pytest.mark.parametrize("kind", ["ema", "twema", "gaussian", "mean"])
def test_smoothing_leaves_constants_and_gaps(maths: Any, kind: str) -> None:
    """A constant stays, a gap stays a gap, and nothing leaves the range of the values."""
    script = """([kind, y]) => Array.from(
        m.smooth(kind, y.map((_, i) => i * i), Float64Array.from(y, (v) => v === null ? NaN : v), 0.9))"""
    same = maths(script, [kind, [3.5] * 50])
    assert same == pytest.approx([3.5] * 50)
    values: list[float | None] = [math.sin(i) for i in range(80)]
    values[40] = None
    got = maths(script, [kind, values])
    assert got[40] is None or math.isnan(got[40])
    rest = [one for i, one in enumerate(got) if i != 40]
    assert min(rest) >= -1.0 and max(rest) <= 1.0
    assert np.std(rest) < np.std([one for one in values if one is not None])


def test_running_mean_and_gaussian_are_what_they_say(maths: Any) -> None:
    """The mean of the last points; a symmetric kernel that sums to one."""
    y = [float(i % 7) for i in range(100)]
    span = maths("(n) => m.span(n, 0.6)", 100)
    got = maths("(y) => Array.from(m.runningMean(y, 0.6))", y)
    assert got == pytest.approx([np.mean(y[max(0, i - span + 1) : i + 1]) for i in range(100)])
    impulse = [0.0] * 101
    impulse[50] = 1.0
    bump = maths("(y) => Array.from(m.gaussian(y, 0.5))", impulse)
    assert bump == pytest.approx(bump[::-1]) and sum(bump) == pytest.approx(1.0, rel=1e-6)


@pytest.mark.parametrize(
    ("text", "tags", "value"),
    [
        ('"train/loss" - "val/loss"', ["train/loss", "val/loss"], -1.0),
        ('log10("a" * 50)', ["a"], 2.0),
        ("1 - acc", ["acc"], -1.0),
        ('2 ^ 3 ^ "x"', ["x"], 512.0),
        ('-"x" ^ 2', ["x"], -4.0),
        ('max("a", b, 2.5e0) / (b)', ["a", "b"], 1.0),
        ('"say ""hi"""', ['say "hi"'], 2.0),
    ],
)
def test_expressions(maths: Any, text: str, tags: list[str], value: float) -> None:
    """Tags get the values 2, 3, 4 in the order in which they are named."""
    got = maths("(t) => { const p = m.parse(t); return [p.tags, p.run([2, 3, 4])]; }", text)
    assert got == [tags, pytest.approx(value)]


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ('"a" +', "expected at the end"),
        ("system(1)", "there is no function system"),
        ("3 + 4", "no tag is named"),
        ('"a" ; alert(1)', "not understood"),
        ("(" * 100 + "x", "too many brackets"),
        ("x" * 2000, "at most"),
        ('constructor("a")', "there is no function"),
    ],
)
def test_bad_expressions_are_refused_with_words(maths: Any, text: str, part: str) -> None:
    """Nothing is ever run as code."""
    got = maths("(t) => { try { m.parse(t); return ''; } catch (e) { return e.message; } }", text)
    assert part in got


@settings(max_examples=200, deadline=None)
@given(low=st.floats(-1e9, 1e9), size=st.floats(1e-6, 1e9), most=st.integers(2, 12))
@example(low=900719926.0, size=1e-6, most=10)
@example(low=-1e9, size=1.2e-7, most=2)
def test_ticks_are_round_and_within(maths: Any, low: float, size: float, most: int) -> None:
    """Evenly spaced, inside the axis, neither none nor too many."""
    ticks = maths("([a, b, n]) => m.steps(a, b, n)", [low, low + size, most])
    slack = 1e-6 * max(abs(low), size)
    assert all(low - slack <= one <= low + size + slack for one in ticks)
    assert len(ticks) <= 2 * most + 2
    gaps = np.diff(ticks)
    assert len(gaps) == 0 or np.allclose(gaps, gaps[0], rtol=1e-3, atol=slack)


@pytest.mark.parametrize("name", ["linear", "log", "symlog"])
def test_scales_go_there_and_back(maths: Any, name: str) -> None:
    """place and value undo each other; what has no logarithm has no place."""
    for value in (1e-6, 0.3, 1.0, 7.5e8):
        got = maths(
            "([n, v]) => { const s = m.scaleOf(n, 1); return s.value(s.place(v)); }", [name, value]
        )  # noqa: E501
        assert got == pytest.approx(value)
    if name == "log":
        assert maths("() => Number.isNaN(m.scaleOf('log').place(-1))")


def test_a_frame_is_read_as_it_was_written(maths: Any) -> None:
    """What the server packs, the browser unpacks: both kinds of charts, aligned columns."""
    exact = Curve(7, "val", 3, np.array([0.0, 1.0, 5.0]), np.array([1.0, np.nan, -2.5]),
                  special=[(1.0, "NaN")], restarts=[5.0])  # fmt: skip
    grid = np.array([0.5, 1.5])
    bucket = Curve(9, "", 12, None, np.array([1.0, 2.0]), np.array([0.5, 1.5]),
                   np.array([1.5, 2.5]), None, np.array([5, 7], np.uint32))  # fmt: skip
    charts = [Chart("ä/loss", (0.0, 5.0), None, [exact]), Chart("b", (0.0, 2.0), grid, [bucket])]
    frame = list(encode(charts, 42))
    got = maths("""(bytes) => {
        const found = m.decode(new Uint8Array(bytes).buffer);
        const list = (values) => values && Array.from(values, String);
        return [found.snapshot, found.charts.map((c) => [c.tag, c.exact, list(c.grid), c.series.map((s) =>
            [s.run_id, s.stream, s.n, list(s.x), list(s.y), list(s.min), list(s.count), s.special, s.restarts])])];
    }""", frame)  # fmt: skip
    assert got == [42, [
        ["ä/loss", True, None, [[7, "val", 3, ["0", "1", "5"], ["1", "NaN", "-2.5"], None, None,
                                 [[1, "NaN"]], [5]]]],
        ["b", False, ["0.5", "1.5"], [[9, "", 12, None, ["1", "2"], ["0.5", "1.5"], ["5", "7"],
                                       [], []]]],
    ]]  # fmt: skip


def test_lists_are_parted_as_the_server_parts_them(maths: Any) -> None:
    """Commas within quotes and brackets part nothing."""
    from boardlake.lake.grammar import split

    for text in ('name, hp.lr, min("a,b") as x', "f(a, b), 'c,d'", "a", ""):
        want = [part.strip() for part in split(text) if part.strip()]
        assert maths("(t) => m.split(t)", text) == want

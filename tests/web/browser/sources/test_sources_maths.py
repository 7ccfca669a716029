"""The pure parts of the page of sources: columns of cycles, silence, health."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from playwright.sync_api import Browser


@pytest.fixture(scope="module")
def bins(browser: Browser, server_url: str) -> Iterator[Callable[..., Any]]:
    """A function that runs a script with the modules of columns and of health at hand as `m`."""
    page = browser.new_context().new_page()
    page.goto(f"{server_url}/api")
    page.evaluate("""async () => {
        const base = document.querySelector('link[rel=stylesheet]').href.replace(/[^/]*$/, '');
        window.m = { ...await import(`${base}sources/bins.js`), ...await import(`${base}sources/health.js`) };
    }""")
    yield page.evaluate
    page.context.close()


_CYCLES = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "constructor", "__proto__"]),
        st.floats(0, 80_000), st.floats(0, 6_000), st.integers(0, 1000), st.integers(1, 9),
    ),
    max_size=30,
)  # fmt: skip


@settings(max_examples=60)
@given(cycles=_CYCLES, most=st.integers(1, 400))
def test_columns_lose_nothing(bins: Callable[..., Any], cycles: list[Any], most: int) -> None:
    """However cycles fall into columns, the sums of each source stay."""
    given_ = [
        {"source": source, "from": start, "to": start + length, "cycles": many, "seconds": length,
         "bytes_read": amount, "points": amount, "requests": 1, "problems": 0, "files_changed": 0}
        for source, start, length, amount, many in cycles
    ]  # fmt: skip
    got = bins(
        """([cycles, most]) => {
            const { columns } = m.binned(cycles, 0, 86400, most);
            const sums = {};
            for (const column of columns) for (const [name, cell] of column ?? []) {
                const one = sums[`s ${name}`] ??= [0, 0, 0];
                one[0] += cell.values.bytes_read; one[1] += cell.cycles; one[2] += cell.seconds;
            }
            return [sums, columns.length];
        }""",
        [given_, most],
    )
    sums, count = got
    assert count <= most + 1
    for name in {one["source"] for one in given_}:
        own = [one for one in given_ if one["source"] == name]
        whole = [sum(one[key] for one in own) for key in ("bytes_read", "cycles", "seconds")]
        assert sums[f"s {name}"] == pytest.approx(whole, rel=1e-6, abs=1e-6)


def test_silence_is_told(bins: Callable[..., Any]) -> None:
    """A stretch without a cycle, longer than three times what is usual; the last one up to now."""
    cycles = [{"from": 60 * i, "to": 60 * i + 5} for i in range(10)]
    cycles += [{"from": 3000 + 60 * i, "to": 3000 + 60 * i + 5} for i in range(10)]
    told = bins("([cycles, now]) => m.gaps(cycles, now, null, 1)", [cycles, 4000])
    assert told == [[545, 3000], [3545, 4000]]
    assert bins("([cycles, now]) => m.gaps(cycles, now, null, 1)", [cycles[:10], 600]) == []
    assert bins("([cycles, now]) => m.gaps(cycles, now, null, 1)", [[], 600]) == []
    # What nobody could see is none.
    assert bins("([cycles, now]) => m.gaps(cycles, now, null, 1e5)", [cycles, 4000]) == []


@pytest.mark.parametrize(
    ("lag", "usual", "error", "state"),
    [
        (None, None, None, "never"),
        (10, 600, None, "fresh"),
        (1800, 600, None, "fresh"),
        (1801, 600, None, "late"),
        # A cycle may take longer than the usual distance of short ones.
        (29, 2, None, "fresh"),
        (31, 2, None, "late"),
        (3600, None, None, "fresh"),
        (90_000, None, None, "late"),
        (10, 600, "no such folder", "unreadable"),
    ],
)
def test_health(
    bins: Callable[..., Any], lag: float | None, usual: float | None, error: str | None, state: str
) -> None:
    """What the distance to the last cycle says of a source."""
    last = None if lag is None else "2026-01-01T00:00:00Z"
    source = {"last_cycle_at": last, "lag_s": lag, "usual_s": usual, "error": error}
    assert bins("(source) => m.healthOf(source)", source) == state
    off = {"skipped": "no requests are left", "error": None}
    put_off = bins("(source) => m.healthOf(source)", source | {"cycle": off})
    assert put_off == ("put off" if state == "fresh" else state)
    if last:
        down = source | {"cycle": {"error": "no route", "skipped": None}}
        assert bins("(source) => [m.healthOf(source), m.reasonOf(source)]", down) == [
            "unreadable",
            error or "no route",
        ]

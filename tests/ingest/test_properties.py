"""Whatever the pieces, cycles and order in which files arrive, the lake holds the same rows."""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from collections.abc import Callable
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from boardlake.ingest.sample import forms
from boardlake.ingest.sample.writer import EventWriter

WALL = 1_700_000_000.0
PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)
NAMES = [
    "events.out.tfevents.1700000000.host.7.0",
    "events.out.tfevents.1700000500.host.8.0",
    "events.out.tfevents.1700000900.other.9.0.v2",
    "nameless.tfevents",
]
# Exact in float32, so that a simple value is the value that was drawn.
numbers = st.integers(-(1 << 20), 1 << 20).map(lambda n: n / 64)
odd = st.sampled_from([math.nan, math.inf, -math.inf])
values = st.one_of(numbers, numbers, numbers, odd)
FORMS: dict[str, Callable[[float], Any]] = {
    "loss": lambda x: forms.simple("loss", x),
    "acc/top": lambda x: forms.simple("acc/top", x),
    "tf2": lambda x: forms.scalar_tensor("tf2", x, description="said once"),
    "double": lambda x: forms.scalar_tensor("double", x, "float64"),
    "new": lambda x: forms.scalar_new_style("new", x),
    "vector": lambda x: forms.tensor_value("vector", np.array([x, 1.5], "f4"), None),
    "number": lambda x: forms.tensor_value(
        "number", np.array(x, "f4"), forms.plugin_metadata("mine", b"content")
    ),
    "weights": lambda x: forms.histogram("weights", [0.5, 1.0, 2.0]),
    "weights2": lambda x: forms.histogram_tensor("weights2", [0.5, 1.0, 2.0]),
    "image": lambda x: forms.image("image", PNG, 4, 3),
    "images2": lambda x: forms.image_tensor("images2", [PNG, PNG + b"2"], 4, 3),
    "sound": lambda x: forms.audio_tensor("sound", [b"RIFFaaaaWAVE", b"b"], ["one", "two"]),
    "words": lambda x: forms.text("words", f"text {x}"),
    "rows": lambda x: forms.text_tensor("rows", [["a", "b"], ["c", str(x)]]),
}
events = st.tuples(
    st.integers(0, 6),
    st.lists(st.tuples(st.sampled_from(list(FORMS)), values), min_size=1, max_size=3),
)
# An example costs a second, since it commits; to shrink one by hundreds of others is for a human.
BOUNDED = settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
files = st.lists(st.lists(events, max_size=14), min_size=1, max_size=4)


def encode(found: list[Any]) -> bytes:
    """An event file; as TF2 and TF1 do, a tag is described in its first event only."""
    out = BytesIO()
    writer = EventWriter(out)
    writer.file_version(WALL)
    seen: set[str] = set()
    for number, (step, summary) in enumerate(found):
        made = []
        for name, value in summary:
            form = FORMS[name](value)
            if form.tag in seen:
                form.ClearField("metadata")
            seen.add(form.tag)
            made.append(form)
        writer.values(made, step, WALL + number / 8)
    return out.getvalue()


def views(house: Any) -> list[str]:
    """What the views say that people query."""
    texts = "SELECT stream, tag, step, wall_time, text, shape, attempt FROM texts"
    histograms = 'SELECT stream, tag, step, "left", "right", "count", attempt FROM histograms'
    scalars = "SELECT stream, tag, step, wall_time, value, attempt, time FROM scalars"
    runs = "SELECT path, attempts, points, last_step, created_at, last_event_at FROM runs"
    return sorted(
        repr(row) for sql in (texts, histograms, scalars, runs) for row in house.query(sql)
    )


EXACT = (
    "stream, tag, kind, plugin, description, display_name, points, superseded, first_step,"
    ' last_step, first_wall_time, last_wall_time, "first", "last", "min", min_step, "max", max_step, nan_count,'
    " nan_step, inf_count, inf_step, attempts, data_class, content"
)


def series(house: Any) -> dict[tuple[str, str], tuple[float, float]]:
    """Mean and standard deviation by the rest of a series' row."""
    rows = house.query(f"SELECT {EXACT}, mean, std FROM series")
    return {repr(row[:-2]): row[-2:] for row in rows}


def assert_same_series(found: Any, wanted: Any) -> None:
    """Equal to the last bit, but for the two figures that are sums in another order."""
    assert sorted(found) == sorted(wanted)
    for key, figures in wanted.items():
        for have, want in zip(found[key], figures, strict=True):
            same = have == want or math.isclose(have, want, rel_tol=1e-9, abs_tol=1e-6)
            assert same, (key, have, want)


@BOUNDED
@given(found=files, data=st.data())
def test_pieces_give_the_same_rows_as_the_whole(
    build: Callable[[], Any], found: list[Any], data: st.DataObject
) -> None:
    """Files that grow at random over cycles, interleaved, appearing in any order: the same lake."""
    contents = dict(zip(NAMES, map(encode, found), strict=False))
    whole, grown = build(), build()
    with whole.lake, grown.lake:
        for name, content in contents.items():
            (whole.source / name).write_bytes(content)
        whole.cycle()
        done = dict.fromkeys(contents, 0)
        for _ in range(data.draw(st.integers(1, 3))):
            chosen = data.draw(st.sets(st.sampled_from(sorted(contents)), min_size=1))
            for name in sorted(chosen):
                done[name] = data.draw(st.integers(done[name], len(contents[name])))
                (grown.source / name).write_bytes(contents[name][: done[name]])
            piece = data.draw(st.sampled_from([200, 1 << 20]))
            grown.cycle(piece=piece, batch=data.draw(st.sampled_from([2, 1000])))
        for name, content in contents.items():
            (grown.source / name).write_bytes(content)
        grown.cycle()
        assert grown.points() == whole.points()
        assert views(grown) == views(whole)
        assert_same_series(series(grown), series(whole))
        assert grown.kinds() == whole.kinds() == []


def live(points: list[tuple[int, float, float]]) -> list[tuple[int, float, float]]:
    """TensorBoard's data server: a point drops all earlier ones with its step or a later one."""
    kept: list[tuple[int, float, float]] = []
    for point in points:
        while kept and kept[-1][0] >= point[0]:
            kept.pop()
        kept.append(point)
    return kept


scalar_files = st.lists(
    st.lists(st.tuples(st.sampled_from(["a", "b"]), st.integers(-3, 9), values), max_size=12),
    min_size=1,
    max_size=4,
)


@BOUNDED
@given(found=scalar_files)
def test_scalars_are_what_tensorboard_would_show(
    build: Callable[[], Any], found: list[Any]
) -> None:
    """`scalars` follows the data server's preemption over all files; `series` is its summary."""
    made = build()
    # By the time in the name, and what has none comes first.
    order = [NAMES[3], *NAMES[:3]][: len(found)]
    told: dict[str, list[tuple[int, float, float]]] = defaultdict(list)
    with made.lake:
        for number, (name, points) in enumerate(zip(order, found, strict=True)):
            with EventWriter(made.source / name) as writer:
                for index, (tag, step, value) in enumerate(points):
                    wall = WALL + number + index / 100
                    writer.scalar(tag, value, step, wall)
                    told[tag].append((step, wall, value))
            if number % 2:
                made.cycle()
        made.cycle()
        for tag, points in told.items():
            curve = live(points)
            rows = made.query(
                "SELECT step, wall_time, value FROM scalars WHERE tag = ? ORDER BY step", tag
            )
            assert list(map(repr, rows)) == list(map(repr, curve))
            _assert_summary(made, tag, points, curve)


def _assert_summary(made: Any, tag: str, points: list[Any], curve: list[Any]) -> None:
    (row,) = made.query(
        "SELECT points, superseded, first_step, last_step, last_wall_time, nan_count, inf_count,"
        " first_wall_time, nan_step, inf_step,"
        ' "min", min_step, "max", max_step, attempts, "first", "last" FROM series WHERE tag = ?',
        tag,
    )
    finite = [(value, step) for step, _, value in curve if math.isfinite(value)]
    low = min(finite, default=(None, None))
    high = max(finite, key=lambda pair: (pair[0], -pair[1]), default=(None, None))
    backs = sum(1 for one, two in zip(points, points[1:], strict=False) if two[0] < one[0])
    assert repr(row) == repr(
        (
            len(curve),
            len(points) - len(curve),
            curve[0][0],
            curve[-1][0],
            curve[-1][1],
            sum(math.isnan(point[2]) for point in curve),
            sum(math.isinf(point[2]) for point in curve),
            curve[0][1],
            next((step for step, _, value in curve if math.isnan(value)), None),
            next((step for step, _, value in curve if math.isinf(value)), None),
            *low,
            *high,
            backs + 1,
            curve[0][2],
            curve[-1][2],
        )
    )
    ((mean, std),) = made.query("SELECT mean, std FROM series WHERE tag = ?", tag)
    drawn = [value for value, _ in finite]
    assert mean == (pytest.approx(statistics.fmean(drawn), rel=1e-9, abs=1e-6) if drawn else None)
    spread = statistics.stdev(drawn) if len(drawn) > 1 else None
    assert std == (pytest.approx(spread, rel=1e-9, abs=1e-6) if spread is not None else None)

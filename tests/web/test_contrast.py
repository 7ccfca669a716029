"""Runs side by side over HTTP: values aligned with runs, taken from the lake's own tables."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from boardlake.api.answers import plain
from boardlake.api.service import Service
from boardlake.ingest.sample.writer import EventWriter

WALL = 1_700_000_000.0


def get(client: FlaskClient, path: str, **query: object) -> Any:
    answer = client.get(f"/api/v1/{path}", query_string=query)
    assert answer.status_code == 200, answer.text
    return answer.get_json()


@pytest.fixture
def some(service: Service) -> list[int]:
    """Runs with metrics and hyperparameters, in no order."""
    with service.cursor() as con:
        rows = con.execute(
            "SELECT DISTINCT run_id FROM series JOIN hparams USING (run_id)"
            " WHERE kind = 'scalar' ORDER BY hash(run_id) LIMIT 12"
        ).fetchall()
    return [run_id for (run_id,) in rows]


def listed(ids: list[int]) -> str:
    return ",".join(map(str, ids))


@pytest.mark.parametrize("stat", ["last", "first", "min", "max", "mean"])
def test_metrics_are_the_statistics_of_series(
    client: FlaskClient, service: Service, some: list[int], stat: str
) -> None:
    """Every series of every run, each value in its run's place, with the step that it is from."""
    found = get(client, "compare", runs=listed(some), stat=stat)
    assert [run["run_id"] for run in found["runs"]] == some
    step = "NULL" if stat == "mean" else f"{stat}_step"
    with service.cursor() as con:
        truth = con.execute(
            f"SELECT run_id, tag, stream, \"{stat}\", {step} FROM series WHERE kind = 'scalar'"
        ).fetchall()
    expected = {row[:3]: (plain(row[3]), row[4]) for row in truth if row[0] in some}
    given = {
        (run, one["tag"], one["stream"]): (value, at)
        for one in found["metrics"]
        for run, value, at in zip(some, one["values"], one["steps"], strict=True)
        if (run, one["tag"], one["stream"]) in expected
    }
    assert given == expected
    count = sum(value is not None for one in found["metrics"] for value in one["values"])
    assert count == sum(value is not None for value, _ in expected.values())
    assert found["metrics_total"] == len(found["metrics"])
    assert all(one["deltas"] is None for one in found["metrics"])


def test_deltas_are_against_the_baseline(client: FlaskClient, some: list[int]) -> None:
    """What is missing on either side has none; the baseline's own are zero."""
    seen = 0
    for place, base in enumerate(some):
        found = get(client, "compare", runs=listed(some), baseline=base)
        assert found["baseline"] == base
        for one in found["metrics"]:
            against = one["values"][place]
            for value, delta, relative in zip(
                one["values"], one["deltas"], one["relative"], strict=True
            ):
                if not all(isinstance(number, float | int) for number in (value, against)):
                    continue
                seen += 1
                assert math.isclose(delta, value - against, abs_tol=1e-12)
                if against:
                    assert math.isclose(relative, (value - against) / abs(against), abs_tol=1e-12)
            if against is None:
                assert set(one["deltas"]) == {None}
    assert seen > 12 * len(some)


def test_what_differs_is_told(client: FlaskClient, some: list[int]) -> None:
    """Of fields, hyperparameters and metrics alike: two values, or one that is missing."""
    found = get(client, "compare", runs=listed(some))
    for kind in ("fields", "hparams", "metrics"):
        assert found[kind]
        for one in found[kind]:
            assert len(one["values"]) == len(some)
            assert one["differs"] == (len({repr(value) for value in one["values"]}) > 1), one
    alone = get(client, "compare", runs=some[0])
    assert not any(one["differs"] for kind in ("fields", "hparams") for one in alone[kind])


def test_hparams_are_what_a_filter_sees(
    client: FlaskClient, service: Service, some: list[int]
) -> None:
    """The expression of each name gives, as a column, the same values."""
    found = get(client, "hparams", runs=listed(some))
    assert len(found["hparams"]) > 5
    for one in found["hparams"]:
        assert one["origins"] is None
        rows = get(
            client, "runs", columns=f"{one['expr']} as v", limit=10_000, duplicates=True,
            archived=True,
        )["rows"]  # fmt: skip
        column = dict(rows)
        values = [column[run] for run in some]
        if one["numeric"]:
            assert list(map(float_or_none, values)) == one["values"], one["name"]
        else:
            assert list(map(as_text, values)) == list(map(as_text, one["values"])), one["name"]


def float_or_none(value: Any) -> float | None:
    return None if value is None else float(value)


def as_text(value: Any) -> str:
    return str({True: 1.0, False: 0.0, "True": 1.0, "False": 0.0}.get(value, value)).lower()


def test_every_origin(client: FlaskClient, service: Service, some: list[int]) -> None:
    """As many as the lake has, the one that counts first."""
    found = get(client, "hparams", runs=listed(some), origins=True)
    with service.cursor() as con:
        ((count,),) = con.execute(
            "SELECT count(*) FROM hparams WHERE run_id IN (SELECT unnest(?))", [some]
        ).fetchall()
    assert sum(len(cell) for one in found["hparams"] for cell in one["origins"]) == count
    assert any(len(cell) > 1 for one in found["hparams"] for cell in one["origins"])


def test_hparams_of_a_filter(client: FlaskClient, some: list[int]) -> None:
    """A filter alone, a list alone, or what both have."""
    by_filter = get(client, "hparams", filter="machine = 'laptop'")
    rows = get(client, "runs", filter="machine = 'laptop'", limit=10_000)["rows"]
    assert [run["run_id"] for run in by_filter["runs"]] == [row[0] for row in rows]
    both = get(client, "hparams", filter="machine = 'laptop'", runs=listed(some))
    laptop = {run["run_id"] for run in get(client, "hparams", runs=listed(some))["runs"]
              if run["machine"] == "laptop"}  # fmt: skip
    assert {run["run_id"] for run in both["runs"]} == laptop


def test_types_and_values_that_are_not_finite(
    filled: Callable[..., tuple[FlaskClient, Service]],
) -> None:
    """Numbers stay numbers, booleans booleans; NaN goes by its name and is like itself."""

    def write(writer: EventWriter, value: float, more: dict[str, Any]) -> None:
        writer.hparams({"lr": 0.1, "flag": "x", **more}, [], WALL)
        writer.scalar("loss", value, 1, WALL)
        writer.scalar("zero", 0.0, 1, WALL)

    client, service = filled({
        "a": lambda w: write(w, math.nan, {"depth": 3}),
        "b": lambda w: write(w, math.nan, {}),
        "c": lambda w: write(w, 2.0, {"depth": 4}),
    })  # fmt: skip
    with service.cursor() as con:
        ids = dict(con.execute("SELECT name, run_id FROM runs").fetchall())
    found = get(client, "compare", runs=f"{ids['a']},{ids['b']}", baseline=ids["a"])
    loss, zero = found["metrics"]
    assert (loss["values"], loss["differs"]) == (["NaN", "NaN"], False)
    assert zero["deltas"] == [0, 0] and zero["relative"] == [None, None]
    hparams = {one["name"]: one for one in found["hparams"]}
    assert hparams["lr"]["values"] == [0.1, 0.1] and not hparams["lr"]["differs"]
    assert hparams["depth"]["values"] == [3, None] and hparams["depth"]["differs"]
    assert hparams["flag"]["values"] == ["x", "x"] and not hparams["flag"]["numeric"]


@pytest.mark.parametrize(
    ("query", "status", "text"),
    [
        ("", 400, "runs"),
        ("runs=999999", 404, "no run with run_id 999999"),
        ("runs=1&baseline=2", 400, "not one of the runs"),
        ("runs=1&stat=median", 400, "stat"),
        (f"runs={','.join(map(str, range(201)))}", 400, "200"),
    ],
)
def test_what_cannot_be_compared(client: FlaskClient, query: str, status: int, text: str) -> None:
    """The error names what is wrong."""
    answer = client.get(f"/api/v1/compare?{query}")
    assert answer.status_code == status and text in answer.get_json()["error"]["message"]

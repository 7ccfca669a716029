"""The best run of each group and how its values lie: as pandas has it from the runs themselves."""

from __future__ import annotations

import io
import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from flask.testing import FlaskClient

from boardlake.api.service import Service
from boardlake.ingest.sample.writer import EventWriter

WALL = 1_700_000_000.0
Filled = Callable[..., tuple[FlaskClient, Service]]


def get(client: FlaskClient, path: str, **query: object) -> Any:
    answer = client.get(f"/api/v1/{path}", query_string=query)
    assert answer.status_code == 200, answer.text
    return answer.get_json()


def rows(answer: Any) -> list[dict[str, Any]]:
    """The rows of an answer by the names of its columns."""
    names = [one["name"] for one in answer["columns"]]
    return [dict(zip(names, row, strict=True)) for row in answer["rows"]]


def frame(client: FlaskClient, **query: object) -> pd.DataFrame:
    """Runs, as they are without groups."""
    answer = get(client, "runs", limit=100_000, **query)
    return pd.DataFrame(answer["rows"], columns=[one["name"] for one in answer["columns"]])


@pytest.fixture
def tasks(filled: Filled) -> FlaskClient:
    """Runs of three tasks: two that tie, one that has NaN and infinities, one without the metric."""

    numbers = itertools.count()

    def run(task: str, **values: float) -> Callable[[EventWriter], None]:
        number = next(numbers)

        def write(writer: EventWriter) -> None:
            # Runs that begin with the same records would be copies.
            writer.scalar("number", number, 0, WALL)
            writer.hparams({"task": task}, [], WALL)
            for tag, value in values.items():
                for step, one in enumerate((value + 1, value, value + 0.5)):
                    writer.scalar(tag, one, 10 * step, WALL + step)

        return write

    runs = {
        "a1": run("a", loss=0.5), "a2": run("a", loss=0.25), "a3": run("a", loss=0.25),
        "a4": run("a", loss=4.0), "b1": run("b", loss=math.nan), "b2": run("b", loss=3.0),
        "b3": run("b", loss=-math.inf), "c1": run("c", acc=1.0), "d1": lambda _: None,
    }  # fmt: skip
    return filled(runs)[0]


def test_the_best_run_of_each_group(tasks: FlaskClient) -> None:
    """NaN and infinities never win and are not counted; ties are, and the first found is told; the
    step is the one at which the value was reached; a missing key is a group of its own."""
    asked = {"group_by": "hp.task as task", "metric": 'min("loss")', "direction": "min"}
    answer = get(tasks, "best", **asked)
    assert (answer["keys"], answer["total"], answer["left_out"]) == (["task"], 2, 2)
    a, b = rows(answer)
    assert (a["task"], a["runs"], a["values"], a["best"], a["best_step"]) == ("a", 4, 4, 0.25, 10)
    first = get(tasks, "runs", columns="name", filter="name in ('a2', 'a3')", sort="run_id")
    assert (a["best_run"], a["ties"]) == (first["rows"][0][1], 1)
    assert (a["mean"], a["median"]) == (1.25, 0.375)
    assert a["std"] == pytest.approx(np.std([0.5, 0.25, 0.25, 4.0], ddof=1))
    assert (b["task"], b["runs"], b["values"], b["best"], b["ties"]) == ("b", 3, 1, 3.0, 0)
    assert (b["best_run"], b["std"]) == ("b2", None)
    every = get(tasks, "best", **asked, least=0)
    assert [row["task"] for row in rows(every)] == ["a", "b", "c", None]
    assert [row["values"] for row in rows(every)] == [4, 1, 0, 0]
    assert rows(every)[2]["best_run_key"] is None
    assert [row["task"] for row in rows(get(tasks, "best", **asked, least=2))] == ["a"]


def test_the_other_end_is_the_better_one(tasks: FlaskClient) -> None:
    """The largest value wins where more is better, and comes first."""
    asked = {"group_by": "hp.task", "metric": 'max("loss")', "direction": "max"}
    a, b = rows(get(tasks, "best", **asked))
    assert (a["best_run"], a["best"], a["best_step"]) == ("a4", 5.0, 0)
    assert (b["best_run"], b["best"]) == ("b2", 4.0)
    asked["sort"] = "-best"
    assert [row["best"] for row in rows(get(tasks, "best", **asked))] == [4.0, 5.0]


def test_a_metric_without_a_step(tasks: FlaskClient) -> None:
    """An expression of several values has none."""
    asked = {"group_by": "hp.task", "metric": 'min("loss") * 2', "direction": "min"}
    assert [row["best_step"] for row in rows(get(tasks, "best", **asked))] == [None, None]


@pytest.mark.parametrize("direction", ["min", "max"])
@pytest.mark.parametrize(
    ("group_by", "metric"),
    [("project", 'min("val/loss")'), ("project,hp.model", 'max("val/acc1")'),
     ("hp.lr", 'last("train/loss") / 2'), ("machine", "points"), ("hp.model", "hp.lr")],
)  # fmt: skip
def test_best_and_boxes_are_of_all_runs(
    client: FlaskClient, group_by: str, metric: str, direction: str
) -> None:
    """Every number of the samples, as pandas computes it from the runs one by one."""
    keys = group_by.split(",")
    every = frame(client, columns=f"run_key,{group_by},{metric} as value_")
    every["value_"] = pd.to_numeric(every["value_"], errors="coerce")
    expected = {
        tuple(None if one != one else one for one in key): group
        for key, group in every.groupby(keys, dropna=False)
    }
    asked = {"group_by": group_by, "metric": metric}
    found = rows(get(client, "best", **asked, direction=direction, least=0))
    shown = rows(get(client, "boxes", **asked))
    assert len(found) == len(shown) == len(expected) > 1
    for row in found:
        box = next(one for one in shown if all(one[key] == row[key] for key in keys))
        group = expected[tuple(row[one] for one in keys)]
        values = group["value_"].dropna()
        assert row["runs"] == box["runs"] == len(group)
        assert row["values"] == box["values"] == len(values)
        if values.empty:
            assert row["best"] is box["median"] is None and box["points"] == []
            continue
        top = values.min() if direction == "min" else values.max()
        assert row["best"] == top
        assert row["best_run_key"] in set(group.loc[group["value_"] == top, "run_key"])
        assert row["ties"] == (values == top).sum() - 1
        quartiles = np.quantile(values, [0.25, 0.5, 0.75])
        assert [box["q1"], box["median"], box["q3"]] == pytest.approx(quartiles)
        assert (row["mean"], row["median"]) == pytest.approx((values.mean(), quartiles[1]))
        assert box["std"] == (pytest.approx(values.std()) if len(values) > 1 else None)
        reach = 1.5 * (quartiles[2] - quartiles[0])
        within = values[(values >= quartiles[0] - reach) & (values <= quartiles[2] + reach)]
        assert (box["low"], box["high"]) == (within.min(), within.max())
        assert box["outside"] == len(values) - len(within)
        if len(values) <= 30:
            assert [one["value"] for one in box["points"]] == sorted(values)
            assert {one["run_key"] for one in box["points"]} == set(
                group.loc[values.index, "run_key"]
            )


def test_a_group_is_the_same_whoever_is_beside_it(client: FlaskClient) -> None:
    """Neither a page nor other groups change a number of a group, but the last digit of a sum."""
    asked = {"group_by": "project", "metric": "points", "sort": "-runs"}

    def boxes(**more: object) -> list[dict[str, Any]]:
        found = rows(get(client, "boxes", **asked, **more))
        for row in found:
            for name in ("mean", "std"):
                if row[name] is not None:
                    row[name] = pytest.approx(row[name], rel=1e-12)
        return found

    whole = boxes()
    assert [boxes(limit=1, offset=i)[0] for i in range(len(whole))] == rows(
        get(client, "boxes", **asked)
    )
    alone = rows(get(client, "boxes", **asked, filter="project = 'vision'"))
    assert alone == [row for row in whole if row["project"] == "vision"]
    assert get(client, "boxes", **asked, offset=10**6)["total"] == len(whole)


def test_many_values_show_only_what_lies_beyond(filled: Filled) -> None:
    """Of a group of more than thirty runs those beyond the whiskers are told, farthest first kept."""
    values = [*range(40), 1_000, -1_000]

    def run(value: float) -> Callable[[EventWriter], None]:
        return lambda writer: writer.scalar("loss", value, 1, WALL)

    client, _ = filled({f"r{value}": run(float(value)) for value in values})
    (row,) = rows(get(client, "boxes", group_by="source", metric='last("loss")'))
    assert (row["low"], row["high"], row["outside"]) == (0, 39, 2)
    assert [one["value"] for one in row["points"]] == [-1_000, 1_000]
    assert [one["run"] for one in row["points"]] == ["r-1000", "r1000"]


def test_best_as_a_file(client: FlaskClient) -> None:
    """The same rows as CSV."""
    asked = {"group_by": "project", "metric": "points", "direction": "max"}
    text = client.get("/api/v1/best", query_string=asked | {"format": "csv"})
    assert text.content_type == "text/csv; charset=utf-8"
    table = pd.read_csv(io.BytesIO(text.data))
    found = rows(get(client, "best", **asked))
    assert table["best"].tolist() == [row["best"] for row in found]
    assert table["best_run_key"].tolist() == [row["best_run_key"] for row in found]


def test_names_that_people_gave_are_told(client: FlaskClient, service: Service) -> None:
    """A run is called as people call it."""
    asked = {"group_by": "source", "metric": "points", "direction": "max"}
    key = rows(get(client, "best", **asked))[0]["best_run_key"]
    body = {"runs": [key], "set": {"name": "The longest"}}
    assert client.patch("/api/v1/annotations", json=body).status_code == 200
    assert rows(get(client, "best", **asked))[0]["best_run"] == "The longest"


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ({"metric": "name"}, "name is no number"),
        ({"metric": "created_at"}, "created_at is no number"),
        ({"metric": 'last("nosuch")'}, "no run has the tag nosuch"),
        ({"metric": ""}, "metric: String should have at least 1"),
        ({"group_by": "runs_"}, "runs_ is no field"),
        ({"group_by": "locations"}, "a list cannot be grouped by"),
        ({"group_by": "project as best"}, "group_by: there are two columns best"),
        ({"group_by": "project,project"}, "group_by: there are two columns project"),
        ({"group_by": ""}, "group_by: "),
        ({"direction": "up"}, "direction: "),
        ({"sort": "nosuch"}, "sort: "),
    ],
)
def test_what_cannot_be_asked_is_refused(
    client: FlaskClient, query: dict[str, str], told: str
) -> None:
    """With what was expected."""
    asked = {"group_by": "project", "metric": "points", "direction": "max"} | query
    answer = client.get("/api/v1/best", query_string=asked)
    assert answer.status_code == 400
    assert answer.get_json()["error"]["message"].startswith(told), answer.text
